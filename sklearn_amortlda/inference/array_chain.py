"""Sweeps of the chains of `mcmc` by NumPy, over the non-zeros of all documents at once.

Input: counts, topics, alpha and states. Output: later states. Draws and rounding differ
from those of `compiled_chain`.
"""

from __future__ import annotations

import numpy as np

from .document_noise import DocumentNoise

_TINY = 1e-300


def take_sweeps(X, by_word, alpha, gamma, theta, *, n_draws, thin, seed):
    """Take n_draws x thin sweeps, and return the last and every thin-th state.

    The parameters and results are those of `compiled_chain.take_sweeps`; `gamma` is not
    used, because all documents have the same pairs.
    """
    chains = _Chains(X, by_word, alpha, seed)
    draws = np.empty((n_draws, *theta.shape), dtype=np.float32)
    for draw in range(n_draws):
        for number in range(thin):
            theta = chains.sweep(theta, draw * thin + number)
        draws[draw] = theta
    return theta, draws


class _Chains:
    """The chains of some documents, one step after the other."""

    def __init__(self, X, by_word, alpha, seed):
        self.alpha = alpha
        self.seed = seed
        self.noise = DocumentNoise(X, seed)
        self.n_documents = X.shape[0]
        lengths = np.diff(X.indptr)
        self.documents = np.repeat(np.arange(self.n_documents), lengths)
        self.counts = X.data.astype(np.float64)
        # Topics by non-zeros, so that each operation runs over contiguous non-zeros.
        self.beta = np.ascontiguousarray(by_word[X.indices].T)
        # reduceat has no empty segments.
        self.filled = np.flatnonzero(lengths)
        self.starts = X.indptr[self.filled]
        self.token = np.repeat(np.arange(X.nnz), X.data.astype(np.int64))
        self.token_document = self.documents[self.token]
        tokens = np.bincount(self.token_document, minlength=self.n_documents)
        first = np.cumsum(tokens) - tokens
        self.position = np.arange(len(self.token)) - first[self.token_document]

    def sweep(self, theta, number):
        theta = self._gibbs(theta)
        return self._divide_pairs(theta, number)

    def _gibbs(self, theta):
        cumulative = np.cumsum(self._joint(theta), axis=0)
        threshold = self.noise.uniform(self.position, self.token_document)
        threshold = (threshold * cumulative[-1, self.token]).astype(np.float32)
        z = (cumulative[:-1, self.token] < threshold).sum(axis=0)
        n_topics = self.alpha.shape[1]
        n = np.bincount(
            self.token_document * n_topics + z, minlength=self.n_documents * n_topics
        )
        return self.noise.dirichlet(self.alpha + n.reshape(-1, n_topics))

    def _divide_pairs(self, theta, number):
        # Rows are contiguous for any number of documents, because NumPy's logarithms of
        # contiguous and other arrays may differ in the last bit.
        theta = np.maximum(np.ascontiguousarray(theta.T), _TINY)
        p = self._joint(theta.T).sum(axis=0, dtype=np.float64)
        p = np.maximum(p, _TINY)
        # The pairs of a sweep depend on the seed alone, so that they are equal in all
        # batches.
        order = np.random.default_rng([self.seed, number]).permutation(
            self.alpha.shape[1]
        )
        prior = self.noise.log_gamma(self.alpha).T
        uniform = self.noise.uniform(np.arange(len(order) // 2))
        uniform = np.ascontiguousarray(uniform.T)
        for one, other, u in zip(order[::2], order[1::2], uniform):
            p = self._divide(theta, p, one, other, prior[one] - prior[other], u)
        return theta.T

    def _divide(self, theta, p, one, other, log_odds, u):
        """Propose a division of theta_one + theta_other from the prior, in place.

        The densities of the prior and of the proposal cancel. `p` is
        sum_k theta_dk beta_kv of the non-zeros, and the new `p` is returned.
        """
        total = theta[one] + theta[other]
        odds = np.exp(np.clip(log_odds, -690.0, 690.0))
        share = total * (odds / (1.0 + odds))
        difference = self.beta[one] - self.beta[other]
        moved = (share - theta[one])[self.documents] * difference
        proposed = np.maximum(p + moved, _TINY)
        change = self._by_document(self.counts * np.log(proposed / p))
        accepted = np.log(u) < change
        theta[one] = np.where(accepted, share, theta[one])
        theta[other] = np.where(accepted, total / (1.0 + odds), theta[other])
        return np.where(accepted[self.documents], proposed, p)

    def _joint(self, theta):
        """theta_dk beta_kv of every non-zero, shape (n_topics, nnz)."""
        return theta.T.astype(np.float32)[:, self.documents] * self.beta

    def _by_document(self, values):
        sums = np.zeros(self.n_documents)
        if len(self.starts):
            sums[self.filled] = np.add.reduceat(values, self.starts)
        return sums
