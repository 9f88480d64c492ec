"""eta, the Dirichlet prior of the topics' words, and its learning.

Input: the expected counts of the topics. Output: eta as one number.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import digamma

from .topics import Topics

# Start and range of a learned eta.
INITIAL_ETA = 0.03
_RANGE = (1e-4, 10.0)


def learn_eta(topics: Topics) -> None:
    """One fixed-point step of a symmetric eta at the present expected counts.

    eta <- eta E[sum_kv psi(n_kv + eta) - psi(eta)] / V sum_k [psi(n_k + V eta) -
    psi(V eta)] (Minka 2000, eq. 55), n_kv the occurrences of word v in topic k. An
    expected count of 0.1 is mostly no occurrence at all, so the expectation is that of
    a Poisson number's positive part (Teh et al. 2008, section 3.2). psi at the expected
    count itself gives an eta up to four times too large.
    """
    eta, n_features = float(topics.prior), topics.n_features
    psi_eta, psi_total = digamma(eta), digamma(n_features * eta)
    numerator = 0.0
    # Words that have not occurred add nothing.
    for words in topics.known_words():
        counts = topics.expected_counts(words).cpu().double().clamp_min_(1e-12)
        positive = -torch.expm1(-counts)
        psi = torch.digamma(counts / positive + eta)
        numerator += float((positive * (psi - psi_eta)).sum())
    totals = torch.digamma(topics.total.cpu().double()) - psi_total
    denominator = n_features * float(totals.sum())
    if denominator > 0.0:
        topics.set_prior(np.asarray(np.clip(eta * numerator / denominator, *_RANGE)))
