"""Sufficient statistics of a batch, against loops over its words."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import digamma
from small import dense, relaxed, split_batches

from sklearn_amortlda.model import statistics
from sklearn_amortlda.model.distributions import geometric_mean
from sklearn_amortlda.model.doc_topic_prior import posterior_ratio
from sklearn_amortlda.model.likelihood import BagOfWords


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def problem(rng, *, split, weights=None):
    """A batch with an empty document, its gamma, and topics."""
    X = rng.poisson(0.8, (6, 9))
    X[2] = 0
    alpha = torch.tensor([0.2, 0.5, 1.0], dtype=torch.float64)
    batch = next(split_batches(X, weights, split=split))
    n_words = batch.whole.shape[1]
    beta = torch.tensor(rng.dirichlet(np.ones(n_words), 3).T.copy())
    gamma = alpha + torch.tensor(rng.gamma(1.0, 2.0, (6, 3)))
    return batch, gamma, beta, alpha


def gradient(found, batch):
    """The gradient in beta, where documents have weights 1 and 2 alternately."""
    weights = torch.tensor([1.0, 2.0] * batch.shape[0], dtype=torch.float64)
    weights = weights[: batch.shape[0]]
    return weights.numpy(), found.evidence.beta_gradient(weights).numpy()


def e_step(X, beta, alpha, theta_weights):
    """One step of the E-step, word by word."""

    def step(gamma):
        theta, result = theta_weights(gamma), np.tile(alpha, (len(X), 1))
        for d, v in np.argwhere(X):
            result[d] += X[d, v] * theta[d] * beta[v] / (theta[d] @ beta[v])
        return result

    return step


@pytest.mark.parametrize("n_refine", [0, 1, 3])
def test_bound_statistics_are_the_derivative_of_the_likelihood(
    rng, n_refine, monkeypatch
):
    monkeypatch.setattr(statistics, "N_REFINE", n_refine)
    batch, gamma, beta, alpha = problem(rng, split=False)
    whole = batch.whole
    found = statistics.bound_statistics(gamma, batch, beta, alpha)
    weights, ours = gradient(found, whole)
    step = e_step(
        dense(whole),
        beta.numpy(),
        alpha.numpy(),
        lambda g: np.exp(digamma(g) - digamma(g.sum(axis=1, keepdims=True))),
    )
    gamma = torch.as_tensor(relaxed(gamma.numpy(), step, n_refine))
    beta = beta.clone().requires_grad_()
    log_p = BagOfWords(geometric_mean(gamma), beta.t(), whole).log_prob(whole.counts)
    (expected,) = torch.autograd.grad(log_p @ torch.tensor(weights), beta)
    assert_allclose(ours, expected)
    expected = posterior_ratio(gamma, alpha, whole)
    assert_allclose(found.alpha_ratio, expected)


@pytest.mark.parametrize("n_refine", [0, 1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_completion_statistics_are_those_of_the_held_out_half(
    rng, n_refine, weighted, monkeypatch
):
    monkeypatch.setattr(statistics, "N_REFINE", n_refine)
    sample_weight = rng.uniform(0.5, 2.0, 6) if weighted else None
    batch, gamma, beta, alpha = problem(rng, split=True, weights=sample_weight)
    found = statistics.completion_statistics(gamma, batch, beta, alpha)
    weights, ours = gradient(found, batch.whole)
    observed, held_out = dense(batch.observed), dense(batch.held_out)
    assert_allclose(observed + held_out, dense(batch.whole))
    beta, gamma = beta.numpy(), gamma.numpy()
    step = e_step(observed, beta, alpha.numpy(), lambda g: g)
    gamma = relaxed(gamma, step, n_refine)
    times = np.ones(6) if batch.whole.weights is None else batch.whole.weights.numpy()
    scale = (times @ dense(batch.whole)).sum() / (times @ held_out).sum()
    expected, per_topic, per_total = np.zeros_like(ours), np.zeros(3), 0.0
    for d, v in np.argwhere(held_out):
        r = gamma[d] * beta[v] / (gamma[d] @ beta[v])
        expected[v] += scale * weights[d] * held_out[d, v] * r / beta[v]
        per_topic += times[d] * held_out[d, v] * r / gamma[d]
        per_total += times[d] * held_out[d, v] / gamma[d].sum()
    assert_allclose(ours, expected, rtol=1e-10)
    assert_allclose(found.alpha_ratio, per_topic / per_total, rtol=1e-10)


def test_draw_statistics_leave_the_derivative_to_the_likelihood(rng):
    batch, gamma, beta, alpha = problem(rng, split=False)
    found = statistics.draw_statistics(gamma, batch, beta, alpha)
    assert found.evidence is None
    assert_allclose(found.alpha_ratio, posterior_ratio(gamma, alpha, batch.whole))
