"""Training documents and their weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from ._validation import check_weights

# Documents of a batch at the most, where its size is up to us.
LARGEST_BATCH = 256


@dataclass(frozen=True)
class Corpus:
    """Documents, and how many times each counts.

    Attributes
    ----------
    counts : csr_array of shape (n_documents, n_features)
        Canonical, non-negative.
    weights : ndarray of shape (n_documents,) or None
        Positive; None is once each.
    """

    counts: sp.csr_array
    weights: np.ndarray | None = None

    # Processes that have the rest of the documents (`_distributed.Shard`).
    peers = None

    def __len__(self):
        return self.counts.shape[0]

    def __getitem__(self, rows) -> Corpus:
        weights = None if self.weights is None else self.weights[rows]
        return Corpus(self.counts[rows], weights)

    @property
    def n_documents(self) -> int:
        """Documents, each once."""
        return len(self)

    @property
    def n_entries(self) -> int:
        """Non-zeros of the counts."""
        return self.counts.nnz

    def n_batches(self, batch_size) -> int:
        """Steps of one epoch."""
        return n_batches(self.n_documents, batch_size)

    def total(self, values=None) -> float:
        """Weighted sum of the documents' values, or of the documents."""
        # Sums, for a product of long vectors wakes BLAS's threads, which then spin.
        if values is None:
            values = np.ones(len(self))
        if self.weights is not None:
            values = self.weights * values
        return float(np.sum(values))

    @property
    def n_words(self) -> float:
        """Words in the corpus, those of a document as often as it counts."""
        return self.total(self.counts.sum(axis=1, dtype=np.float64))

    @property
    def word_counts(self) -> np.ndarray:
        """How often each word occurs, shape (n_features,)."""
        if self.weights is None:
            return self.counts.sum(axis=0, dtype=np.float64)
        return self.counts.T @ self.weights


def n_batches(n_documents, batch_size) -> int:
    """Steps of one epoch of so many documents."""
    return max(1, round(n_documents / batch_size))


def make_corpus(X, sample_weight) -> Corpus:
    """Documents that count, and how much.

    Parameters
    ----------
    X : csr_array of shape (n_samples, n_features)
        Validated counts.
    sample_weight : array-like of shape (n_samples,) or None
        Times each document counts; those of weight 0 are left out.
    """
    if sample_weight is None:
        return Corpus(X)
    weights = check_weights(sample_weight, X)
    counted = np.flatnonzero(weights)
    return Corpus(X[counted], weights[counted])
