"""Random numbers of documents."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from scipy.stats import gamma, kstest

from sklearn_amortlda.inference.document_noise import DocumentNoise


@pytest.fixture
def X():
    return csr_array(np.random.default_rng(0).poisson(0.5, (400, 60)).astype(float))


def test_uniform_draws_are_uniform_and_independent(X):
    draws = DocumentNoise(X, 0).uniform(np.arange(50))
    assert draws.shape == (400, 50) and 0 < draws.min() and draws.max() < 1
    assert kstest(draws.ravel(), "uniform").pvalue > 0.001
    for axis in (draws, draws.T):
        correlation = np.corrcoef(axis)
        off_diagonal = correlation[np.triu_indices(len(axis), k=1)]
        expected = 1 / np.sqrt(axis.shape[1])
        assert abs(off_diagonal.std() / expected - 1) < 0.1


def test_calls_are_independent(X):
    noise = DocumentNoise(X, 0)
    one, other = (noise.uniform(np.arange(50)).ravel() for _ in range(2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


@pytest.mark.parametrize("shape", [1e-3, 0.05, 0.7, 3.0, 40.0])
def test_gamma_draws_have_their_distribution(X, shape):
    draws = DocumentNoise(X, 1).log_gamma(np.full((400, 20), shape)).ravel()
    # Logarithms, because draws of small shapes underflow.
    if shape < 0.01:
        quantile = np.exp(shape * draws)  # P(G < g) is about g ** shape
        assert kstest(quantile, "uniform").pvalue > 0.001
    else:
        assert kstest(gamma.cdf(np.exp(draws), shape), "uniform").pvalue > 0.001


def test_draws_depend_on_the_words_and_the_seed_alone(X):
    whole = DocumentNoise(X, 0).log_gamma(np.ones((400, 3)))
    part = DocumentNoise(X[[7, 300]], 0).log_gamma(np.ones((2, 3)))
    assert_array_equal(part, whole[[7, 300]])
    other = DocumentNoise(X, 1).log_gamma(np.ones((400, 3)))
    assert not (other == whole).any()


def test_draws_of_tokens(X):
    documents, positions = np.array([0, 0, 5]), np.array([0, 1, 1])
    found = DocumentNoise(X, 0).uniform(positions, documents)
    rows = DocumentNoise(X, 0).uniform(np.arange(2))
    assert_array_equal(found, [rows[0, 0], rows[0, 1], rows[5, 1]])
