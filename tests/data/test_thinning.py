"""Random halves of counts: the distribution of the halves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda.data.thinning import thin


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("count", [1.0, 3.0, 64.0, 100.0, 2.5, 0.25, 80.75])
def test_half_of_a_count_is_binomial(rng, count):
    counts = np.full(40_000, count)
    half = thin(counts, rng)
    words, fraction = divmod(count, 1.0)
    assert (half >= 0).all() and (half <= count).all()
    # The fraction is kept or dropped as one word.
    rest = half % 1.0
    assert ((rest < 1e-9) | (abs(rest - fraction) < 1e-9)).all()
    variance = (words + fraction**2) / 4
    error = 5 * np.sqrt(variance / len(counts))
    assert abs(half.mean() - count / 2) < error
    assert_allclose(half.var(), variance, rtol=0.05)


def test_halves_of_counts_in_a_row_are_independent(rng):
    half = thin(np.tile([1.0, 2.0, 70.0, 0.5], 20_000), rng).reshape(-1, 4)
    correlation = np.corrcoef(half.T)
    assert_allclose(correlation, np.eye(4), atol=0.03)


def test_half_of_a_very_large_count_is_exactly_half(rng):
    counts = np.array([1e30, 5.0, 2e9], np.float32)
    half = thin(counts, rng)
    assert half.dtype == np.float32
    assert_array_equal(half[[0, 2]], counts[[0, 2]] / 2)


def test_no_counts_have_no_halves(rng):
    assert not len(thin(np.empty(0, np.float32), rng))
