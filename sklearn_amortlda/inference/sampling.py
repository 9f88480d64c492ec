"""Documents drawn from the model.

Input: alpha, the topics and lengths of documents. Output: word counts and the topic
proportions that they were drawn from.
"""

from __future__ import annotations

from numbers import Integral

import numpy as np
import scipy.sparse as sp

from .posterior import draw_dirichlet


def draw_documents(alpha, topic_word, lengths, rng: np.random.Generator):
    """Draw theta_d ~ Dirichlet(alpha), a topic for each word, and the word.

    Time and memory grow with the number of words, not with documents x vocabulary.

    Parameters
    ----------
    alpha : ndarray of shape (n_topics,)
    topic_word : ndarray of shape (n_topics, n_features)
        Rows on the simplex.
    lengths : ndarray of shape (n_samples,), of ints
        Words of each document.
    rng : numpy.random.Generator

    Returns
    -------
    counts : csr_array of shape (n_samples, n_features), of int64
    theta : ndarray of shape (n_samples, n_topics)
    """
    shape = len(lengths), topic_word.shape[1]
    alpha = np.asarray(alpha, np.float64)
    theta = draw_dirichlet(np.tile(alpha, (len(lengths), 1)), rng)
    words_of_topic = rng.multinomial(lengths, theta)
    counts = sp.csr_array(shape, dtype=np.int64)
    for of_document, p in zip(words_of_topic.T, np.asarray(topic_word, np.float64)):
        words = rng.choice(shape[1], of_document.sum(), p=p / p.sum())
        documents = np.repeat(np.arange(shape[0]), of_document)
        ones = np.ones(len(words), dtype=np.int64)
        counts += sp.csr_array((ones, (documents, words)), shape=shape)
    return counts, theta


def check_lengths(n_words, n_samples):
    """The number of words of each document, shape (n_samples,), of int64.

    Raises
    ------
    ValueError
        If `n_samples` is not a positive integer, or `n_words` is not an integer or
        an array of `n_samples` integers, from 0 on.
    """
    if not _is_integer(n_samples) or n_samples < 1:
        raise ValueError(f"n_samples must be a positive integer, got {n_samples!r}.")
    lengths = np.asarray(n_words)
    if lengths.ndim and lengths.shape != (n_samples,):
        raise ValueError(
            f"n_words has shape {lengths.shape}; give a number, or an array of shape "
            f"({n_samples},) with the length of each of the {n_samples} documents."
        )
    if lengths.dtype.kind not in "iu" or (lengths < 0).any():
        raise ValueError(f"n_words must hold integers from 0 on, got {n_words!r}.")
    return np.broadcast_to(lengths, n_samples).astype(np.int64)


def _is_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool)
