"""Representative documents, and shares of topics by class and by time."""

import warnings
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from inspection.fixed_model import X, fixed_model
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda.inspection import (
    representative_documents,
    topic_sizes,
    topics_over_time,
    topics_per_class,
)

YEARS = [2000, 2000, 2010, 2005]
TIMES = {
    "numbers": (YEARS, [2000.0, 2005.0, 2010.0]),
    "datetimes": (
        [datetime(2000, 1, day) for day in (1, 2, 9, 5)],
        np.array(["2000-01-01", "2000-01-05", "2000-01-09"], "datetime64[us]"),
    ),
    "days": (
        np.array(["2000-01-01", "2000-01-02", "2000-01-09", "2000-01-05"], "M8[D]"),
        np.array(["2000-01-01", "2000-01-05", "2000-01-09"], "M8[D]"),
    ),
}


def test_single_word_ranks_below_longer_documents():
    counts = np.array([[1, 0, 0, 0], [20, 10, 5, 5], [9, 0, 0, 0], [400, 0, 0, 0]])
    model = fixed_model([[1.0, 0.0], [0.9, 0.1], [0.9, 0.1], [0.5, 0.5]])
    best = representative_documents(model, counts, n_documents=4)[0]
    # Of equal shares the longer document is first; length alone does not rank first.
    assert_array_equal(best, [1, 2, 3, 0])


def test_documents_without_words_rank_last(model):
    # The last document has the proportions of document 1, but no words.
    ranked = representative_documents(model, X, n_documents=2)
    assert_array_equal(ranked, [[0, 1], [2, 1]])


def test_more_documents_than_rows_raise(model):
    with pytest.raises(ValueError, match="n_documents must be an integer from 1 to 4"):
        representative_documents(model, X, n_documents=5)


def test_class_shares_are_means_over_words(model):
    classes, shares = topics_per_class(model, X, ["b", "b", "a", "c"])
    assert_array_equal(classes, ["a", "b", "c"])
    assert_allclose(shares, [[0, 1], [7 / 8, 1 / 8], [np.nan, np.nan]])


def test_class_shares_weighted_by_words_are_the_sizes(lda, corpus):
    y = np.arange(corpus.shape[0]) % 3
    _, shares = topics_per_class(lda, corpus, y)
    n_words = np.bincount(y, np.asarray(corpus.sum(axis=1)).ravel())
    assert_allclose(n_words @ shares / n_words.sum(), topic_sizes(lda, corpus))


def test_classes_of_another_length_raise(model):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        topics_per_class(model, X, [0, 1])


@pytest.mark.parametrize("kind", TIMES)
def test_span_shares_are_means_over_words(model, kind):
    time, expected = TIMES[kind]
    edges, shares = topics_over_time(model, X, time, n_bins=2)
    assert_array_equal(edges, expected)
    assert edges.dtype == np.asarray(expected).dtype
    assert_allclose(shares, [[7 / 8, 1 / 8], [0, 1]])


def test_shares_of_a_span_without_words_are_nan(model):
    _, shares = topics_over_time(model, X, YEARS, n_bins=5)
    assert_array_equal(np.isnan(shares).any(axis=1), [False, True, True, True, False])


def test_equal_times_make_one_span(model):
    edges, shares = topics_over_time(model, X, [7] * 4, n_bins=1)
    assert_array_equal(edges, [7, 7])
    assert_allclose(shares, [topic_sizes(model, X)])


def test_time_may_be_a_column_of_a_frame(model):
    pd = pytest.importorskip("pandas")
    time = pd.Series(pd.to_datetime(["2000-01-01", "2000-01-02"] * 2))
    edges, shares = topics_over_time(model, X, time, n_bins=2)
    assert edges[0] == np.datetime64("2000-01-01") and shares.shape == (2, 2)
    with pytest.raises(ValueError, match="missing"):
        topics_over_time(model, X, time.mask(time.index == 1), n_bins=2)


@pytest.mark.parametrize(
    "time, error, message",
    [
        ([1, 2, 3, np.nan], ValueError, "1 missing"),
        ([1, -np.inf, np.inf, 2], ValueError, "2 missing or infinite"),
        (
            ["May", "June", "May", "July"],
            TypeError,
            "ISO 8601 strings, got values such as",
        ),
        ([{}, {}, {}, {}], TypeError, "ISO 8601 strings, got values such as '{}'"),
        (["2020-01-01", np.nan] * 2, TypeError, "such as 'nan'.* None is a missing"),
        ([1, 2, 3], ValueError, "inconsistent numbers of samples"),
    ],
)
def test_invalid_time_raises(model, time, error, message):
    with pytest.raises(error, match=message):
        topics_over_time(model, X, time)


@pytest.mark.parametrize("n_bins", [0, -1, 2.0, None])
def test_invalid_number_of_bins_raises(model, n_bins):
    with pytest.raises(ValueError, match="n_bins must be a positive integer"):
        topics_over_time(model, X, YEARS, n_bins=n_bins)


def test_iso_strings_are_dates(model):
    X = np.ones((4, 4))
    strings = ["2020-01-01", "2020-03-31T12:00", "2021-12-31", "2020-02-29"]
    dates = np.array(strings, dtype="datetime64[us]")
    expected = topics_over_time(model, X, dates, n_bins=4)
    for time in (strings, np.array(strings), np.array(strings, dtype=object)):
        for found, theirs in zip(topics_over_time(model, X, time, n_bins=4), expected):
            np.testing.assert_array_equal(found, theirs)


@pytest.mark.parametrize("as_strings", [True, False])
def test_times_with_a_zone_are_converted_to_utc_without_a_warning(model, as_strings):
    zone = timezone(timedelta(hours=2))
    times = [datetime(2020, 1, day, 1, tzinfo=zone) for day in (1, 2, 3, 4)]
    time = [t.isoformat() for t in times] if as_strings else times
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        edges, _ = topics_over_time(model, X, time, n_bins=1)
    assert_array_equal(edges, np.array(["2019-12-31T23", "2020-01-03T23"], "M8[us]"))
