"""Corpora that are drawn from LDA, so that the true topics are known."""

import os

# Before torch is imported: a second thread slows models of this size down.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import scipy.sparse as sp


def draw_corpus(n_samples, n_topics, n_features, length, *, alpha=0.1, seed=0):
    """Counts drawn from LDA, its topics, and the documents' topic proportions."""
    rng = np.random.default_rng(seed)
    beta = rng.dirichlet(np.full(n_features, 0.05), n_topics)
    theta = rng.dirichlet(np.full(n_topics, alpha), n_samples)
    words = theta @ beta
    words /= words.sum(axis=1, keepdims=True)
    counts = [rng.multinomial(rng.poisson(length), p) for p in words]
    return sp.csr_matrix(np.array(counts)), beta, theta


@pytest.fixture(scope="session")
def corpus():
    """300 short documents of 5 topics over 60 words."""
    return draw_corpus(300, 5, 60, 40)[0]
