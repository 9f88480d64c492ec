"""Draws from the exact posterior of topic proportions by Markov chain Monte Carlo.

Input: counts, topics, alpha, and Dirichlet parameters to start from. Output: draws of
theta for each document. A sweep has two kinds of moves, and both leave
p(theta | words, beta, alpha) invariant:

1. Gibbs: the topics z of all words given theta, then theta given z. This mixes well if
   topics are distinct.
2. For disjoint pairs of topics, a new division of the pair's sum by
   Metropolis-Hastings, where z is summed out. This mixes well if topics are similar,
   where z follows theta so closely that the Gibbs moves are small.
"""

from __future__ import annotations

import numpy as np

from .document_noise import DocumentNoise

# Sweeps before the first draw that is kept, as a share of the kept ones.
_WARM_UP = 0.25
# Smallest and largest standard deviation of a step in the log-ratio of two topics.
_STEPS = 0.05, 20.0
# Documents of a block, so that their arrays fit in the cache.
_BLOCK = 512
_TINY = 1e-300


def draw_posterior(X, topic_word, alpha, gamma, *, n_samples: int, seed: int):
    """Draws of theta given the words of each document.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_features)
        Canonical counts, integers.
    topic_word : ndarray of shape (n_topics, n_features)
        Rows on the simplex.
    alpha : ndarray of shape (n_topics,)
    gamma : ndarray of shape (n_documents, n_topics)
        The chains start at draws from Dirichlet(gamma_d).
    n_samples : int
    seed : int

    Returns
    -------
    theta : ndarray of shape (n_samples, n_documents, n_topics), of float32
        Successive states of the chains; rows on the simplex.
    """
    draws = np.empty((n_samples, *gamma.shape), dtype=np.float32)
    by_word = np.ascontiguousarray(topic_word.T, dtype=np.float32)
    n_warm_up = int(np.ceil(_WARM_UP * n_samples))
    for start in range(0, X.shape[0], _BLOCK):
        rows = slice(start, start + _BLOCK)
        chains = _Chains(X[rows], by_word, np.asarray(alpha, np.float64), seed)
        theta = chains.start(gamma[rows].astype(np.float64))
        for sweep in range(n_warm_up + n_samples):
            theta = chains.sweep(theta, sweep)
            if sweep >= n_warm_up:
                draws[sweep - n_warm_up, rows] = theta
    return draws


class _Chains:
    """The chains of some documents, one step after the other."""

    def __init__(self, X, by_word, alpha, seed):
        self.alpha = alpha
        self.seed = seed
        self.noise = DocumentNoise(X, seed)
        self.n_documents = X.shape[0]
        self.alpha_of_documents = np.tile(alpha, (self.n_documents, 1))
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

    def start(self, gamma):
        return self._dirichlet(gamma)

    def sweep(self, theta, number):
        theta = self._gibbs(theta)
        return self._divide_pairs(theta, number)

    def _gibbs(self, theta):
        cumulative = np.cumsum(self._joint(theta), axis=0)
        threshold = self.noise.uniform(self.position, self.token_document)
        threshold = (threshold * cumulative[-1, self.token]).astype(np.float32)
        z = (cumulative[:-1, self.token] < threshold).sum(axis=0)
        n_topics = len(self.alpha)
        n = np.bincount(
            self.token_document * n_topics + z, minlength=self.n_documents * n_topics
        )
        return self._dirichlet(self.alpha + n.reshape(-1, n_topics))

    def _divide_pairs(self, theta, number):
        # Rows are contiguous for any number of documents, because NumPy's logarithms of
        # contiguous and other arrays may differ in the last bit.
        theta = np.maximum(np.ascontiguousarray(theta.T), _TINY)
        p = self._joint(theta.T).sum(axis=0, dtype=np.float64)
        p = np.maximum(p, _TINY)
        # The pairs of a sweep depend on the seed alone, so that they are equal in all
        # batches.
        order = np.random.default_rng([self.seed, number]).permutation(len(self.alpha))
        prior = self.noise.log_gamma(self.alpha_of_documents).T
        uniform = self.noise.uniform(np.arange(4 * (len(order) // 2)))
        uniform = np.ascontiguousarray(uniform.T).reshape(-1, 4, self.n_documents)
        for pair, u in zip(zip(order[::2], order[1::2]), uniform):
            p = self._divide(theta, p, *pair, prior, u)
        return theta.T

    def _divide(self, theta, p, one, other, prior, u):
        """Two proposals for the division of theta_one + theta_other, in place.

        The state is the log-ratio of the two. The first proposal is a draw from the
        prior, so the densities of the prior and of the proposal cancel. The second is a
        symmetric step of random size.
        """
        ratio = np.log(theta[one]) - np.log(theta[other])
        proposal = prior[one] - prior[other]
        p, ratio = self._move(theta, p, one, other, ratio, proposal, 0.0, u[0])
        low, high = np.log(_STEPS)
        # The quantile function of the logistic distribution.
        step = np.exp(low + (high - low) * u[1]) * (np.log(u[2]) - np.log1p(-u[2]))
        proposal = ratio + step
        a, b = self.alpha[one], self.alpha[other]
        change = _log_density(proposal, a, b) - _log_density(ratio, a, b)
        p, _ = self._move(theta, p, one, other, ratio, proposal, change, u[3])
        return p

    def _move(self, theta, p, one, other, ratio, proposal, change, u):
        """Accept or reject a log-ratio in each document.

        `p` is sum_k theta_dk beta_kv of the non-zeros. `change` is the logarithm of the
        acceptance ratio without the likelihood. Returns the new `p` and log-ratio.
        """
        total = theta[one] + theta[other]
        odds = np.exp(np.clip(proposal, -690.0, 690.0))
        share = total * (odds / (1.0 + odds))
        difference = self.beta[one] - self.beta[other]
        moved = (share - theta[one])[self.documents] * difference
        proposed = np.maximum(p + moved, _TINY)
        change = change + self._by_document(self.counts * np.log(proposed / p))
        accepted = np.log(u) < change
        theta[one] = np.where(accepted, share, theta[one])
        theta[other] = np.where(accepted, total / (1.0 + odds), theta[other])
        p = np.where(accepted[self.documents], proposed, p)
        return p, np.where(accepted, proposal, ratio)

    def _joint(self, theta):
        """theta_dk beta_kv of every non-zero, shape (n_topics, nnz)."""
        return theta.T.astype(np.float32)[:, self.documents] * self.beta

    def _by_document(self, values):
        sums = np.zeros(self.n_documents)
        if len(self.starts):
            sums[self.filled] = np.add.reduceat(values, self.starts)
        return sums

    def _dirichlet(self, concentration):
        log = self.noise.log_gamma(concentration)
        theta = np.exp(log - log.max(axis=1, keepdims=True))
        return theta / theta.sum(axis=1, keepdims=True)


def _log_density(ratio, a, b):
    """log p of the log-ratio of Gamma(a) and Gamma(b) draws, up to a constant."""
    return -a * np.logaddexp(0.0, -ratio) - b * np.logaddexp(0.0, ratio)
