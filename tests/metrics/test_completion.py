"""Document completion against hand-computed cases and scikit-learn."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from sklearn_amortlda.metrics import (
    _completion,
    completion_split,
    document_completion_perplexity,
    held_out_perplexity,
)


def test_split_adds_up_and_halves(counts):
    observed, held_out = completion_split(sparse.csr_matrix(counts))
    assert_array_equal((observed + held_out).toarray(), counts)
    assert observed.data.min() >= 1 and held_out.data.min() >= 1
    assert abs(observed.sum() / counts.sum() - 0.5) < 4 * 0.5 / np.sqrt(counts.sum())


def test_split_follows_random_state(counts):
    first, second, other = (
        completion_split(counts, seed)[0].toarray() for seed in (0, 0, 1)
    )
    assert_array_equal(first, second)
    assert np.any(first != other)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_split_adds_up_duplicate_entries_and_keeps_X(dtype):
    X = sparse.csr_matrix(
        (np.array([200, 100, 2, 0], dtype), np.array([1, 1, 0, 2]), np.array([0, 4])),
        (1, 3),
    )
    before = X.data.copy(), X.indices.copy()
    observed, held_out = completion_split(X)
    assert_array_equal((observed + held_out).toarray(), [[2, 300, 0]])
    assert_array_equal(X.data, before[0])
    assert_array_equal(X.indices, before[1])


def test_perplexity_by_hand():
    theta, beta = [[1, 3], [1, 0]], [[0.5, 0.5, 0], [0, 0.2, 0.8]]
    X = [[1, 2, 0], [0, 1, 0]]
    log_p = np.log(0.25 * 0.5) + 2 * np.log(0.25 * 0.5 + 0.75 * 0.2) + np.log(0.5)
    assert_allclose(held_out_perplexity(theta, beta, X), np.exp(-log_p / 4))


def test_perplexity_of_an_impossible_word_is_infinite():
    theta, beta = [[1, 3], [1, 0]], [[0.5, 0.5, 0], [0, 0.2, 0.8]]
    assert held_out_perplexity(theta, beta, [[0, 0, 0], [0, 0, 1]]) == np.inf


def test_perplexity_does_not_depend_on_chunks(counts, topics, monkeypatch):
    theta = np.random.RandomState(0).dirichlet(np.ones(6), len(counts))
    whole = held_out_perplexity(theta, topics, counts)
    dense = np.exp(-np.sum(counts * np.log(theta @ topics)) / counts.sum())
    assert_allclose(whole, dense)
    monkeypatch.setattr(_completion, "_CHUNK", 20)
    assert_allclose(held_out_perplexity(theta, topics, counts), whole)


def test_completion_of_a_single_topic_is_the_unigram_perplexity(counts):
    lda = LatentDirichletAllocation(1, random_state=0).fit(counts)
    _, held_out = completion_split(counts)
    unigram = lda.components_[0] / lda.components_[0].sum()
    expected = np.exp(-held_out.sum(axis=0) @ np.log(unigram) / held_out.sum())
    assert_allclose(document_completion_perplexity(lda, counts), expected)


def test_topic_word_is_preferred_to_components(counts, lda):
    expected = document_completion_perplexity(lda, counts)
    lda.topic_word_ = lda.components_ / lda.components_.sum(axis=1, keepdims=True)
    lda.components_ = np.ones_like(lda.components_)
    assert_allclose(document_completion_perplexity(lda, counts), expected)


def test_right_topics_have_lower_perplexity_than_wrong_ones(counts, lda):
    fitted = document_completion_perplexity(lda, counts)
    lda.components_ = lda.components_[:, ::-1]
    assert fitted < document_completion_perplexity(lda, counts)


@pytest.mark.parametrize(
    "container",
    [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix, sparse.csr_array],
)
def test_completion_does_not_depend_on_the_container(counts, lda, container):
    expected = document_completion_perplexity(lda, counts)
    assert document_completion_perplexity(lda, container(counts)) == expected


def test_completion_accepts_pandas_output_of_transform(counts, lda):
    pytest.importorskip("pandas")
    expected = document_completion_perplexity(lda, counts)
    lda.set_output(transform="pandas")
    assert document_completion_perplexity(lda, counts) == expected


def test_completion_of_a_pipeline_is_that_of_its_model():
    texts = ["red green blue red pink grey", "one two three two four five"] * 5
    pipeline = make_pipeline(
        CountVectorizer(),
        make_pipeline("passthrough", LatentDirichletAllocation(2, random_state=0)),
    ).fit(texts)
    counts = pipeline[0].transform(texts)
    expected = document_completion_perplexity(pipeline[-1][-1], counts, random_state=3)
    found = document_completion_perplexity(pipeline, texts, random_state=3)
    assert found == expected


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_data_frame_of_fit_equals_its_array_without_warning(
    counts, lda, data_frame, in_pipeline
):
    expected = document_completion_perplexity(lda, counts)
    named = make_pipeline(lda) if in_pipeline else lda
    named.fit(data_frame(counts))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = document_completion_perplexity(named, data_frame(counts))
    assert found == expected


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_columns_in_another_order_raise(counts, lda, data_frame, in_pipeline):
    X = data_frame(counts)
    named = (make_pipeline(lda) if in_pipeline else lda).fit(X)
    reversed_X = X[list(X.columns)[::-1]]
    for method in (named.transform, lambda X: document_completion_perplexity(named, X)):
        with pytest.raises(ValueError, match="same order as they were in fit"):
            method(reversed_X)


def test_columns_with_other_names_raise(counts, lda, data_frame):
    X = data_frame(counts)
    with pytest.raises(ValueError, match="unseen at fit time"):
        document_completion_perplexity(lda.fit(X[list(X.columns)[:-1]]), X)


@pytest.mark.parametrize(
    "fitted_with_names, message",
    [
        (True, "X does not have valid feature names"),
        (False, "X has feature names, but"),
    ],
)
def test_names_on_one_side_only_warn_once(
    counts, lda, data_frame, fitted_with_names, message
):
    X = data_frame(counts)
    fitted_on, scored = (X, counts) if fitted_with_names else (counts, X)
    lda.fit(fitted_on)
    for method in (lda.transform, lambda X: document_completion_perplexity(lda, X)):
        with pytest.warns(UserWarning, match=message) as caught:
            method(scored)
        assert len(caught) == 1


@pytest.mark.parametrize(
    "function, arguments, message",
    [
        (completion_split, ([[1, 0.5]],), "integer counts"),
        (completion_split, ([[1, np.inf]],), "infinity"),
        (held_out_perplexity, ([[1]], [[1, 1]], [[0, 0]]), "no words"),
        (held_out_perplexity, ([[1, 0]], [[1, 1]], [[1, 0]]), "doc_topic must be"),
        (
            held_out_perplexity,
            ([[1], [0]], [[1, 1]], [[1, 0]] * 2),
            "Row 1 of doc_topic",
        ),
        (held_out_perplexity, ([[1]], [[0, 0]], [[1, 0]]), "Row 0 of topic_word"),
    ],
)
def test_invalid_input_raises_with_its_cause(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)
