"""Training that diverges: NaN raises, and a very low bound warns."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.training.convergence import divergence_warning
from sklearn_amortlda.training.loop import Training


def test_nan_bound_raises_and_names_the_parameter_to_change(corpus, monkeypatch):
    monkeypatch.setattr(Training, "_train", lambda *_: float("nan"))
    with pytest.raises(FloatingPointError, match=r"Lower\s+learning_rate_init"):
        AmortizedLDA(3).fit(corpus)


def test_very_large_learning_rate_gives_finite_results_and_warns(corpus):
    lda = AmortizedLDA(3, learning_rate_init=10.0, max_iter=5, random_state=0)
    with pytest.warns(ConvergenceWarning, match="lower learning_rate_init"):
        lda.fit(corpus)
    assert np.isfinite(lda.transform(corpus)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        lda.set_params(learning_rate_init=0.002).fit(corpus)


def test_bound_below_twice_the_unigram_model_warns():
    # Four equally frequent words have log(1 / 4) = -1.39 nats per word; the warning
    # starts at twice -2.5, because bounds of few words are loose.
    counts = np.array([3.0, 3.0, 3.0, 3.0, 0.0])
    assert divergence_warning(-4.9, counts) is None
    assert "far below the -1.386" in divergence_warning(-5.1, counts)
