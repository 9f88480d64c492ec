"""alpha, the Dirichlet prior of the documents' topic proportions, and its learning.

Input: the number of topics, and in every step the posteriors or the held-out words of
a batch. Output: alpha. It starts unequal, a step multiplies it by a factor, and it
follows topics that are merged and split.
"""

from __future__ import annotations

import numpy as np
import torch

from ..kernels.products import at_entries, sum_by_word

# Mean of the initial alpha.
_INITIAL_MEAN = 0.1
# A topic whose alpha reaches zero could never return.
_RANGE = (1e-3, 5.0)


def initial_alpha(n_topics: int, eta) -> np.ndarray:
    """alpha before learning: 0.1 on average, falling by Zipf's law.

    An unequal start gives common words a topic of their own, which is in every
    document. Topics whose words the prior eta names (seeded topics) come last, because
    they are not about common words.

    Parameters
    ----------
    n_topics : int
    eta : ndarray broadcastable to (n_topics, n_features)
        Prior of the topics' words.
    """
    shares = 1.0 / np.arange(1, n_topics + 1)
    seeded = np.broadcast_to(np.atleast_2d(eta).sum(axis=1), n_topics)
    alpha = np.empty(n_topics)
    order = np.argsort(seeded, kind="stable")
    alpha[order] = _INITIAL_MEAN * n_topics * shares / shares.sum()
    return alpha


def posterior_ratio(gamma, alpha, batch):
    """Factor from alpha to the optimum of the bound, given the posteriors of a batch.

    The fixed point digamma(alpha_k) = digamma(sum_j alpha_j) + mean_d
    E_q[log theta_dk] (Minka 2000, eq. 9; Blei et al. 2003, A.4.2).
    """
    expected_log = torch.digamma(gamma) - torch.digamma(gamma.sum(1, keepdim=True))
    n_documents = batch.weighted(torch.ones_like(batch.lengths)).sum()
    mean = batch.weighted(expected_log).sum(0) / n_documents
    target = mean + torch.digamma(alpha.sum())
    return inverse_digamma(target) / alpha


def held_out_ratio(gamma, evidence, beta):
    """Factor by which held-out words would change alpha.

    d/dalpha_k log p(held out | observed) = sum_d [m_dk / gamma_dk - m_d / sum_j
    gamma_dj], m_dk the held-out words of topic k. It is zero where the ratio of both
    terms is one, as in the leave-one-out estimate of Minka (2000, section 4).
    """
    words, ratios = evidence.words, evidence.ratios
    if words.weights is not None:
        ratios = ratios * at_entries(words.weights, words)
    per_gamma = sum_by_word(ratios, words) @ beta
    expected = (words.weighted(words.lengths) / gamma.sum(1)).sum()
    return per_gamma / expected.clamp_min(torch.finfo(gamma.dtype).tiny)


def update(alpha, ratio, rate: float):
    """alpha after a step: alpha * ratio ** rate, within its range."""
    return (alpha * ratio**rate).clamp(*_RANGE)


def merge_and_split(alpha, moves) -> None:
    """Change alpha in place as `merge_split.merge_and_split` changed the topics."""
    for freed, twin, split in moves:
        alpha[twin] += alpha[freed]
        alpha[[freed, split]] = alpha[split] / 2


def inverse_digamma(y):
    """x with digamma(x) = y (Minka 2000, appendix C)."""
    x = torch.where(y >= -2.22, torch.exp(y) + 0.5, -1.0 / (y + 0.5772157))
    for _ in range(4):
        x = x - (torch.digamma(x) - y) / torch.polygamma(1, x)
    return x
