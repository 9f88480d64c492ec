"""eta, the Dirichlet prior of the topics' words, learned as one number.

Input: the expected counts of the topics. Output: a new eta, stored in `Topics`.
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
    """Take one fixed-point step of a symmetric eta at the present expected counts.

    eta <- eta E[sum_kv psi(n_kv + eta) - psi(eta)] / V sum_k [psi(n_k + V eta) -
    psi(V eta)] (Minka 2000, eq. 55), where n_kv is the number of occurrences of word v
    in topic k. The expectation treats n_kv as a Poisson variable: psi is taken at its
    mean given n_kv > 0, and weighted by P(n_kv > 0) (Teh et al. 2008, section 3.2).
    psi at the expected count itself would overestimate eta, because an expected count
    of 0.1 usually means no occurrence.
    """
    eta, n_features = float(topics.prior), topics.n_features
    psi_eta, psi_total = digamma(eta), digamma(n_features * eta)
    numerator = 0.0
    # Words that have not occurred have terms of zero.
    for words in topics.known_words():
        counts = topics.expected_counts(words).cpu().double().clamp_min_(1e-12)
        positive = -torch.expm1(-counts)
        psi = torch.digamma(counts / positive + eta)
        numerator += float((positive * (psi - psi_eta)).sum())
    totals = torch.digamma(topics.total.cpu().double()) - psi_total
    denominator = n_features * float(totals.sum())
    if denominator > 0.0:
        topics.set_prior(np.asarray(np.clip(eta * numerator / denominator, *_RANGE)))
