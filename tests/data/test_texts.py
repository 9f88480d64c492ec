"""Input that is text, or fractions instead of counts."""

import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import draw_corpus, small_estimator
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize

from sklearn_amortlda import AmortizedLDA

TEXTS = ["the cat sat on the mat", "a dog barks at the cat"] * 20


@pytest.mark.parametrize(
    "X",
    [
        TEXTS,
        tuple(TEXTS),
        TEXTS[0],
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS, index=range(5, 45)),
        pd.DataFrame({"text": TEXTS}),
    ],
    ids=["list", "tuple", "str", "array", "objects", "Series", "DataFrame"],
)
def test_texts_raise_and_name_the_vectorizer(X, corpus):
    fitted = small_estimator(max_iter=1).fit(corpus)
    for method in (fitted.fit, fitted.partial_fit, fitted.transform, fitted.score):
        with pytest.raises(ValueError, match=r"put a CountVectorizer before"):
            method(X)


def test_pipeline_of_texts_fits():
    model = make_pipeline(CountVectorizer(), small_estimator(n_components=2))
    assert model.fit_transform(TEXTS).shape == (40, 2)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "X",
    [
        TfidfVectorizer().fit_transform(TEXTS),
        normalize(CountVectorizer().fit_transform(TEXTS), norm="l1"),
    ],
    ids=["tf-idf", "frequencies"],
)
def test_fractions_give_one_warning_at_the_call(X, method):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        getattr(small_estimator(n_components=2, max_iter=1), method)(X)
    caught = [w for w in caught if "X holds fractions" in str(w.message)]
    assert len(caught) == 1 and caught[0].filename == __file__
    mean = X.sum() / X.shape[0]
    assert f"{mean:.2g} in a mean document" in str(caught[0].message)


@pytest.mark.parametrize("factor", [1.0, 2.5])
def test_counts_and_weighted_counts_give_no_warning(factor):
    X = draw_corpus(100, 3, 30, 20)[0] * factor
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="X holds fractions")
        small_estimator().fit(X)
        small_estimator().fit(X > 0)


def test_numbers_as_strings_are_not_taken_for_texts():
    with pytest.raises(ValueError) as error:
        AmortizedLDA(2).fit([["a 1", "2"]])
    assert "CountVectorizer" in str(error.value)
    X = np.array([["1", "2"], ["3", "0"]], dtype=object)
    assert AmortizedLDA(1, max_iter=1).fit(X).n_features_in_ == 2
