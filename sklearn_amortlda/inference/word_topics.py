"""Draws of the topic of every word, given theta and beta.

Input: theta, beta, and the words of documents one after the other. Output: the number
of words of each document in each topic, and of each word in each topic.
"""

from __future__ import annotations

import numpy as np
import torch

# Words of a block, so that its arrays fit in the cache.
_BLOCK = 8192


def draw_counts(theta, beta, documents, words, rng: np.random.Generator):
    """Draw the topics of all words, and count them by document and by word.

    Parameters
    ----------
    theta : ndarray of shape (n_documents, n_topics), of float32
    beta : ndarray of shape (n_words, n_topics), of float32
    documents, words : ndarray of int of shape (n_occurrences,)
        The row of theta and the row of beta of each occurrence of a word.
    rng : numpy.random.Generator

    Returns
    -------
    by_document : ndarray of int of shape (n_documents, n_topics)
    by_word : ndarray of int of shape (n_words, n_topics)
    """
    topics = np.empty(len(words), np.int64)
    for start in range(0, len(topics), _BLOCK):
        block = slice(start, start + _BLOCK)
        joint = theta.take(documents[block], axis=0)
        joint *= beta.take(words[block], axis=0)
        # torch has both operations for rows, and is twice as fast as NumPy.
        cumulative = torch.from_numpy(joint).cumsum(dim=1)
        threshold = rng.random((len(joint), 1), dtype=np.float32)
        threshold = torch.from_numpy(threshold) * cumulative[:, -1:]
        drawn = torch.searchsorted(cumulative[:, :-1].contiguous(), threshold)
        topics[block] = drawn.squeeze(1).numpy()
    return _count(documents, topics, theta.shape), _count(words, topics, beta.shape)


def _count(rows, columns, shape):
    """Number of occurrences of each pair of a row and a column."""
    counts = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return counts.reshape(shape)
