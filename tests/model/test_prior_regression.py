"""Dirichlet-multinomial regression: derivatives, changes, and moves of topics."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import F64, dense, one_batch

from sklearn_amortlda.model import prior_regression
from sklearn_amortlda.model.distributions import DirichletPrior, LogisticNormal
from sklearn_amortlda.model.statistics import TopicEvidence


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tensor(values):
    return torch.tensor(values, **F64)


def test_alpha_of_documents_is_log_linear_within_its_range():
    alpha = prior_regression.alpha_of_documents(
        tensor([0.1, 0.2]), tensor([[1.0, -9.0]]), tensor([[0.0], [1.0], [-1.0]])
    )
    expected = [[0.1, 0.2], [0.1 * np.e, 1e-3], [0.1 / np.e, 5.0]]
    assert_allclose(alpha, expected)


def test_posterior_derivatives_are_those_of_the_prior(rng):
    alpha = tensor(rng.gamma(1.0, 0.3, (6, 4)) + 0.01).requires_grad_()
    gamma = tensor(rng.gamma(1.0, 5.0, (6, 4)) + 0.1)
    expected_log = torch.digamma(gamma) - torch.digamma(gamma.sum(1, keepdim=True))
    prior = torch.lgamma(alpha.sum(1)) - torch.lgamma(alpha).sum(1)
    prior = prior + ((alpha - 1) * expected_log).sum(1)
    (slope,) = torch.autograd.grad(prior.sum(), alpha)
    found, curvature = prior_regression.posterior_derivatives(gamma, alpha.detach())
    assert_allclose(found, (alpha * slope).detach())
    assert (curvature > 0).all()


def test_held_out_derivatives_are_those_of_the_held_out_words(rng):
    X = rng.poisson(2.0, (5, 7)).astype(float)
    batch = one_batch(X)
    n_words = batch.shape[1]
    beta = tensor(rng.dirichlet(np.full(n_words, 0.5), 3).T + 1e-3)
    observed = tensor(rng.gamma(1.0, 5.0, (5, 3)))
    alpha = tensor(rng.gamma(1.0, 0.5, (5, 3)) + 0.05).requires_grad_()
    # Given the counts of the observed words, theta has the mean gamma / sum(gamma).
    gamma = alpha + observed
    theta = gamma / gamma.sum(1, keepdim=True)
    counts = tensor(dense(batch))
    log_p = (counts * torch.log(theta @ beta.T)).sum()
    (slope,) = torch.autograd.grad(log_p, alpha)
    gamma, theta = gamma.detach(), theta.detach()
    evidence = TopicEvidence.of(batch, theta, beta)
    found, curvature = prior_regression.held_out_derivatives(
        gamma, evidence, beta, alpha.detach()
    )
    assert_allclose(found, (alpha * slope).detach())
    assert (curvature > 0).all()


def with_covariates(batch, values):
    return replace(batch, covariates=tensor(values))


def test_changes_sum_over_weighted_documents(rng):
    derivatives, curvatures = tensor(rng.normal(size=(4, 3))), tensor(np.ones((4, 3)))
    covariates = rng.normal(size=(4, 2))
    batch = one_batch(np.ones((4, 1)), np.array([1.0, 2.0, 3.0, 1.0]))
    batch = with_covariates(batch, covariates)
    factor, gradient = prior_regression.changes(derivatives, curvatures, batch)
    times = batch.weights.long()
    repeated = with_covariates(
        one_batch(np.ones((7, 1))), np.repeat(covariates, times, axis=0)
    )
    expected = prior_regression.changes(
        derivatives.repeat_interleave(times, 0),
        curvatures.repeat_interleave(times, 0),
        repeated,
    )
    assert_allclose(factor, expected[0])
    assert_allclose(gradient, expected[1])
    mean = (batch.weights[:, None] * derivatives).sum(0) / 7
    assert_allclose(factor, torch.exp(mean.clamp(-2, 2)))


def test_prior_of_the_coefficients_pulls_them_to_zero():
    gradient = prior_regression.loss_gradient(
        torch.zeros(1, 2), torch.tensor([[2.0, -2.0]]), total_weight=4.0
    )
    assert_allclose(gradient, [[0.5, -0.5]])


def test_freed_topic_has_the_coefficients_of_the_split_one():
    coefficients = torch.tensor([[1.0, 2.0, 3.0]])
    prior_regression.merge_and_split(coefficients, [(0, 1, 2)])
    assert_allclose(coefficients, [[3.0, 2.0, 3.0]])


@pytest.mark.parametrize("prior", [DirichletPrior, LogisticNormal.laplace])
def test_prior_of_each_document_equals_one_prior_for_all(prior, rng):
    alpha = tensor(rng.gamma(1.0, 0.5, 3) + 0.1)
    theta = tensor(rng.dirichlet(np.ones(3), 5))
    assert_allclose(
        prior(alpha.expand(5, 3)).log_prob(theta),
        prior(alpha).expand([5]).log_prob(theta),
    )


def test_marginal_prior_has_the_moments_of_the_documents(rng):
    alpha = rng.gamma(1.0, 1.0, (3, 4)) + 0.1
    weights = np.array([1.0, 2.0, 1.0])
    sums = prior_regression.moment_sums(tensor(alpha), tensor(weights))
    marginal = prior_regression.marginal_alpha(sums).numpy()
    theta = np.concatenate(
        [rng.dirichlet(a, 20_000 * int(w)) for a, w in zip(alpha, weights)]
    )
    assert_allclose(marginal / marginal.sum(), theta.mean(axis=0), atol=0.01)
    mean, total = marginal / marginal.sum(), marginal.sum()
    variance = mean * (1 - mean) / (total + 1)
    assert_allclose(variance.sum(), theta.var(axis=0).sum(), rtol=0.02)


@pytest.mark.parametrize("alpha", [[0.2, 0.5, 1.0], [0.3], [20.0, 1e-5]])
def test_marginal_of_equal_priors_is_that_prior(alpha):
    alpha = torch.tensor([alpha]).repeat(7, 1)
    sums = prior_regression.moment_sums(alpha)
    assert_allclose(prior_regression.marginal_alpha(sums), alpha[0], rtol=1e-5)
