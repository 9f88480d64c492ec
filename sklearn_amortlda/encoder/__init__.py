"""The encoder: a network from a bag of words to the parameters of q(theta).

Input: a batch. Output: the encoder's outputs, one or two numbers for each document and
topic. `encoder` has the network: a word embedding (`word_embedding`), a body (`mlp`,
`transformer`, or the user's module in `custom`), a linear head and a batch norm.
`weights` converts the network to a dict of arrays and back. `word_vectors` initializes
the embedding with pretrained vectors.
"""
