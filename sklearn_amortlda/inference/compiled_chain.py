"""Sweeps of the chains of `mcmc` in loops over documents, which numba compiles.

Input: counts, topics, alpha and states. Output: later states. Importing this file needs
numba.
"""

from __future__ import annotations

import math

import numpy as np

from ..runtime.compiled import kernel
from .document_noise import FACTORS, STEP, DocumentNoise

# numba takes the numbers of a module as constants.
_STEP, _FACTOR_1, _FACTOR_2 = STEP[0], FACTORS[0, 0], FACTORS[1, 0]
_27, _30, _31, _11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)

# Bounds of probabilities and their products, far from the limits of float64.
_TINY, _SMALL, _LARGE = 1e-300, 1e-150, 1e150


def take_sweeps(X, by_word, alpha, gamma, theta, *, n_draws, thin, seed):
    """Take n_draws x thin sweeps, and return the last and every thin-th state.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_features)
        Canonical counts, integers.
    by_word : ndarray of shape (n_features, n_topics), of float32
        The topics.
    alpha : ndarray of shape (n_topics,)
    gamma : ndarray of shape (n_documents, n_topics)
        Dirichlet parameters of an approximate posterior. Topics with large parameters
        are in more pairs.
    theta : ndarray of shape (n_documents, n_topics)
        The first states.
    n_draws, thin, seed : int

    Returns
    -------
    theta : ndarray of shape (n_documents, n_topics)
    draws : ndarray of shape (n_draws, n_documents, n_topics), of float32
    """
    theta = theta.copy()
    draws = np.empty((n_draws, *theta.shape), dtype=np.float32)
    indptr, words, counts = (np.int64(x) for x in (X.indptr, X.indices, X.data))
    keys = DocumentNoise(X, seed).keys
    _run(indptr, words, counts, by_word, alpha, gamma, keys, theta, thin, draws)
    return theta, draws


@kernel
def _run(indptr, words, counts, by_word, alpha, gamma, keys, theta, thin, draws):
    """The chains of all documents, one after the other; theta and draws are output."""
    for d in range(len(keys)):
        entries = slice(indptr[d], indptr[d + 1])
        beta = by_word[words[entries]]
        state = np.array([keys[d]])
        share = gamma[d] / gamma[d].sum()
        _run_document(
            beta, counts[entries], alpha, share, state, theta[d], thin, draws[:, d]
        )


@kernel
def _run_document(beta, count, alpha, share, state, theta, thin, draws):
    n_topics = len(alpha)
    order, n_pairs = np.argsort(-share), _number_of_pairs(share)
    concentration = np.empty(n_topics)
    p, proposed = np.empty(len(count)), np.empty(len(count))
    _predict(theta, beta, p)
    for draw in range(len(draws)):
        for _ in range(thin):
            concentration[:] = alpha
            _draw_topics(theta, beta, count, p, order, concentration, state)
            _draw_dirichlet(concentration, theta, state)
            _predict(theta, beta, p)
            for _ in range(n_pairs):
                one = _draw_category(share, order, state)
                other = (one + 1 + _draw_below(n_topics - 1, state)) % n_topics
                if _divide(theta, one, other, alpha, beta, count, p, proposed, state):
                    p, proposed = proposed, p
        draws[draw] = theta


@kernel
def _number_of_pairs(share):
    """The effective number of topics, exp(entropy), and at most half of all topics."""
    entropy = 0.0
    for x in share:
        entropy -= x * math.log(x)
    return min(math.ceil(math.exp(entropy)), len(share) // 2)


@kernel
def _predict(theta, beta, p):
    """p_v <- sum_k theta_k beta_vk."""
    for v in range(len(p)):
        total = 0.0
        for k in range(len(theta)):
            total += theta[k] * beta[v, k]
        p[v] = max(total, _TINY)


@kernel
def _draw_topics(theta, beta, count, p, order, concentration, state):
    """Draw the topic of each word, and add the words to the concentration.

    The topics are searched in the given order, which has frequent topics first.
    """
    last = len(order) - 1
    for v in range(len(p)):
        for _ in range(count[v]):
            rest = _uniform(state) * p[v]
            for position in range(last + 1):
                k = order[position]
                rest -= theta[k] * beta[v, k]
                if rest <= 0.0 or position == last:
                    concentration[k] += 1.0
                    break


@kernel
def _divide(theta, one, other, alpha, beta, count, p, proposed, state):
    """Propose a new division of theta_one + theta_other; whether it is accepted.

    The division is drawn from the prior, so the acceptance ratio is that of the
    likelihoods.
    """
    log_odds = _log_gamma(alpha[one], state) - _log_gamma(alpha[other], state)
    odds = math.exp(min(max(log_odds, -690.0), 690.0))
    total = theta[one] + theta[other]
    change = total * (odds / (1.0 + odds)) - theta[one]
    ratio, log_ratio = 1.0, 0.0
    for v in range(len(p)):
        difference = np.float64(beta[v, one]) - np.float64(beta[v, other])
        proposed[v] = max(p[v] + change * difference, _TINY)
        factor = min(max(proposed[v] / p[v], _SMALL), _LARGE)
        # One logarithm for many words.
        for _ in range(count[v]):
            ratio *= factor
            if ratio < _SMALL or ratio > _LARGE:
                log_ratio += math.log(ratio)
                ratio = 1.0
    log_ratio += math.log(ratio)
    accepted = math.log(_uniform(state)) < log_ratio
    if accepted:
        theta[one] = max(total * (odds / (1.0 + odds)), _TINY)
        theta[other] = max(total / (1.0 + odds), _TINY)
    return accepted


# -- random numbers ----------------------------------------------------------------


@kernel
def _uniform(state):
    """A draw in (0, 1), by SplitMix64."""
    state[0] += _STEP
    bits = state[0]
    bits = (bits ^ (bits >> _30)) * _FACTOR_1
    bits = (bits ^ (bits >> _27)) * _FACTOR_2
    bits = bits ^ (bits >> _31)
    return (np.float64(bits >> _11) + 0.5) * 2.0**-53


@kernel
def _draw_below(n, state):
    """An integer from 0 to n - 1."""
    return int(_uniform(state) * n)


@kernel
def _draw_category(share, order, state):
    """An index, with the probabilities `share`."""
    rest = _uniform(state)
    for k in order:
        rest -= share[k]
        if rest <= 0.0:
            return k
    return order[-1]


@kernel
def _normal(state):
    """A standard normal draw, by the polar method."""
    while True:
        x = 2.0 * _uniform(state) - 1.0
        y = 2.0 * _uniform(state) - 1.0
        s = x * x + y * y
        if s < 1.0:
            return x * math.sqrt(-2.0 * math.log(s) / s)


@kernel
def _log_gamma(shape, state):
    """Logarithm of a Gamma(shape, 1) draw (Marsaglia & Tsang 2000)."""
    # A Gamma(a) draw is a Gamma(a + 1) draw times U ** (1 / a).
    d = shape + 2.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = _normal(state)
        v = (1.0 + c * x) ** 3
        if v <= 0.0:
            continue
        log_v, log_u = math.log(v), math.log(_uniform(state))
        if log_u < 0.5 * x * x + d * (1.0 - v + log_v):
            return math.log(d) + log_v + math.log(_uniform(state)) / shape


@kernel
def _draw_dirichlet(concentration, theta, state):
    """theta <- a draw from Dirichlet(concentration)."""
    largest = -np.inf
    for k in range(len(theta)):
        theta[k] = _log_gamma(concentration[k], state)
        largest = max(largest, theta[k])
    total = 0.0
    for k in range(len(theta)):
        theta[k] = math.exp(theta[k] - largest)
        total += theta[k]
    for k in range(len(theta)):
        theta[k] = max(theta[k] / total, _TINY)
