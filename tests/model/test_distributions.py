"""Divergences, densities, moments and draws of the distributions over the simplex."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import digamma, polygamma
from scipy.stats import beta as beta_distribution
from scipy.stats import dirichlet
from torch.autograd import gradcheck
from torch.distributions import Dirichlet, kl_divergence

from sklearn_amortlda.model.distributions import (
    DirichletPrior,
    LogisticNormal,
    PointDirichlet,
    TopicWords,
    dirichlet_kl,
    geometric_mean,
)
from sklearn_amortlda.model.objectives import Sampled


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# -- divergences and densities --------------------------------------------------------


def topic_words(rng, n_seen, n_features=8, n_topics=3, smallest=0.1):
    lam, eta = rng.gamma(1.0, 1.0, (2, n_topics, n_features)) + smallest
    q, p = (
        TopicWords(
            torch.tensor(x[:, :n_seen].copy()), torch.tensor(x.sum(1)), n_features
        )
        for x in (lam, eta)
    )
    full = kl_divergence(Dirichlet(torch.tensor(lam)), Dirichlet(torch.tensor(eta)))
    return q, p, full, lam


@pytest.mark.parametrize("n_seen", [1, 4, 6, 7, 8])
def test_divergence_of_a_marginal_is_below_the_whole_or_equal_with_all_words(
    rng, n_seen
):
    q, p, full, _ = topic_words(rng, n_seen)
    marginal = kl_divergence(q, p)
    # With 7 of 8 words the entry for all other words is the eighth word.
    if n_seen >= 7:
        assert_allclose(marginal, full)
    else:
        assert (marginal < full).all() and (marginal > 0).all()


def test_density_of_a_marginal_integrates_the_other_words_out(rng):
    q, _, _, lam = topic_words(rng, 2, n_features=4, smallest=1.0)
    seen = np.array([0.2, 0.3])
    for k in range(3):

        def density(x, k=k):
            return dirichlet.pdf([*seen, x, 0.5 - x], lam[k])

        expected, _ = quad(density, 0, 0.5, epsabs=0, epsrel=1e-7)
        assert_allclose(q.log_prob(torch.tensor(seen))[k], np.log(expected), rtol=1e-5)


def test_topic_words_of_another_batch_shape_raise(rng):
    q, *_ = topic_words(rng, 4)
    assert q.expand((3,)) is q
    with pytest.raises(ValueError, match=r"Cannot expand batch_shape \(3,\) to \(5,\)"):
        q.expand((5,))


def test_divergences_are_those_of_monte_carlo():
    gamma, alpha = torch.tensor([[0.5, 2.0, 5.0]]), torch.tensor([0.3, 0.3, 0.3])
    dirichlets = PointDirichlet(gamma, gamma), DirichletPrior(alpha)
    normals = LogisticNormal.laplace(gamma), LogisticNormal.laplace(alpha[None])
    # The softmax of both Gaussians is the same, and so is the divergence.
    gaussians = [torch.distributions.Normal(x.mu, x.sigma) for x in normals]
    cases = [
        (dirichlets, (Dirichlet(gamma), Dirichlet(alpha))),
        (normals, [torch.distributions.Independent(x, 1) for x in gaussians]),
    ]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for (q, p), (drawn, reference) in cases:
            x = drawn.sample((200_000,))
            ratios = drawn.log_prob(x) - reference.log_prob(x)
            error = float(ratios.std()) / np.sqrt(len(ratios))
            assert abs(float(kl_divergence(q, p)) - float(ratios.mean())) < 4 * error


def test_gradient_of_the_dirichlet_divergence_is_that_of_torch(rng):
    gamma = torch.tensor(rng.gamma(1.0, 5.0, (6, 4)) + 0.01, requires_grad=True)
    alpha = torch.tensor(rng.uniform(0.1, 1.0, 4))
    weights = torch.tensor(rng.uniform(0.5, 2.0, 6))
    expected = kl_divergence(Dirichlet(gamma), Dirichlet(alpha.expand(6, 4)))
    for ours in (
        dirichlet_kl(gamma, alpha),
        kl_divergence(Dirichlet(gamma), DirichletPrior(alpha).expand((6,))),
    ):
        assert_allclose(ours.detach(), expected.detach())
        (slope,) = torch.autograd.grad(ours @ weights, gamma)
        (reference,) = torch.autograd.grad(expected @ weights, gamma, retain_graph=True)
        assert_allclose(slope, reference)


def test_density_of_the_prior_is_that_of_torch(rng):
    alpha = torch.tensor(rng.uniform(0.1, 2.0, 4))
    theta = torch.tensor(rng.dirichlet(np.ones(4), 6))
    expected = Dirichlet(alpha).log_prob(theta)
    assert_allclose(DirichletPrior(alpha).expand((6,)).log_prob(theta), expected)


# -- moments --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "concentration, mean_error, variance_error",
    [(100.0, 0.005, 0.01), (10.0, 0.05, 0.1), (1.0, 0.6, 0.6), (0.1, 8.0, 0.95)],
)
def test_laplace_moments_are_close_for_large_concentrations_only(
    concentration, mean_error, variance_error
):
    # Moments of the centred logarithms; the approximation is good from 10 on.
    alpha = concentration * np.array([0.5, 1.0, 1.5])
    laplace = LogisticNormal.laplace(torch.tensor(alpha))
    mean = digamma(alpha) - digamma(alpha).mean()
    variance = polygamma(1, alpha) / 3 + polygamma(1, alpha).sum() / 9
    error = np.abs(laplace.mu.numpy() - mean).max()
    assert mean_error / 3 < error < mean_error
    error = np.abs(laplace.sigma.numpy() ** 2 / variance - 1).max()
    assert variance_error / 3 < error < variance_error


@pytest.mark.parametrize("mass", [3.0, 30.0, 3e4])
def test_geometric_mean_is_the_exponential_of_the_expected_logarithm(mass):
    gamma = mass * np.array([0.2, 0.3, 0.5])
    # The marginal of an entry of a Dirichlet is Beta(gamma, total - gamma).
    expected = [beta_distribution(g, mass - g).expect(np.log) for g in gamma]
    ours = torch.log(geometric_mean(torch.tensor(gamma)))
    assert_allclose(ours, expected, rtol=1e-5)
    assert_allclose(ours, digamma(gamma) - digamma(mass), rtol=1e-9)


# -- draws ----------------------------------------------------------------------------


@pytest.mark.parametrize("concentration", [0.05, 1.0, 30.0])
def test_draws_of_the_sampled_posterior_are_those_of_torch(rng, concentration):
    alpha = torch.tensor(rng.uniform(0.5, 1.5, (200, 4)) * concentration)
    cotangent = torch.tensor(rng.normal(size=(200, 4)))
    results = []
    with torch.random.fork_rng():
        for distribution in (
            Sampled.posterior(None, alpha.requires_grad_()),
            Dirichlet(alpha),
        ):
            torch.manual_seed(3)
            draw = distribution.rsample()
            results.append([draw, *torch.autograd.grad(draw, alpha, cotangent)])
    for ours, theirs in zip(*results):
        assert torch.equal(ours, theirs)


def test_pathwise_gradient_of_a_dirichlet_moment_is_its_closed_form():
    # d/dalpha E[sum_k w_k theta_k^2].
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    alpha = torch.tensor([0.3, 1.0, 2.5], dtype=torch.float64, requires_grad=True)
    total = alpha.sum()
    moment = (weights * alpha * (alpha + 1) / (total * (total + 1))).sum()
    (expected,) = torch.autograd.grad(moment, alpha)
    each = alpha.detach().expand(400_000, 3).clone().requires_grad_()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        draws = Sampled.posterior(None, each).rsample()
    (gradients,) = torch.autograd.grad((weights * draws**2).sum(), each)
    error = gradients.std(0) / np.sqrt(len(each))
    assert (((gradients.mean(0) - expected) / error).abs() < 4).all()
    assert (error < 2e-3).all()


def test_gradient_through_a_logistic_normal_draw_is_a_finite_difference(rng):
    mu = torch.tensor(rng.normal(size=(4, 3)), requires_grad=True)
    sigma = torch.tensor(rng.uniform(0.2, 2, (4, 3)), requires_grad=True)

    def draw(mu, sigma):
        torch.manual_seed(0)
        return LogisticNormal(mu, sigma).rsample()

    with torch.random.fork_rng():
        assert gradcheck(draw, (mu, sigma))
