"""LDA as a Pyro program: the model, its guide, and what the topics' posterior stores.

Input: a mini-batch. Output: the sample sites beta, theta and words (`lda`), under one
of four objectives (`objectives`), and the sufficient statistics of the batch for the
topics and alpha (`statistics`). `topics` stores q(beta), `doc_topic_prior` and
`topic_word_prior` hold alpha and eta, `merge_split` repairs duplicate topics.
"""
