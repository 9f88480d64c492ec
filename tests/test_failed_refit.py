"""A refit that fails or is interrupted keeps the earlier model."""

import numpy as np
import pandas as pd
import pytest

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.training.svi import SVI


def test_failed_refit_keeps_the_number_and_the_names_of_the_columns(corpus):
    frame = pd.DataFrame(corpus.toarray()).add_prefix("word")
    lda = AmortizedLDA(3, max_iter=1, random_state=0).fit(frame)
    with pytest.raises(ValueError, match="X has no words"):
        lda.fit(np.zeros((4, 7)))
    assert lda.n_features_in_ == 60 and list(lda.feature_names_in_) == list(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        lda.transform(frame[frame.columns[::-1]])


def test_refit_that_is_interrupted_in_its_first_step_keeps_the_model(
    corpus, monkeypatch
):
    lda = AmortizedLDA(3, max_iter=1, hidden_layer_sizes=(8,), random_state=0)
    expected = lda.fit(corpus).transform(corpus)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(SVI, "step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        lda.fit(corpus[:, :30])
    np.testing.assert_array_equal(lda.transform(corpus), expected)


@pytest.mark.filterwarnings("ignore:Encountered NaN:UserWarning")
@pytest.mark.parametrize("scale", [1e11, 1e12])
@pytest.mark.parametrize(
    "objective", ["completion", "bound", "sampled", "logistic_normal"]
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_enormous_counts_give_finite_results_or_keep_the_fit(
    corpus, method, objective, scale
):
    lda = AmortizedLDA(
        5,
        objective=objective,
        hidden_layer_sizes=(8,),
        max_iter=3,
        batch_size=40,
        random_state=0,
    ).fit(corpus)
    expected = lda.transform(corpus)
    try:
        getattr(lda, method)(corpus * scale)
    except FloatingPointError as error:
        assert "Lower learning_rate_init, raise batch_size, or scale X" in str(error)
        np.testing.assert_array_equal(lda.transform(corpus), expected)
    assert np.isfinite(lda.components_).all()
    assert np.isfinite(lda.transform(corpus)).all()
