"""Labels of documents, encoded as columns of counts."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array, csr_array

from sklearn_amortlda.data.corpus import make_corpus
from sklearn_amortlda.data.labels import (
    check_classes,
    encode_labels,
    sharpened,
    with_label_columns,
    with_label_prior,
)


@pytest.mark.parametrize(
    "y",
    [
        ["b", "a", "b"],
        np.array(["b", "a", "b"], dtype=object),
        [7, 3, 7],
        [True, False, True],
        pytest.param(
            np.array([[5], [1], [5]]),
            marks=pytest.mark.filterwarnings("ignore:A column-vector y"),
        ),
    ],
)
def test_classes_are_sorted_and_each_document_has_one(y):
    classes, shares = encode_labels(y, 3)
    assert_array_equal(classes, np.unique(np.asarray(y).ravel().tolist()))
    assert_array_equal(shares.toarray(), [[0, 1], [1, 0], [0, 1]])


@pytest.mark.parametrize(
    "y",
    [
        [1, -1, 0, -1],
        ["b", None, "a", None],
        [1.0, np.nan, 0.0, np.nan],
        np.array(["b", -1, "a", float("nan")], dtype=object),
        pd.Series(["b", None, "a", pd.NA]),
        pd.Series([1, None, 0, None], dtype="Int64"),
    ],
)
def test_unlabelled_documents_have_no_tokens(y):
    classes, shares = encode_labels(y, 4)
    assert len(classes) == 2
    assert_array_equal(shares.toarray(), [[0, 1], [0, 0], [1, 0], [0, 0]])


@pytest.mark.parametrize("kind", [np.array, csr_array, coo_array, np.ndarray.tolist])
def test_labels_of_a_document_share_its_tokens(kind):
    y = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    classes, shares = encode_labels(kind(y), 3)
    assert_array_equal(classes, np.arange(4))
    assert_array_equal(shares.toarray(), [[0.5, 0.5, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])


def test_label_columns_have_tokens_for_each_word():
    X = csr_array(np.array([[2.0, 0, 4], [0, 0, 0], [1, 0, 0]], np.float32))
    _, shares = encode_labels([0, 1, -1], 3)
    counts = with_label_columns(X, shares, 0.5)
    assert counts.dtype == np.float32
    assert_array_equal(
        counts.toarray(), [[2, 0, 4, 3, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    )
    corpus = make_corpus(counts, None, n_labels=2)
    assert corpus.counts.shape == (2, 5)
    assert_array_equal(corpus.counts.data[corpus.is_label], [3])
    words = corpus.without_labels().counts
    assert_array_equal(words.toarray(), [[2, 0, 4, 0, 0], [1, 0, 0, 0, 0]])


def test_prior_of_labels_is_the_mean_of_the_words():
    assert with_label_prior(np.array(0.3), 2) == 0.3
    assert_allclose(with_label_prior(np.array([1.0, 3]), 2), [1, 3, 2, 2])
    assert_allclose(
        with_label_prior(np.array([[1.0, 3], [2, 2]]), 1), [[1, 3, 2], [2, 2, 2]]
    )


def test_powers_of_probabilities_are_positive_and_normalized():
    sharp = sharpened(np.array([[0.6, 0.4, 0.0], [0.5, 0.5, 0.0]]), 2.0)
    assert_allclose(sharp[0, :2], np.array([0.36, 0.16]) / 0.52)
    assert_allclose(sharp.sum(axis=1), 1)
    assert sharp.min() > 0


@pytest.mark.parametrize(
    ("y", "classes", "match"),
    [
        (None, None, "label_weight needs the labels"),
        ([0, 1], None, "y has 2 labels, and X has 3 documents"),
        ([[0, 1], [1, 0]], None, "y has 2 labels, and X has 3 documents"),
        ([0.5, 1.0, 2.0], None, "the number 0.5, which is no class"),
        ([-1, -1, -1], None, "no label: all documents are unlabelled"),
        ([0, 1, 2], np.array([0, 1]), "the class .*2.*, which is not among"),
        (["a", "b", "z"], np.array(["a", "b"]), "the class .*z.*, which is not among"),
        ([["a"] * 2] * 3, None, "could not convert|dtype"),
        ([[0, 2]] * 3, None, "zeros and ones"),
        ([[0, 1]] * 3, np.arange(3), "2 columns, and there are 3 classes"),
        ([0, 1, np.inf], None, "infinity"),
    ],
)
def test_invalid_labels_raise(y, classes, match):
    with pytest.raises(ValueError, match=match):
        encode_labels(y, 3, classes)


def test_classes_of_a_stream_are_given_once():
    first = check_classes(["b", "a"])
    assert_array_equal(first, ["a", "b"])
    assert check_classes(None, first) is first
    assert_array_equal(check_classes(["a", "b"], first), first)
    with pytest.raises(ValueError, match="must be passed in the first call"):
        check_classes(None)
    with pytest.raises(ValueError, match="are not those of the earlier fit"):
        check_classes(["a", "c"], first)
