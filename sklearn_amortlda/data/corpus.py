"""Training documents and their weights.

Input: canonical counts and sample weights. Output: a corpus that can be cut by rows,
and its sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from .validation import check_weights


@dataclass(frozen=True)
class Corpus:
    """Documents, and how many times each counts.

    Attributes
    ----------
    counts : csr_array of shape (n_documents, n_features)
        Canonical, non-negative.
    weights : ndarray of shape (n_documents,) or None
        Positive; None means that each document counts once.
    """

    counts: sp.csr_array
    weights: np.ndarray | None = None

    def __len__(self):
        return self.counts.shape[0]

    def __getitem__(self, rows) -> Corpus:
        weights = None if self.weights is None else self.weights[rows]
        return Corpus(self.counts[rows], weights)

    def total(self, values=None) -> float:
        """Weighted sum of values of the documents; by default of 1."""
        # A sum and no dot product: BLAS would start threads that then spin.
        if values is None:
            values = np.ones(len(self))
        if self.weights is not None:
            values = self.weights * values
        return float(np.sum(values))

    @property
    def n_words(self) -> float:
        """Weighted number of words."""
        return self.total(self.counts.sum(axis=1, dtype=np.float64))

    @property
    def word_counts(self) -> np.ndarray:
        """Weighted occurrences of each word, shape (n_features,)."""
        if self.weights is None:
            return self.counts.sum(axis=0, dtype=np.float64)
        return self.counts.T @ self.weights


def make_corpus(X, sample_weight) -> Corpus:
    """A corpus of the documents that have a positive weight.

    Parameters
    ----------
    X : csr_array of shape (n_samples, n_features)
        Canonical counts.
    sample_weight : array-like of shape (n_samples,) or None
        Number of times each document counts.
    """
    if sample_weight is None:
        return Corpus(X)
    weights = check_weights(sample_weight, X)
    counted = np.flatnonzero(weights)
    return Corpus(X[counted], weights[counted])
