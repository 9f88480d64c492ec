"""The start of a training: what it continues, and the step sizes of a stream."""

import numpy as np
import pytest
from encoder.modules import Noisy
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.training.schedules import Cosine


@pytest.fixture
def fitted(corpus):
    return AmortizedLDA(3, max_iter=1, hidden_layer_sizes=(8,), random_state=0).fit(
        corpus
    )


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_objective_with_another_number_of_outputs_raises(fitted, corpus, method):
    fitted.set_params(objective="logistic_normal")
    with pytest.raises(ValueError, match="does not fit the encoder"):
        getattr(fitted, method)(corpus)
    fitted.set_params(objective="bound").transform(corpus)


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    "before, after", [((8,), (12,)), ((16, 8), (8,)), ((8,), (16, 8))]
)
def test_other_hidden_layers_raise_and_keep_the_fit(
    corpus, encoder, method, before, after
):
    lda = AmortizedLDA(
        3,
        encoder=encoder,
        hidden_layer_sizes=before,
        max_iter=1,
        warm_start=True,
        random_state=0,
    ).fit(corpus)
    expected = lda.transform(corpus)
    lda.set_params(hidden_layer_sizes=after)
    with pytest.raises(ValueError, match="cannot continue a fit with") as error:
        getattr(lda, method)(corpus)
    assert str(before) in str(error.value) and "warm_start=False" in str(error.value)
    assert_array_equal(lda.transform(corpus), expected)
    getattr(lda.set_params(hidden_layer_sizes=before), method)(corpus)


def test_module_of_another_width_raises(corpus):
    lda = AmortizedLDA(
        3, encoder=Noisy, hidden_layer_sizes=(8,), max_iter=1, random_state=0
    ).partial_fit(corpus)
    # A user's module takes the last width only.
    lda.set_params(hidden_layer_sizes=(5, 8)).partial_fit(corpus)
    with pytest.raises(ValueError, match="cannot continue a fit with"):
        lda.set_params(hidden_layer_sizes=(9,)).partial_fit(corpus)


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("shape", [(60,), (3, 60)])
def test_learned_topic_prior_continues_a_fit_with_an_array(corpus, method, shape):
    lda = AmortizedLDA(
        3,
        topic_word_prior=np.full(shape, 0.05),
        hidden_layer_sizes=(8,),
        max_iter=1,
        warm_start=True,
        random_state=0,
    )
    getattr(lda, method)(corpus)
    assert lda.topic_word_prior_.shape == shape
    getattr(lda.set_params(topic_word_prior="auto"), method)(corpus)
    assert 0 < lda.topic_word_prior_ < 1 and isinstance(lda.topic_word_prior_, float)
    assert np.isfinite(lda.score(corpus))


def test_cosine_of_a_stream_follows_documents_not_batches(monkeypatch):
    rates, original = [], Cosine.topics

    def topics(self, time, n_merged=1):
        rates.append(original(self, time))
        return original(self, time, n_merged)

    monkeypatch.setattr(Cosine, "topics", topics)
    rng = np.random.default_rng(0)
    lda = AmortizedLDA(
        3,
        learning_schedule="cosine",
        max_iter=1,
        total_samples=6000,
        hidden_layer_sizes=(8,),
        random_state=0,
    )
    n_steps = []
    # A batch has 64 documents of 400 words, and 256 of 5.
    for length in [400] * 5 + [5] * 5:
        X = np.zeros((600, 800))
        words = rng.random((600, 800)).argpartition(length)[:, :length]
        np.put_along_axis(X, words, 1.0, axis=1)
        lda.partial_fit(X)
        n_steps.append(len(rates))
    n_long, n_short = n_steps[4], n_steps[9] - n_steps[4]
    assert n_long > 3 * n_short
    assert rates[0] == 1.0 and np.all(np.diff(rates) <= 0)
    assert_allclose([rates[n_long - 1], rates[n_long]], 0.5, atol=0.05)
    assert rates[-1] < 0.05
