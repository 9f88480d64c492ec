"""alpha, the Dirichlet prior of the documents' topic proportions, and its learning.

Input: the number of topics, and in every step the posteriors or the held-out words of
a batch. Output: alpha. The initial alpha is unequal. A step multiplies alpha by a
factor. A merge adds values of alpha, and a split halves a value.
"""

from __future__ import annotations

import numpy as np
import torch

from ..kernels.products import at_entries, sum_by_word

# Mean of the initial alpha, and the largest sum of it: a number, and a share of the
# words of a mean document. A large sum would outweigh short documents for as long as
# alpha takes to fall (AGNews, 2,667 documents, K = 200: perplexity 1932 without the
# largest sum, 1403 with it, 1482 with alpha fixed at 0.02).
_INITIAL_MEAN = 0.1
_MAX_INITIAL_SUM = 5.0
_MAX_INITIAL_SHARE = 1 / 8
# Range of alpha; a topic whose alpha is zero would get no more words.
_RANGE = (1e-3, 5.0)


def initial_alpha(n_topics: int, eta, mean_length: float | None = None) -> np.ndarray:
    """alpha before learning: at most 0.1 on average, falling by Zipf's law.

    With unequal values the common words get a topic of their own, which is in every
    document. Topics with a larger sum of eta (seeded topics) get the smallest values,
    because their words are not the common words.

    Parameters
    ----------
    n_topics : int
    eta : ndarray broadcastable to (n_topics, n_features)
        Prior of the topics' words.
    mean_length : float, default=None
        Mean number of words of the documents.
    """
    total = min(_INITIAL_MEAN * n_topics, _MAX_INITIAL_SUM)
    if mean_length is not None:
        total = min(total, _MAX_INITIAL_SHARE * mean_length)
    shares = 1.0 / np.arange(1, n_topics + 1)
    seeded = np.broadcast_to(np.atleast_2d(eta).sum(axis=1), n_topics)
    alpha = np.empty(n_topics)
    order = np.argsort(seeded, kind="stable")
    alpha[order] = total * shares / shares.sum()
    return clip(alpha)


def clip(alpha):
    """alpha within its range."""
    return np.clip(alpha, *_RANGE)


def clip_tensor(alpha):
    """A tensor of alpha within its range."""
    return alpha.clamp(*_RANGE)


def clip_around(values, alpha):
    """Values of alpha within the range, or between the range and a given alpha."""
    lowest, highest = _RANGE
    return values.clamp(alpha.clamp_max(lowest), alpha.clamp_min(highest))


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
    gamma_dj], where m_dk is the expected number of held-out words of topic k. The
    result is the ratio of the two terms. A ratio of 1 makes the derivative zero, as in
    the leave-one-out estimate of Minka (2000, section 4).
    """
    words = evidence.words
    per_document = words.weighted(1.0 / gamma.sum(1))
    ratios = evidence.ratios * at_entries(per_document, words)
    per_gamma = sum_by_word(ratios, words) @ beta
    expected = (per_document * words.lengths).sum()
    return per_gamma / expected.clamp_min(torch.finfo(gamma.dtype).tiny)


def update(alpha, ratio, rate: float):
    """alpha after a step: alpha * ratio ** rate, within its range."""
    return clip_tensor(alpha * ratio**rate)


def merge_and_split(alpha, moves) -> None:
    """Apply the moves of `merge_split.merge_and_split` to alpha, in place."""
    for freed, twin, split in moves:
        alpha[twin] += alpha[freed]
        alpha[[freed, split]] = alpha[split] / 2


def inverse_digamma(y):
    """x with digamma(x) = y (Minka 2000, appendix C)."""
    x = torch.where(y >= -2.22, torch.exp(y) + 0.5, -1.0 / (y + 0.5772157))
    for _ in range(4):
        x = x - (torch.digamma(x) - y) / torch.polygamma(1, x)
    return x
