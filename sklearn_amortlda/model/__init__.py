"""LDA as a Pyro program: the model, its guide, and the posterior of the topics.

Input: a mini-batch. Output: the sample sites beta, theta and words (`lda`), under one
of four objectives (`objectives`), and the sufficient statistics of the batch for the
topics and alpha (`statistics`). `likelihood` has the density of the words,
`distributions` the Dirichlets and the logistic normal, and `e_step` the refinement of
gamma. `topics` stores q(beta). `doc_topic_prior` learns alpha, `topic_word_prior`
learns eta, and `seeded_prior` makes an eta from seed words. `merge_split` merges
duplicate topics and splits others.
"""
