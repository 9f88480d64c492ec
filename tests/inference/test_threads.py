"""Rows in several threads."""

import joblib
import numpy as np
import pytest
import torch
from conftest import small_estimator
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array, vstack

from sklearn_amortlda.data.corpus import Corpus
from sklearn_amortlda.inference import threads


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
@pytest.mark.parametrize("method", ["transform", "score", "perplexity"])
def test_threads_change_no_bit(corpus, encoder, method, monkeypatch):
    calls = []

    class Parallel(joblib.Parallel):
        def __call__(self, tasks):
            tasks = list(tasks)
            calls.append(len(tasks))
            return super().__call__(tasks)

    monkeypatch.setattr(joblib, "Parallel", Parallel)
    monkeypatch.setattr(threads, "_MIN_BATCHES", 2)
    lda = small_estimator(encoder=encoder, device="cpu").fit(corpus)
    X = csr_array(vstack([corpus] * 25))
    expected = getattr(lda, method)(X)
    assert not calls
    assert_array_equal(getattr(lda.set_params(n_jobs=3), method)(X), expected)
    assert calls == [3]


def test_few_documents_have_one_thread(corpus, monkeypatch):
    lda = small_estimator(n_jobs=2).fit(corpus)
    monkeypatch.setattr(joblib, "Parallel", None)
    assert lda.transform(corpus).shape == (300, 5)


def test_threads_have_settings_of_their_own(corpus, monkeypatch):
    monkeypatch.setattr(threads, "_MIN_BATCHES", 2)
    X = Corpus(csr_array(vstack([corpus] * 14)))

    def function(part):
        return np.full((len(part), 1), float(torch.is_grad_enabled()))

    with torch.no_grad():
        result = threads.in_threads(function, X, 2, torch.device("cpu"), 5)
    assert_array_equal(result, np.ones((4200, 1)))


def test_zero_jobs_raise(corpus):
    lda = small_estimator().fit(corpus)
    with pytest.raises(ValueError, match="n_jobs=0 has no meaning"):
        lda.set_params(n_jobs=0).transform(corpus)
