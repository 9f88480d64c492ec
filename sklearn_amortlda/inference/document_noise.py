"""Random numbers of documents.

Input: word counts and a seed. Output: draws that depend on the seed and the words of
the document, and not on the other documents. So results do not depend on the batch.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

# Constants of SplitMix64 (Steele, Lea & Flood 2014).
STEP = np.array([0x9E3779B97F4A7C15], np.uint64)
FACTORS = np.array([[0xBF58476D1CE4E5B9], [0x94D049BB133111EB]], np.uint64)
# Rounds of rejection sampling, each with at least 95 % acceptance.
_ROUNDS = 8


class DocumentNoise:
    """Independent draws for each document; each call returns new ones.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_features)
        Canonical counts.
    seed : int
        From 0 to 2**63 - 1.

    Attributes
    ----------
    keys : ndarray of shape (n_documents,), of uint64
        Hashes of the seed and the words of each document.
    """

    def __init__(self, X, seed: int):
        n_documents = X.shape[0]
        documents = np.repeat(np.arange(n_documents), np.diff(X.indptr))
        words = _mix(_unsigned(X.indices) * STEP + _unsigned(X.data))
        self.keys = np.full(n_documents, _mix(_unsigned([seed]))[0])
        # Sums of hashes, which wrap around.
        np.add.at(self.keys, documents, words)
        self._n_calls = 0

    def uniform(self, columns, rows=slice(None)):
        """Uniform draws in (0, 1).

        Parameters
        ----------
        columns : ndarray of ints
            Numbers of the draws; equal numbers give equal draws within a call.
        rows : ndarray of int of the shape of `columns`, default=slice(None)
            The document of each draw. The default is one row of draws per document.

        Returns
        -------
        draws : ndarray of shape (n_documents, n_columns) or (n_columns,)
        """
        self._n_calls += 1
        call = _mix(_unsigned([self._n_calls]) * STEP)
        keys = _mix(self.keys + call)[rows]
        keys = keys[:, np.newaxis] if isinstance(rows, slice) else keys
        bits = _mix(keys + (_unsigned(columns) + np.uint64(1)) * STEP)
        return ((bits >> np.uint64(11)) + 0.5) * 2.0**-53

    def log_gamma(self, shape):
        """Logarithms of Gamma(shape, 1) draws, of shape (n_documents, n_columns).

        The logarithm of a small draw does not underflow.
        """
        # A Gamma(a) draw is a Gamma(a + 1) draw times U ** (1 / a).
        columns = np.arange(shape.shape[1])
        boost = np.log(self.uniform(columns)) / shape
        return boost + np.log(self._large_gamma(shape + 1.0))

    def dirichlet(self, concentration):
        """Dirichlet draws, of shape (n_documents, n_columns)."""
        log = self.log_gamma(concentration)
        theta = np.exp(log - log.max(axis=1, keepdims=True))
        return theta / theta.sum(axis=1, keepdims=True)

    def _large_gamma(self, shape):
        """Gamma draws with shapes of at least 1 (Marsaglia & Tsang 2000)."""
        d = shape - 1.0 / 3.0
        c = 1.0 / np.sqrt(9.0 * d)
        columns = np.arange(shape.shape[1])
        draws = np.zeros_like(d)
        end = self._n_calls + 2 * _ROUNDS
        for _ in range(_ROUNDS):
            x = ndtri(self.uniform(columns))
            v = (1.0 + c * x) ** 3
            positive = np.maximum(v, np.finfo(v.dtype).tiny)
            height = 0.5 * x**2 + d - d * v + d * np.log(positive)
            accepted = (np.log(self.uniform(columns)) < height) & (v > 0)
            draws = np.where((draws == 0) & accepted, d * v, draws)
            if draws.all():
                break
        # The number of rounds depends on all documents, and later draws must not.
        self._n_calls = end
        return np.where(draws == 0, d, draws)


def _unsigned(values):
    return np.asarray(values).astype(np.uint64)


def _mix(bits):
    """The mixing function of SplitMix64: every bit depends on all bits."""
    bits = (bits ^ (bits >> np.uint64(30))) * FACTORS[0]
    bits = (bits ^ (bits >> np.uint64(27))) * FACTORS[1]
    return bits ^ (bits >> np.uint64(31))
