"""Validation of topics and counts, ranking and matching."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_amortlda.metrics._checks import (
    check_counts,
    check_integers,
    matched_topics,
    simplex,
    top_indices,
)


def test_counts_are_canonical_and_a_copy():
    X = sparse.csr_matrix(([2.0, 1.0, 0.0], [1, 1, 0], [0, 3]), shape=(1, 2))
    counts = check_counts(X)
    assert counts.has_canonical_format and counts.dtype == np.float64
    assert_array_equal(counts.data, [3])
    assert_array_equal(X.data, [2, 1, 0])


def test_another_number_of_words_raises():
    with pytest.raises(ValueError, match=r"X has 3 words .* topic_word has 2"):
        check_counts([[1, 1, 1]], n_words=2)


def test_fractional_count_raises():
    with pytest.raises(ValueError, match=r"integer counts, got 0\.5"):
        check_integers(check_counts([[1, 0.5]]), "words are whole")


def test_simplex_rows_sum_to_one():
    assert_allclose(simplex([[1, 3], [2, 0]], "topics"), [[0.25, 0.75], [1, 0]])


def test_row_of_zeros_raises():
    with pytest.raises(ValueError, match="Row 1 of topics sums to zero"):
        simplex([[1, 3], [0, 0]], "topics")


def test_ties_are_ranked_by_column():
    assert_array_equal(top_indices(np.ones((1, 5)), 3, "n"), [[0, 1, 2]])
    ranked = top_indices(np.array([[0.1, 0.9, 0.5, 0.9]]), 3, "n")
    assert_array_equal(ranked, [[1, 3, 2]])


@pytest.mark.parametrize("n_top", [0, 5, 2.0, True])
def test_invalid_number_of_top_columns_raises(n_top):
    with pytest.raises(ValueError, match="n must be an integer from 1 to 4"):
        top_indices(np.ones((1, 4)), n_top, "n")


def test_matching_maximizes_the_sum_of_cosines():
    rows, columns, cosines = matched_topics(np.eye(3)[[2, 0]], 5 * np.eye(3))
    assert_array_equal(rows, [0, 1])
    assert_array_equal(columns, [2, 0])
    assert_allclose(cosines, 1)
