"""The fixed-point steps of the E-step: classical, monotone, and faster if relaxed."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import dense, one_batch
from torch.distributions import Dirichlet, kl_divergence

from sklearn_amortlda.inference.bounds import document_bound
from sklearn_amortlda.model.distributions import arithmetic_mean, geometric_mean
from sklearn_amortlda.model.e_step import RELAXATION, refine


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_plain_steps_are_the_classical_e_step(rng):
    X = rng.poisson(0.8, (6, 9))
    X[2] = 0
    batch = one_batch(X)
    alpha = torch.tensor([0.2, 0.5, 1.0], dtype=torch.float64)
    beta = torch.tensor(rng.dirichlet(np.ones(batch.shape[1]), 3).T.copy())
    gamma = alpha + torch.tensor(rng.gamma(1.0, 2.0, (6, 3)))
    ours = refine(gamma, batch, beta, alpha, arithmetic_mean, 2)
    X, beta, expected = dense(batch), beta.numpy(), gamma.numpy()
    for _ in range(2):
        responsibilities = expected[:, None] * beta
        responsibilities /= responsibilities.sum(axis=2, keepdims=True)
        expected = alpha.numpy() + (X[:, :, None] * responsibilities).sum(axis=1)
    assert_allclose(ours, expected)


def test_no_step_returns_gamma(rng):
    batch = one_batch(rng.poisson(0.7, (3, 5)))
    gamma = torch.tensor(rng.gamma(1.0, 1.0, (3, 2)))
    assert refine(gamma, batch, None, None, arithmetic_mean, 0) is gamma


def test_plain_step_with_geometric_means_never_lowers_the_bound(rng):
    batch = one_batch(rng.poisson(0.7, (30, 20)))
    beta = torch.tensor(rng.dirichlet(np.full(batch.shape[1], 0.1), 4).T + 1e-12)
    for _ in range(50):
        alpha = torch.tensor(rng.gamma(0.5, 1.0, 4) + 1e-3)
        gamma = alpha + torch.tensor(rng.gamma(0.1, 50.0, (30, 4)))
        bounds = [document_bound(gamma, batch, beta, alpha)]
        for _ in range(5):
            gamma = refine(gamma, batch, beta, alpha, geometric_mean, 1)
            bounds.append(document_bound(gamma, batch, beta, alpha))
        rise = torch.stack(bounds).diff(dim=0)
        assert rise.min() > -1e-10
    assert rise.max() > 1e-6


def test_bound_is_stationary_after_convergence(rng):
    batch = one_batch(rng.poisson(0.7, (10, 20)))
    beta = torch.tensor(rng.dirichlet(np.full(batch.shape[1], 0.3), 3).T.copy())
    alpha = torch.tensor([0.3, 0.5, 1.0], dtype=torch.float64)
    start = alpha + torch.ones(10, 1).double()
    gamma = refine(start, batch, beta, alpha, geometric_mean, 2000).requires_grad_()
    log_p = torch.log(geometric_mean(gamma) @ beta.T)
    kl = kl_divergence(Dirichlet(gamma), Dirichlet(alpha.expand(10, 3)))
    bound = (torch.tensor(dense(batch)) * log_p).sum(1) - kl
    assert_allclose(document_bound(gamma.detach(), batch, beta, alpha), bound.detach())
    assert_allclose(torch.autograd.grad(bound.sum(), gamma)[0], 0.0, atol=1e-6)


def test_relaxed_steps_come_closer_to_the_same_fixed_point(rng):
    batch = one_batch(rng.poisson(0.7, (40, 30)))
    beta = torch.tensor(rng.dirichlet(np.full(batch.shape[1], 0.2), 4).T + 1e-6)
    alpha = torch.full((4,), 0.1, dtype=torch.float64)

    def theta(gamma, n_steps, relaxation):
        gamma = refine(gamma, batch, beta, alpha, arithmetic_mean, n_steps, relaxation)
        return gamma, gamma / gamma.sum(1, keepdim=True)

    start = alpha + torch.tensor(rng.gamma(1.0, 5.0, (40, 4)))
    fixed, goal = theta(start, 5000, 1.0)
    assert_allclose(theta(fixed, 3, RELAXATION)[1], goal, atol=1e-8)
    distance = {
        steps: float((theta(start, *steps)[1] - goal).abs().mean())
        for steps in [(3, 1.0), (5, 1.0), (3, RELAXATION)]
    }
    assert distance[3, RELAXATION] < 0.8 * distance[3, 1.0]
    assert distance[3, RELAXATION] < 1.2 * distance[5, 1.0]
