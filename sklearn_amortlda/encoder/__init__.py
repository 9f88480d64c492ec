"""The amortized part: a network from a bag of words to the parameters of q(theta).

Input: a batch. Output: the encoder's outputs, one or two numbers for each document
and topic. `encoder` is the network: `word_embedding`, then a body (`mlp`,
`transformer` or the user's own in `custom`), a linear head and a batch norm. `weights`
turns the network into a dict of arrays and back; `word_vectors` starts the embedding
from vectors learned elsewhere.
"""
