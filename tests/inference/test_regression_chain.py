"""The chain of covariates' coefficients: its conditional density and its draws."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import check_grad
from scipy.sparse import csr_array
from scipy.special import gammaln

from sklearn_amortlda.inference.regression_chain import (
    Start,
    _expand,
    _Regression,
    draw_regression,
)


def planted(n_documents, coefficients, alpha, beta, seed=0):
    """Counts, covariates and topic counts of documents with a binary covariate."""
    rng = np.random.default_rng(seed)
    covariates = rng.permutation(np.repeat([[-1.0], [1.0]], n_documents // 2, axis=0))
    theta = np.array(
        [rng.dirichlet(a) for a in alpha * np.exp(covariates @ coefficients)]
    )
    topics = rng.multinomial(60, theta)
    X = np.array([sum(rng.multinomial(n, b) for n, b in zip(d, beta)) for d in topics])
    return csr_array(X), covariates, theta, topics


BETA = np.array([[0.45, 0.45, 0.05, 0.05], [0.05, 0.05, 0.45, 0.45]])
COEFFICIENTS = np.array([[0.5, -0.5]])


def conditional(seed=0):
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(30), rng.normal(size=30)])
    counts = rng.poisson(2.0, 30)
    lengths, others = counts + rng.poisson(5.0, 30), rng.gamma(1.0, 1.0, 30)
    mean, precision = np.array([-2.0, 0.0]), np.array([0.1, 1.0])
    return lambda weights: _expand(
        design, counts, lengths, others, mean, precision, weights
    )


def test_density_is_that_of_the_dirichlet_multinomial():
    alpha, n = np.array([[0.3, 0.7]]), np.array([[4, 1]])
    regression = _Regression(np.ones((1, 1)), np.log(alpha))
    (_, expand), _ = regression._conditionals(n)
    total, length = alpha.sum(), n.sum()
    exact = gammaln(total) - gammaln(total + length)
    exact += (gammaln(alpha + n) - gammaln(alpha)).sum()
    other = gammaln(0.7 + 1) - gammaln(0.7)
    prior = -0.5 * ((np.log(0.3) - np.log(0.1)) / 3.0) ** 2
    found = expand(np.log([0.3])).log_density
    assert_allclose(found, exact - other + prior)


def test_gradient_and_proposals_follow_the_density():
    expand = conditional()
    weights = np.array([-0.4, 0.3])
    error = check_grad(
        lambda w: expand(w).log_density, lambda w: expand(w).gradient, weights
    )
    assert error < 1e-4
    for _ in range(20):
        weights = expand(weights).maximum
    assert_allclose(expand(weights).gradient, 0, atol=1e-8)
    # At the maximum the proposal is the Laplace approximation.
    state = expand(weights)
    near = expand(weights + np.array([0.01, -0.01]))
    difference = state.log_proposal(near) - state.log_proposal(state)
    assert_allclose(difference, near.log_density - state.log_density, rtol=0.05)


def test_moves_leave_the_conditional_posterior_invariant():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(20, [0.3, 0.7], 40)
    regression = _Regression(np.ones((40, 1)), np.log([[0.5, 1.0]]))
    draws = []
    for sweep in range(1500):
        regression.move(counts, rng)
        if sweep >= 100:
            draws.append(regression.weights.ravel().copy())
    # The exact posterior on a grid.
    grid = np.linspace(-3.0, 8.0, 221)
    first, second = np.meshgrid(grid, grid, indexing="ij")
    log_p = -0.5 * sum(((w - np.log(0.1)) / 3) ** 2 for w in (first, second))
    a, b = np.exp(first), np.exp(second)
    for n, m in counts:
        log_p += gammaln(a + b) - gammaln(a + b + 20)
        log_p += gammaln(a + n) - gammaln(a) + gammaln(b + m) - gammaln(b)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    difference = first - second
    mean = (p * difference).sum()
    deviation = np.sqrt((p * (difference - mean) ** 2).sum())
    found = np.diff(draws, axis=1)
    assert_allclose(-found.mean(), mean, atol=0.2 * deviation)
    assert_allclose(found.std(), deviation, rtol=0.15)


def start(theta, coefficients=None):
    zeros = np.zeros((1, 2))
    return Start(
        theta=theta,
        topic_word=BETA,
        eta=np.asarray(0.5),
        alpha=np.full(2, 0.1),
        coefficients=zeros if coefficients is None else coefficients,
    )


@pytest.fixture(scope="module")
def documents():
    return planted(400, COEFFICIENTS, 0.5, BETA)


def test_draws_are_around_the_true_coefficients(documents):
    X, covariates, theta, _ = documents
    rng = np.random.default_rng(0)
    draws = draw_regression(X, covariates, start(theta), n_draws=60, rng=rng)
    assert draws.shape == (60, 2, 2)
    difference = draws[:, 1, 0] - draws[:, 1, 1]
    assert abs(difference.mean() - 1.0) < 3 * difference.std()
    assert 0.02 < difference.std() < 0.2


def test_far_start_ends_at_the_same_place(documents):
    X, covariates, theta, _ = documents
    far = np.array([[-3.0, 3.0]])
    draws = draw_regression(
        X, covariates, start(theta, far), n_draws=60, rng=np.random.default_rng(1)
    )
    difference = draws[:, 1, 0] - draws[:, 1, 1]
    assert abs(difference.mean() - 1.0) < 4 * difference.std()


def test_equal_seeds_give_equal_draws(documents):
    X, covariates, theta, _ = documents
    one, two = (
        draw_regression(
            X[:50],
            covariates[:50],
            start(theta[:50]),
            n_draws=20,
            rng=np.random.default_rng(3),
        )
        for _ in range(2)
    )
    assert_array_equal(one, two)
