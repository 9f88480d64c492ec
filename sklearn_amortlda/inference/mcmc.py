"""Draws from the exact posterior of topic proportions by Markov chain Monte Carlo.

Input: counts, topics, alpha, and Dirichlet parameters to start from. Output: draws of
theta for each document. A sweep has two kinds of moves, and both leave
p(theta | words, beta, alpha) invariant:

1. Gibbs: the topics z of all words given theta, then theta given z. This mixes well if
   topics are distinct.
2. For pairs of topics, a new division of the pair's sum, drawn from the prior and
   accepted by Metropolis-Hastings, where z is summed out. This mixes well if topics are
   similar, where z follows theta so closely that the Gibbs moves are small.

`compiled_chain` has the sweeps if numba is installed, and `array_chain` otherwise.
"""

from __future__ import annotations

from functools import partial

import joblib
import numpy as np

from ..runtime.compiled import has_numba
from ..runtime.jobs import number_of_jobs
from .document_noise import DocumentNoise

# Sweeps before the first draw that is kept, as a share of the kept ones.
_WARM_UP = 0.25
# Smallest warm-up of the chains for one draw of the topics.
_MIN_WARM_UP = 10
# Sweeps per draw are doubled, up to the maximum, while a document has fewer effective
# draws. With 15 of 100, 85 % of the true proportions are in 90 % intervals (planted).
_MIN_SIZE, _MAX_THIN = 30, 8
# Documents of a block, so that their arrays fit in the cache.
_BLOCK = 512


def draw_posterior(
    X, topics, alpha, gamma, *, n_samples: int, seed: int, n_jobs: int | None = 1
):
    """Draws of theta given the words of each document.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_features)
        Canonical counts, integers.
    topics : sequence of ndarray of shape (n_topics, n_features)
        One array of known topics; or draws of uncertain topics, at most `n_samples`,
        which get equal shares of the draws of theta, by chains of their own.
    alpha : ndarray broadcastable to (n_documents, n_topics)
    gamma : ndarray of shape (n_documents, n_topics)
        The chains start at draws from Dirichlet(gamma_d).
    n_samples : int
    seed : int
    n_jobs : int or None, default=1
        Threads, as in joblib. The draws do not depend on their number.

    Returns
    -------
    theta : ndarray of shape (n_samples, n_documents, n_topics), of float32
        States of the chains; rows on the simplex.
    """
    draws = np.empty((n_samples, *gamma.shape), dtype=np.float32)
    gamma = np.asarray(gamma, np.float64)
    alpha = np.broadcast_to(np.asarray(alpha, np.float64), gamma.shape)
    blocks = [slice(i, i + _BLOCK) for i in range(0, X.shape[0], _BLOCK)]
    n_threads = min(number_of_jobs(n_jobs), len(blocks))
    parallel = joblib.Parallel(n_jobs=n_threads, require="sharedmem")
    known = len(topics) == 1
    parts = np.array_split(draws, len(topics))
    for number, (part, topic_word) in enumerate(zip(parts, topics)):
        n_warm_up = int(np.ceil(_WARM_UP * len(part)))
        draw = partial(
            _draw_block,
            X=X,
            by_word=np.ascontiguousarray(topic_word.T, dtype=np.float32),
            alpha=alpha,
            gamma=gamma,
            seed=seed if known else _seed(seed, number),
            n_warm_up=n_warm_up if known else max(n_warm_up, _MIN_WARM_UP),
            min_size=_MIN_SIZE * len(part) / n_samples,
            draws=part,
        )
        parallel(joblib.delayed(draw)(rows) for rows in blocks)
    return draws


def _draw_block(rows, *, X, by_word, alpha, gamma, seed, n_warm_up, min_size, draws):
    """Draw theta of some documents; draws is output."""
    prior = np.ascontiguousarray(alpha[rows])
    chains = _Chains(X[rows], by_word, prior, gamma[rows], seed)
    draws[:, rows] = chains.draw(len(draws), n_warm_up, min_size)


class _Chains:
    """The chains of some documents."""

    def __init__(self, X, by_word, alpha, gamma, seed):
        self.X, self.by_word, self.alpha, self.gamma = X, by_word, alpha, gamma
        self.seed, self.n_calls = seed, 0
        self.theta = DocumentNoise(X, seed).dirichlet(gamma)

    def draw(self, n_samples, n_warm_up, min_size):
        """States of all chains after a warm-up, shape (n_samples, *gamma.shape).

        Documents with fewer effective draws than `min_size` get more sweeps per draw.
        """
        everything = np.arange(self.X.shape[0])
        self._sweep(everything, 1, n_warm_up)
        draws = self._sweep(everything, n_samples, 1)
        thin, rows = 1, everything
        while thin < _MAX_THIN:
            thin *= 2
            rows = rows[_size(draws[:, rows]) < min_size]
            if not len(rows):
                break
            # Every second state up to the last one, and as many new states.
            kept = draws[(n_samples - 1) % 2 :: 2, rows]
            new = self._sweep(rows, n_samples - len(kept), thin)
            draws[:, rows] = np.concatenate([kept, new])
        return draws

    def _sweep(self, rows, n_draws, thin):
        """Take n_draws x thin sweeps with some documents, and return every thin-th."""
        if has_numba():
            from .compiled_chain import take_sweeps
        else:
            from .array_chain import take_sweeps

        self.n_calls += 1
        theta, draws = take_sweeps(
            self.X[rows],
            self.by_word,
            self.alpha[rows],
            self.gamma[rows],
            self.theta[rows],
            n_draws=n_draws,
            thin=thin,
            # The number of the call is the same in every batch.
            seed=_seed(self.seed, self.n_calls),
        )
        self.theta[rows] = theta
        return draws


def _size(draws):
    """Effective number of draws of each document, by the correlation of neighbours.

    Pooled over the topics, which makes it more accurate than that of each topic.
    """
    deviations = draws - draws.mean(axis=0)
    variance = (deviations**2).sum(axis=(0, 2))
    product = (deviations[1:] * deviations[:-1]).sum(axis=(0, 2))
    # A chain that does not move has a document of one topic, or no words to move.
    ratio = np.divide(product, variance, out=np.zeros_like(product), where=variance > 0)
    return len(draws) * (1.0 - ratio) / (1.0 + ratio)


def _seed(*numbers):
    """A seed from 0 to 2**63 - 1."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0]) >> 1
