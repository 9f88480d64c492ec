"""Bounds of documents in float32, and the divergence of the topics."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import F64, one_batch
from torch.distributions import Dirichlet, kl_divergence

from sklearn_amortlda.inference.bounds import document_bound, topics_kl
from sklearn_amortlda.model.distributions import arithmetic_mean
from sklearn_amortlda.model.topics import Topics


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_bound_of_a_very_large_gamma_in_float32_is_that_of_float64(rng):
    # The encoder's output may be large; the divergence is off by 1,000 nats in float32.
    batch = one_batch(rng.poisson(1.0, (8, 30)))
    beta = torch.tensor(rng.dirichlet(np.ones(batch.shape[1]), 5).T.copy())
    gamma = torch.tensor(rng.gamma(1.0, 1e8, (8, 5)))
    alpha = torch.full((5,), 0.1, dtype=torch.float64)
    double = document_bound(gamma, batch, beta, alpha)
    batch = batch.with_counts(batch.counts.float())
    single = document_bound(gamma.float(), batch, beta.float(), alpha.float())
    assert_allclose(single, double, atol=0.01)


@pytest.mark.parametrize("eta", [0.01, np.linspace(0.1, 1, 30_000)])
def test_divergence_of_the_topics_is_that_of_torch(rng, eta):
    lam = rng.gamma(0.5, 1.0, (3, 30_000)) + 0.01
    topics = Topics(lam, eta, **F64)
    prior = Dirichlet(torch.tensor(np.broadcast_to(eta, 30_000).copy()))
    expected = kl_divergence(Dirichlet(torch.tensor(lam)), prior).sum()
    assert_allclose(topics_kl(topics), expected)
    rows = topics.gather(torch.arange(5), arithmetic_mean)
    topics.interpolate(rows, torch.ones(5, 3).double(), 0.3)
    expected = kl_divergence(Dirichlet(torch.tensor(topics.components())), prior)
    assert_allclose(topics_kl(topics), expected.sum())
