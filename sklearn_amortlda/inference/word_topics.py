"""Draws of the topic of every word, given theta and beta.

Input: theta, beta, and the words of documents. Output: the number of words of each
document in each topic, and of each word in each topic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..runtime.compiled import has_numba
from .posterior import draw_dirichlet

# Words of a block, so that its arrays fit in the cache.
_BLOCK = 8192


@dataclass(frozen=True)
class Occurrences:
    """The words of documents.

    Attributes
    ----------
    documents, words : ndarray of int64 of shape (nnz,)
        The document of each non-zero, and the position of its word in `vocabulary`.
    counts : ndarray of int64 of shape (nnz,)
    vocabulary : ndarray of int
        The distinct words, ascending.
    """

    documents: np.ndarray
    words: np.ndarray
    counts: np.ndarray
    vocabulary: np.ndarray

    @classmethod
    def of(cls, X, counts=None) -> Occurrences:
        """Those of counts X in CSR format; `counts` replaces its data."""
        documents = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        vocabulary, words = np.unique(X.indices, return_inverse=True)
        counts = X.data if counts is None else counts
        return cls(documents, words, counts.astype(np.int64), vocabulary)


def draw_counts(theta, beta, occurrences: Occurrences, rng: np.random.Generator):
    """Draw the topics of all words, and count them by document and by word.

    Parameters
    ----------
    theta : ndarray of shape (n_documents, n_topics), of float32
    beta : ndarray of shape (n_words, n_topics), of float32
    occurrences : Occurrences
    rng : numpy.random.Generator

    Returns
    -------
    by_document : ndarray of int of shape (n_documents, n_topics)
    by_word : ndarray of int of shape (n_words, n_topics)
    """
    documents, words = (
        np.repeat(values, occurrences.counts)
        for values in (occurrences.documents, occurrences.words)
    )
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


def draw_beta(by_word, eta, rest, rng: np.random.Generator):
    """Draw beta given the counts of words in topics.

    Parameters
    ----------
    by_word : ndarray of int of shape (n_words, n_topics)
    eta : ndarray broadcastable to (n_topics, n_words)
        Prior of these words.
    rest : ndarray of shape (n_topics,)
        Sums of the priors of all other words, which have no counts; positive.
    rng : numpy.random.Generator

    Returns
    -------
    beta : ndarray of shape (n_words, n_topics), of float32
    beta_rest : ndarray of shape (n_topics,)
        The probability of all other words.
    """
    draws = draw_dirichlet(np.column_stack([by_word.T + eta, rest]), rng)
    return draws[:, :-1].T.astype(np.float32, order="C"), draws[:, -1]


class TopicDraws:
    """Gibbs draws of the words' topics and of beta, given theta.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_features)
        Counts, integers.
    topic_word : ndarray of shape (n_topics, n_features)
        The first beta.
    eta : ndarray broadcastable to (n_topics, n_features)
        Prior of beta.
    """

    def __init__(self, X, topic_word, eta):
        self._occurrences = Occurrences.of(X)
        vocabulary = self._occurrences.vocabulary
        self._beta = topic_word[:, vocabulary].T.astype(np.float32, order="C")
        eta = np.broadcast_to(eta, topic_word.shape)
        self._absent = np.setdiff1d(np.arange(X.shape[1]), vocabulary)
        self._eta, self._eta_of_absent = eta[:, vocabulary], eta[:, self._absent]
        rest = self._eta_of_absent.sum(axis=1)
        self._rest = np.maximum(rest, np.finfo(np.float64).tiny)

    def draw(self, theta, rng: np.random.Generator):
        """Draw all topics, then beta; return the counts (n_documents, n_topics)."""
        if has_numba():
            from .compiled_words import draw_counts as draw
        else:
            draw = draw_counts

        counts, by_word = draw(theta, self._beta, self._occurrences, rng)
        self._beta, self._beta_of_absent = draw_beta(
            by_word, self._eta, self._rest, rng
        )
        return counts

    def topic_word(self, rng: np.random.Generator):
        """The latest beta over the whole vocabulary, (n_topics, n_features)."""
        n_features = self._eta.shape[1] + len(self._absent)
        beta = np.empty((len(self._eta), n_features), np.float32)
        beta[:, self._occurrences.vocabulary] = self._beta.T
        if len(self._absent):
            shares = draw_dirichlet(self._eta_of_absent, rng)
            beta[:, self._absent] = self._beta_of_absent[:, np.newaxis] * shares
        return beta
