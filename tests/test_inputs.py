"""Bad input: a clear error, and nothing that was fitted is lost."""

import re
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from sklearn.exceptions import ConvergenceWarning, NotFittedError

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
    "text": (np.array([["word"] * 60] * 4), ValueError, "could not convert"),
    "too large": (counts(1e300), ValueError, "overflow float32"),
    "column out of range": (
        sp.csr_matrix(np.ones((4, 60))),
        ValueError,
        "indices|index",
    ),
    "not a matrix": (None, ValueError, "Expected 2D array|NoneType"),
}
# scipy only looks at this when asked to.
BAD_X["column out of range"][0].indices[3] = 1000


@pytest.mark.parametrize("method", ["fit", "partial_fit", "transform", "score"])
@pytest.mark.parametrize("case", BAD_X)
def test_bad_counts(fitted, corpus, case, method):
    X, error, message = BAD_X[case]
    before, expected = joblib.hash(fitted), fitted.transform(corpus)
    with pytest.raises(error, match=message):
        getattr(fitted, method)(X)
    assert joblib.hash(fitted) == before
    np.testing.assert_array_equal(fitted.transform(corpus), expected)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_no_words_at_all(fitted, method):
    with pytest.raises(ValueError, match="X has no words"):
        getattr(fitted, method)(np.zeros((4, 60)))


def test_perplexity_of_no_words(fitted):
    with pytest.raises(ValueError, match="Perplexity is per word"):
        fitted.perplexity(np.zeros((4, 60)))


@pytest.mark.parametrize("method", ["transform", "score", "perplexity", "partial_fit"])
def test_wrong_width(fitted, method):
    with pytest.raises(ValueError, match="X has 59 features"):
        getattr(fitted, method)(np.ones((4, 59)))


def test_failed_refit_keeps_width_and_names(corpus):
    frame = pd.DataFrame(corpus.toarray()).add_prefix("word")
    lda = AmortizedLDA(3, max_iter=1, random_state=0).fit(frame)
    with pytest.raises(ValueError, match="X has no words"):
        lda.fit(np.zeros((4, 7)))
    assert lda.n_features_in_ == 60 and list(lda.feature_names_in_) == list(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        lda.transform(frame[frame.columns[::-1]])


@pytest.mark.parametrize("method", ["transform", "score", "perplexity"])
def test_not_fitted(method):
    with pytest.raises(NotFittedError):
        getattr(AmortizedLDA(), method)(np.ones((2, 3)))


BAD_PARAMETERS = [
    ({"n_components": 0}, "n_components"),
    ({"n_components": -1}, "n_components"),
    ({"n_components": 2.0}, "n_components"),
    ({"n_components": True}, "n_components"),
    ({"doc_topic_prior": 0.0}, "doc_topic_prior"),
    ({"doc_topic_prior": [0.1, 0.2]}, r"doc_topic_prior has shape \(2,\).*\(3,\)"),
    ({"doc_topic_prior": [0.1, -0.2, 0.1]}, "doc_topic_prior must be positive"),
    ({"topic_word_prior": np.ones(59)}, r"topic_word_prior has shape \(59,\)"),
    ({"topic_word_prior": np.nan}, "topic_word_prior"),
    ({"hidden_layer_sizes": ()}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (10, 0)}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (10.5,)}, "hidden_layer_sizes"),
    ({"objective": "elbo"}, "objective"),
    ({"batch_size": 0}, "batch_size"),
    ({"refine": -1}, "refine"),
    ({"early_stopping": True, "validation_fraction": 0.001}, "validation_fraction"),
    ({"device": "abacus"}, "device='abacus' is unknown to torch; choose 'auto' or one"),
    ({"device": "meta"}, "device='meta' is not available here"),
    ({"device": "cpu:5"}, None),
    ({"device": 3.5}, "device=3.5 is unknown"),
]


@pytest.mark.parametrize(("parameters", "message"), BAD_PARAMETERS)
def test_bad_parameters(corpus, parameters, message):
    lda = AmortizedLDA(**{"n_components": 3, "max_iter": 1, **parameters})
    if message is None:
        lda.fit(corpus)
        return
    with pytest.raises(ValueError, match=message):
        lda.fit(corpus)
    assert not hasattr(lda, "components_") and not hasattr(lda, "n_features_in_")


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is available")
@pytest.mark.parametrize("device", ["cuda", "cuda:1", torch.device("cuda")])
def test_unavailable_device(fitted, corpus, device):
    fitted.set_params(device=device)
    message = "is not available here; choose 'auto' or one of cpu"
    with pytest.raises(ValueError, match=re.escape(message)):
        fitted.transform(corpus)
    fitted.set_params(device="cpu").transform(corpus)


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_another_objective_needs_another_fit(fitted, corpus, method):
    fitted.set_params(objective="logistic_normal")
    with pytest.raises(ValueError, match="does not go with the encoder"):
        getattr(fitted, method)(corpus)
    fitted.set_params(objective="bound").transform(corpus)


def test_an_interrupted_refit_keeps_the_old_model(fitted, corpus, monkeypatch):
    from sklearn_amortlda._learner import Learner

    expected = fitted.transform(corpus)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Learner, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(corpus[:, :30])
    np.testing.assert_array_equal(fitted.transform(corpus), expected)


def test_divergence_says_what_to_change(corpus, monkeypatch):
    from sklearn_amortlda._learner import Learner

    monkeypatch.setattr(Learner, "epoch", lambda *_, **__: float("nan"))
    with pytest.raises(FloatingPointError, match="Lower learning_rate_init"):
        AmortizedLDA(3).fit(corpus)


def test_huge_learning_rate_stays_finite_and_warns(corpus):
    lda = AmortizedLDA(3, learning_rate_init=10.0, max_iter=5, random_state=0)
    with pytest.warns(ConvergenceWarning, match="lower learning_rate_init"):
        lda.fit(corpus)
    assert np.isfinite(lda.transform(corpus)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        lda.set_params(learning_rate_init=0.002).fit(corpus)


def test_huge_counts_stay_finite(corpus):
    lda = AmortizedLDA(3, max_iter=2, random_state=0).fit(corpus * 1e9)
    assert np.isfinite(lda.transform(corpus * 1e9)).all()
    assert np.isfinite(lda.components_).all()
