"""Sweeps of the chains of `mcmc` in loops over documents, which numba compiles.

Input: counts, topics, alpha and states. Output: later states. Importing this file needs
numba.
"""

from __future__ import annotations

import math

import numpy as np

from ..runtime.compiled import kernel
from .compiled_random import TINY, category, dirichlet, integer, log_gamma, uniform
from .document_noise import DocumentNoise

# Bounds of products of probabilities, far from the limits of float64.
_SMALL, _LARGE = 1e-150, 1e150


def take_sweeps(X, by_word, alpha, gamma, theta, *, n_draws, thin, seed):
    """Take n_draws x thin sweeps, and return the last and every thin-th state.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_features)
        Canonical counts, integers.
    by_word : ndarray of shape (n_features, n_topics), of float32
        The topics.
    alpha : ndarray of shape (n_documents, n_topics)
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
            beta, counts[entries], alpha[d], share, state, theta[d], thin, draws[:, d]
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
            dirichlet(concentration, theta, state)
            _predict(theta, beta, p)
            for _ in range(n_pairs):
                one = category(share, order, state)
                other = (one + 1 + integer(n_topics - 1, state)) % n_topics
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
        p[v] = max(total, TINY)


@kernel
def _draw_topics(theta, beta, count, p, order, concentration, state):
    """Draw the topic of each word, and add the words to the concentration.

    The topics are searched in the given order, which has frequent topics first.
    """
    last = len(order) - 1
    for v in range(len(p)):
        for _ in range(count[v]):
            rest = uniform(state) * p[v]
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
    log_odds = log_gamma(alpha[one], state) - log_gamma(alpha[other], state)
    odds = math.exp(min(max(log_odds, -690.0), 690.0))
    total = theta[one] + theta[other]
    change = total * (odds / (1.0 + odds)) - theta[one]
    ratio, log_ratio = 1.0, 0.0
    for v in range(len(p)):
        difference = np.float64(beta[v, one]) - np.float64(beta[v, other])
        proposed[v] = max(p[v] + change * difference, TINY)
        factor = min(max(proposed[v] / p[v], _SMALL), _LARGE)
        # One logarithm for many words.
        for _ in range(count[v]):
            ratio *= factor
            if ratio < _SMALL or ratio > _LARGE:
                log_ratio += math.log(ratio)
                ratio = 1.0
    log_ratio += math.log(ratio)
    accepted = math.log(uniform(state)) < log_ratio
    if accepted:
        theta[one] = max(total * (odds / (1.0 + odds)), TINY)
        theta[other] = max(total / (1.0 + odds), TINY)
    return accepted
