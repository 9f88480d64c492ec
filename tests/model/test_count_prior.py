"""Priors under which counts are most likely."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import digamma, gammaln

from sklearn_amortlda.model.count_prior import fit_prior, fit_symmetric_prior


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def log_likelihood(counts, prior):
    """Of the Dirichlet-multinomial distribution, up to a constant."""
    total = prior.sum()
    of_rows = gammaln(total) - gammaln(counts.sum(axis=1) + total)
    return (of_rows + (gammaln(counts + prior) - gammaln(prior)).sum(axis=1)).sum()


def converged(step, prior):
    for _ in range(100):
        prior = step(prior)
    return prior


def test_steps_are_those_of_minka(rng):
    counts, prior = rng.poisson(3, (50, 4)), np.array([0.1, 0.5, 1.0, 2.0])
    expected = prior
    for _ in range(5):
        numerator = (digamma(counts + expected) - digamma(expected)).sum(axis=0)
        total = expected.sum()
        rows = digamma(counts.sum(axis=1) + total) - digamma(total)
        expected = expected * numerator / rows.sum()
    assert_allclose(fit_prior(counts, prior), expected)


def test_fixed_point_maximizes_the_likelihood(rng):
    theta = rng.dirichlet([0.1, 0.5, 1.0], 300)
    counts = np.stack([rng.multinomial(40, row) for row in theta])
    found = converged(lambda prior: fit_prior(counts, prior), np.ones(3))
    best = log_likelihood(counts, found)
    for column in range(3):
        for factor in (0.99, 1.01):
            other = found.copy()
            other[column] *= factor
            assert log_likelihood(counts, other) < best


def test_weights_are_repetitions(rng):
    counts, prior = rng.poisson(2, (5, 3)), np.array([0.2, 0.5, 1.0])
    times = np.array([1, 3, 2, 1, 4])
    weighted = fit_prior(counts, prior, times)
    assert_allclose(weighted, fit_prior(counts.repeat(times, axis=0), prior))


@pytest.mark.parametrize("eta", [0.02, 0.1, 0.5])
def test_symmetric_prior_of_planted_topics(rng, eta):
    beta = rng.dirichlet(np.full(2000, eta), 8)
    counts = np.stack([rng.multinomial(50_000, row) for row in beta])
    known = counts[:, counts.any(axis=0)]
    for start in (0.01, 1.0):
        found = converged(lambda x: fit_symmetric_prior(known, x, 2000), start)
        assert_allclose(found, eta, rtol=0.1)


def test_symmetric_prior_maximizes_the_likelihood_of_all_columns(rng):
    counts = rng.poisson(rng.gamma(0.3, 5.0, (4, 30)))
    counts[:, 20:] = 0
    found = converged(lambda x: fit_symmetric_prior(counts[:, :20], x, 30), 0.1)
    best = log_likelihood(counts, np.full(30, found))
    for factor in (0.99, 1.01):
        assert log_likelihood(counts, np.full(30, factor * found)) < best
