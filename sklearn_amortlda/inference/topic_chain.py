"""Draws from the exact posterior of the topics by Gibbs sampling.

Input: documents, and a fitted model to start from. Output: draws of beta. A sweep draws
the topic of every word given theta and beta, then theta and beta given these topics.
alpha and eta are those of the fit.
"""

from __future__ import annotations

import numpy as np

from .posterior import draw_dirichlet
from .word_topics import TopicDraws

# Sweeps before the first draw that is kept, as a share of all later sweeps, and sweeps
# per draw. With one sweep per draw 75 to 88 % of the true probabilities are in 90 %
# intervals (planted topics).
_WARM_UP, _THIN = 0.5, 5


def draw_topics(
    X, theta, topic_word, alpha, eta, *, n_samples: int, rng: np.random.Generator
):
    """Draws of the topics given the words of all documents.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_features)
        Canonical counts, integers.
    theta : ndarray of shape (n_documents, n_topics)
        Topic proportions to start from.
    topic_word : ndarray of shape (n_topics, n_features)
        Topics to start from.
    alpha : ndarray broadcastable to (n_documents, n_topics)
    eta : ndarray broadcastable to (n_topics, n_features)
    n_samples : int
    rng : numpy.random.Generator

    Returns
    -------
    beta : ndarray of shape (n_samples, n_topics, n_features), of float32
        Successive states of the chain; rows on the simplex.
    """
    draws = TopicDraws(X, topic_word, eta)
    theta = theta.astype(np.float32)
    beta = np.empty((n_samples, *topic_word.shape), np.float32)
    n_warm_up = int(np.ceil(_WARM_UP * _THIN * n_samples))
    for sweep in range(1 - n_warm_up, 1 + _THIN * n_samples):
        counts = draws.draw(theta, rng)
        theta = draw_dirichlet(counts + alpha, rng).astype(np.float32)
        if sweep > 0 and sweep % _THIN == 0:
            beta[sweep // _THIN - 1] = draws.topic_word(rng)
    return beta
