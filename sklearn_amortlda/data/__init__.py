"""From the user's matrix to mini-batches.

Input: X in any format. Output, in this order: canonical CSR counts (`validation`),
counts in the columns of the model (`vocabulary`), columns for labels (`labels`), a
corpus of weighted documents (`corpus`), and mini-batches over their own distinct words
(`batches`). `thinning` splits the words of documents into two halves for the objective
'completion'.
"""
