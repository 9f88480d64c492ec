"""Training documents and their weights.

Input: canonical counts and sample weights. Output: a corpus that can be indexed by
rows, and its weighted sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from .validation import check_weights

# Range of weights whose products with counts float32 can sum without large errors.
_WEIGHT_RANGE = (1e-9, 1e9)


@dataclass(frozen=True)
class Corpus:
    """Documents and their weights.

    Attributes
    ----------
    counts : csr_array of shape (n_documents, n_features)
        Canonical, non-negative.
    weights : ndarray of shape (n_documents,) or None
        Number of times each document counts, positive; None means once.
    n_labels : int
        Number of classes, whose tokens are in the last columns of `counts`.
    covariates : ndarray of shape (n_documents, n_covariates) or None
        Standardized, except before the scales are known.
    """

    counts: sp.csr_array
    weights: np.ndarray | None = None
    n_labels: int = 0
    covariates: np.ndarray | None = None

    def __len__(self):
        return self.counts.shape[0]

    def __getitem__(self, rows) -> Corpus:
        weights, covariates = (
            None if values is None else values[rows]
            for values in (self.weights, self.covariates)
        )
        return replace(
            self, counts=self.counts[rows], weights=weights, covariates=covariates
        )

    @property
    def is_label(self) -> np.ndarray:
        """Whether each non-zero is the count of a label, shape (nnz,)."""
        return self.counts.indices >= self.counts.shape[1] - self.n_labels

    @property
    def n_covariates(self) -> int:
        """Number of covariates, 0 if there are none."""
        return 0 if self.covariates is None else self.covariates.shape[1]

    def without_labels(self) -> Corpus:
        """The documents without tokens of labels, in the same columns."""
        if not self.n_labels:
            return self
        words = self.counts[:, : self.counts.shape[1] - self.n_labels]
        words.resize(self.counts.shape)
        return replace(self, counts=words)

    def total(self, values=None) -> float:
        """Weighted sum of values of the documents; by default the sum of weights."""
        # Not a dot product, because BLAS would start threads that keep a core busy.
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


def make_corpus(X, sample_weight, n_labels: int = 0, covariates=None) -> Corpus:
    """A corpus of the documents that have words and a positive weight.

    A document without words has the prior as its posterior. The document does not
    change the topics, but its place in a batch would change the statistics.

    Parameters
    ----------
    X : csr_array of shape (n_samples, n_features)
        Canonical counts.
    sample_weight : array-like of shape (n_samples,) or None
        Number of times each document counts.
    n_labels : int, default=0
        Number of classes, whose tokens are in the last columns of X.
    covariates : ndarray of shape (n_samples, n_covariates), default=None

    Raises
    ------
    ValueError
        If a weight is negative, not finite, or too small or large for float32.
    """
    has_words = np.diff(X.indptr) > 0
    corpus = Corpus(X, None, n_labels, covariates)
    if sample_weight is None:
        return corpus if has_words.all() else corpus[np.flatnonzero(has_words)]
    weights = check_weights(sample_weight, X)
    positive = weights[weights != 0]
    lowest, highest = _WEIGHT_RANGE
    if not ((positive >= lowest) & (positive <= highest)).all():
        raise ValueError(
            f"sample_weight must be 0 or between {lowest:g} and {highest:g}, got "
            f"values from {positive.min():g} to {positive.max():g}; scale the weights."
        )
    counted = np.flatnonzero(has_words & (weights != 0))
    weights = weights[counted]
    # Multiplication by 1 would change the order of sums, and so the last bits.
    return replace(corpus[counted], weights=None if (weights == 1).all() else weights)
