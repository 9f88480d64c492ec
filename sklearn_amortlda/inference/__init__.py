"""Inference of documents under learned topics.

Input: counts, an encoder and topics. Output: posteriors of theta and bounds on the
likelihood of each document. `inference` runs the encoder and the refinement batch by
batch, and `threads` runs parts of the rows. `bounds` has the formulas of the bounds.
`posterior` has the class of the posteriors that the estimator returns.
"""
