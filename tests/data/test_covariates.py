"""Checks of covariates, and their standardization."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda.data.covariates import Standardization, check_covariates

VALUES = np.array([[0.0, 2000.0], [1.0, 2010.0], [1.0, 2020.0]])


def add(*values):
    """The sums of a single process."""
    return values


@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, sp.csr_array])
def test_matrices_of_any_kind_are_arrays_without_names(kind):
    values, names = check_covariates(kind(VALUES), 3)
    assert_array_equal(values, VALUES)
    assert values.dtype == np.float64
    assert names is None


def test_frames_have_names_that_must_be_those_of_the_fit():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(VALUES, columns=["late", "year"])
    values, names = check_covariates(frame, 3)
    assert_array_equal(values, VALUES)
    assert_array_equal(names, ["late", "year"])
    check_covariates(frame, 3, 2, names)
    check_covariates(VALUES, 3, 2, names)
    with pytest.raises(ValueError, match=r"'year', 'late'.*'late', 'year'"):
        check_covariates(frame[["year", "late"]], 3, 2, names)


@pytest.mark.parametrize(
    "values, n_known, message",
    [
        (VALUES[:2], None, "2 rows, and X has 3 documents"),
        (VALUES, 3, "2 columns, and the model was fitted with 3"),
        (VALUES, 0, "fitted without covariates"),
        (None, 2, "fitted with covariates, and this call has none"),
        (VALUES[:, 0], None, "one covariate as a matrix of one column"),
        (np.where(VALUES == 1, np.nan, VALUES), None, "fill in missing values"),
        (np.where(VALUES == 1, np.inf, VALUES), None, "finite numbers"),
        ([["a"], ["b"], ["c"]], None, "OneHotEncoder"),
        (np.empty((3, 0)), None, "matrix of finite numbers"),
        (VALUES * 1e200, None, "whose square overflows"),
        (np.array([["2020"], ["2021"], ["NaT"]], "M8[D]"), None, "pass numbers, such"),
        (np.ma.masked_equal(VALUES, 1.0), None, "fill in missing values"),
    ],
)
def test_bad_covariates_raise(values, n_known, message):
    with pytest.raises(ValueError, match=message):
        check_covariates(values, 3, n_known)


def test_standardized_covariates_have_mean_0_and_deviation_1():
    scales = Standardization.of(VALUES, np.ones(len(VALUES)), add)
    standardized = scales.apply(VALUES)
    assert_allclose(standardized.mean(axis=0), 0, atol=1e-6)
    assert_allclose(standardized.std(axis=0), 1, rtol=1e-6)
    assert standardized.dtype == np.float32


def test_values_far_from_the_mean_are_finite():
    scales = Standardization.of(VALUES, np.ones(len(VALUES)), add)
    assert_array_equal(scales.apply(np.array([[1e99, -1e99]])), [[1e6, -1e6]])


def test_constant_covariate_is_zero():
    values = np.full((7, 1), 0.1)
    scales = Standardization.of(values, np.ones(7), add)
    assert_allclose(scales.apply(values), 0, atol=1e-7)


def test_scales_are_those_of_the_documents_of_all_ranks():
    rng = np.random.default_rng(0)
    parts = rng.normal(5, 3, (20, 2)), rng.normal(-1, 2, (50, 2))
    whole = Standardization.of(np.concatenate(parts), np.ones(70), add)
    barrier, messages = threading.Barrier(2, timeout=10), [None, None]

    def rank(own):
        def add_over_ranks(*values):
            messages[own] = np.array(values)
            barrier.wait()
            total = messages[0] + messages[1]
            barrier.wait()
            return total

        return Standardization.of(parts[own], np.ones(len(parts[own])), add_over_ranks)

    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(rank, range(2)):
            assert_allclose(found.mean, whole.mean)
            assert_allclose(found.scale, whole.scale)


def test_weights_are_repetitions():
    weights = np.arange(len(VALUES)) + 1
    weighted = Standardization.of(VALUES, weights, add)
    repeated = np.repeat(VALUES, weights, axis=0)
    whole = Standardization.of(repeated, np.ones(len(repeated)), add)
    assert_allclose(weighted.mean, whole.mean)
    assert_allclose(weighted.scale, whole.scale)


def test_raw_coefficients_describe_the_same_prior():
    rng = np.random.default_rng(0)
    scales = Standardization.of(VALUES, np.ones(len(VALUES)), add)
    alpha, coefficients = rng.gamma(1, 1, 4), rng.normal(size=(2, 4))
    alpha, coefficients = alpha.astype(np.float32), coefficients.astype(np.float32)
    intercept, raw = scales.to_raw(alpha, coefficients)
    assert raw.shape == (4, 2)
    expected = alpha * np.exp(scales.apply(VALUES) @ coefficients)
    assert_allclose(np.exp(intercept + VALUES @ raw.T), expected, rtol=1e-5)
    again, standardized = scales.from_raw(intercept, raw)
    assert_array_equal(again.astype(np.float32), alpha)
    assert_array_equal(standardized, coefficients)
