"""DirichletPosterior: moments, intervals and samples against SciPy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.utils import check_random_state

from sklearn_amortlda.inference.posterior import DirichletPosterior

CONCENTRATION = np.array([[8.0, 1.0, 0.5], [0.02, 300.0, 40.0]])


@pytest.fixture
def posterior():
    return DirichletPosterior(CONCENTRATION)


def test_moments_equal_those_of_scipy(posterior):
    for row, parameters in enumerate(CONCENTRATION):
        exact = stats.dirichlet(parameters)
        assert_allclose(posterior.mean[row], exact.mean())
        assert_allclose(posterior.std[row], np.sqrt(exact.var()))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_both_tails_of_an_interval_have_equal_probability(posterior, level):
    lower, upper = posterior.interval(level)
    rest = CONCENTRATION.sum(axis=1, keepdims=True) - CONCENTRATION
    marginal = stats.beta(CONCENTRATION, rest)
    assert_allclose(marginal.cdf(upper) - marginal.cdf(lower), level, atol=1e-9)
    assert_allclose(marginal.sf(upper), (1 - level) / 2, rtol=1e-6)


def test_samples_have_the_moments_of_the_posterior(posterior):
    samples = posterior.sample(20_000, random_state=0)
    assert samples.shape == (20_000, 2, 3)
    assert_allclose(samples.sum(axis=2), 1.0)
    error = 4 * posterior.std / np.sqrt(len(samples))
    assert np.all(np.abs(samples.mean(axis=0) - posterior.mean) < error)
    assert_allclose(samples.std(axis=0), posterior.std, rtol=0.1)


def test_samples_of_tiny_parameters_are_on_the_simplex():
    samples = DirichletPosterior(np.full((1, 50), 1e-4)).sample(200, random_state=0)
    assert np.all(np.isfinite(samples))
    assert_allclose(samples.sum(axis=2), 1.0)


def test_samples_follow_random_state_and_not_the_global_state(posterior):
    state = check_random_state(None).get_state()[1].copy()
    first, second, other = (posterior.sample(3, seed) for seed in (0, 0, 1))
    assert_array_equal(first, second)
    assert np.any(first != other)
    posterior.interval()
    assert_array_equal(check_random_state(None).get_state()[1], state)


def test_single_entry_is_one_without_deviation():
    posterior = DirichletPosterior(np.array([[3.0], [0.1]]))
    assert_array_equal(posterior.mean, [[1.0], [1.0]])
    assert_array_equal(posterior.std, [[0.0], [0.0]])
    assert_array_equal(posterior.interval(), np.ones((2, 2, 1)))


def test_float32_parameters_are_computed_with_in_float64():
    # In float32 the other parameters of a large entry, and its deviation, would be 0.
    posterior = DirichletPosterior(np.array([[1e9, 1e-3]], dtype=np.float32))
    assert posterior.std.dtype == posterior.sample().dtype == np.float64
    assert posterior.std[0, 0] > 0


@pytest.mark.parametrize("level", [0, 1, 90])
def test_level_that_is_no_probability_raises(posterior, level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        posterior.interval(level)


@pytest.mark.parametrize("n_samples", [0, True, 1.5])
def test_bad_numbers_of_samples_raise(posterior, n_samples):
    with pytest.raises(ValueError, match="n_samples must be a positive integer"):
        posterior.sample(n_samples)
