"""Invalid counts raise and change nothing; extreme ones give finite results."""

import joblib
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.exceptions import NotFittedError

from sklearn_amortlda import AmortizedLDA


@pytest.fixture
def fitted(corpus):
    return AmortizedLDA(
        3, max_iter=1, hidden_layer_sizes=(8,), random_state=0, warm_start=False
    ).fit(corpus)


def counts(value=1.0, dtype=np.float64):
    X = np.ones((4, 60), dtype=dtype)
    X[0, 0] = value
    return X


BAD_X = {
    "negative": (counts(-1.0), ValueError, "Negative values in data"),
    "sparse negative": (sp.csr_matrix(counts(-1.0)), ValueError, "Negative values"),
    "nan": (counts(np.nan), ValueError, "NaN"),
    "sparse nan": (sp.csr_matrix(counts(np.nan)), ValueError, "NaN"),
    "infinite": (counts(np.inf), ValueError, "infinity"),
    "complex": (counts(1j, complex), ValueError, "Complex data not supported"),
    "no documents": (np.empty((0, 60)), ValueError, r"0 sample\(s\)"),
    "no words": (np.empty((4, 0)), ValueError, r"0 feature\(s\)"),
    "one-dimensional": (np.ones(60), ValueError, "Expected 2D array"),
    "text": (np.array([["word"] * 60] * 4), ValueError, "put a CountVectorizer before"),
    "too large": (counts(1e300), ValueError, "overflow float32"),
    "column out of range": (
        sp.csr_matrix(np.ones((4, 60))),
        ValueError,
        "indices|index",
    ),
    "not a matrix": (None, ValueError, "Expected 2D array|NoneType"),
}
# scipy checks indices only where it is asked to.
BAD_X["column out of range"][0].indices[3] = 1000


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "score"])
@pytest.mark.parametrize("case", BAD_X)
def test_invalid_counts_raise_and_change_nothing(fitted, corpus, case, method):
    X, error, message = BAD_X[case]
    before, expected = joblib.hash(fitted), fitted.transform(corpus)
    with pytest.raises(error, match=message):
        getattr(fitted, method)(X)
    assert joblib.hash(fitted) == before
    np.testing.assert_array_equal(fitted.transform(corpus), expected)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_training_without_words_raises(fitted, method):
    with pytest.raises(ValueError, match="X has no words"):
        getattr(fitted, method)(np.zeros((4, 60)))


def test_perplexity_without_words_raises(fitted):
    with pytest.raises(ValueError, match="Perplexity is per word"):
        fitted.perplexity(np.zeros((4, 60)))


@pytest.mark.parametrize("method", ["transform", "score", "perplexity", "partial_fit"])
def test_other_number_of_columns_raises(fitted, method):
    with pytest.raises(ValueError, match="X has 59 features"):
        getattr(fitted, method)(np.ones((4, 59)))


@pytest.mark.parametrize("method", ["transform", "score", "perplexity"])
def test_unfitted_estimator_raises(method):
    with pytest.raises(NotFittedError):
        getattr(AmortizedLDA(), method)(np.ones((2, 3)))


def test_very_large_counts_give_finite_results(corpus):
    lda = AmortizedLDA(3, max_iter=2, random_state=0).fit(corpus * 1e9)
    assert np.isfinite(lda.transform(corpus * 1e9)).all()
    assert np.isfinite(lda.components_).all()
