"""Sample weights: a document of weight n equals n documents."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer
from small import F64

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.data.corpus import make_corpus
from sklearn_amortlda.metrics import document_completion_perplexity, topic_stability
from sklearn_amortlda.training.config import make_config
from sklearn_amortlda.training.setup import fit_training


def lda(**parameters):
    settings = {"n_components": 4, "max_iter": 4, "hidden_layer_sizes": (8,)}
    return AmortizedLDA(**{**settings, **parameters}, random_state=0, device="cpu")


@pytest.fixture(scope="module")
def weighted(corpus):
    """Documents, their integer weights, and the documents repeated as often."""
    X = csr_array(corpus)[:60]
    times = np.random.default_rng(0).integers(0, 4, 60)
    return X, times, X[np.repeat(np.arange(60), times)]


def trained(X, weights=None, **parameters):
    """The state in float64 after three epochs of one batch, and the bounds."""
    # The cosine schedule would split topics at random.
    params = lda(
        batch_size=1000,
        max_iter=3,
        learning_schedule="power",
        refine=2,
        **parameters,
    ).get_params()
    corpus = make_corpus(X, weights)
    config = make_config(params, X.shape[1], torch.device("cpu"))
    state = fit_training(config, corpus, seed=0).svi.state()
    encoder = {k: v.astype(np.float64) for k, v in state.encoder.items()}
    training = fit_training(
        replace(config, **F64), corpus, 0, replace(state, encoder=encoder)
    )
    bounds = [training.next_epoch()["bound"] for _ in range(3)]
    return training.svi.state(), [*bounds, training.finish()]


@pytest.mark.parametrize("eta", [0.05, "auto"])
def test_weights_in_one_full_batch_are_repetitions(weighted, eta):
    # In float64, because Adam takes a step of full size where rounding leaves a
    # gradient that should be zero.
    X, times, repeated = weighted
    settings = {"objective": "bound", "topic_word_prior": eta}
    ours, bounds = trained(X, times, **settings)
    expected, expected_bounds = trained(repeated, **settings)
    assert_allclose(bounds, expected_bounds, rtol=1e-6)
    assert_allclose(ours.components, expected.components, rtol=1e-4, atol=1e-6)
    assert_allclose(ours.alpha, expected.alpha, rtol=1e-5)
    assert_allclose(ours.eta, expected.eta, rtol=1e-5)
    for name in ("embedding", "head.weight", "norm.shift", "norm.running_var"):
        weights, others = ours.encoder[name], expected.encoder[name]
        assert_allclose(weights, others, rtol=1e-4, atol=1e-6)
    # A model that ignores the weights would pass all of the above.
    plain, _ = trained(X, **settings)
    assert abs(plain.components - expected.components).max() > 1.0


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_weight_of_zero_equals_absence(weighted, method):
    X, times, _ = weighted
    present = times > 0
    ours = getattr(lda(), method)(X, sample_weight=times)
    expected = getattr(lda(), method)(X[present], sample_weight=times[present])
    assert_array_equal(ours.components_, expected.components_)
    # NaN after partial_fit.
    assert_array_equal(ours.bound_, expected.bound_)


def test_weights_of_one_equal_no_weights(weighted):
    X = weighted[0]
    ours, expected = lda().fit(X, sample_weight=np.ones(60)), lda().fit(X)
    assert_allclose(ours.components_, expected.components_, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_weights_in_mini_batches_are_as_good_as_repetitions(corpus):
    X = csr_array(corpus)
    times = np.random.default_rng(1).integers(1, 4, X.shape[0])
    settings = {"n_components": 5, "max_iter": 15, "hidden_layer_sizes": (30,)}
    ours = lda(**settings).fit(X, sample_weight=times)
    expected = lda(**settings).fit(X[np.repeat(np.arange(X.shape[0]), times)])
    assert topic_stability([ours.topic_word_, expected.topic_word_]) > 0.95
    ours, expected = (document_completion_perplexity(m, X) for m in (ours, expected))
    assert_allclose(ours, expected, rtol=0.02)


def test_weighted_score_and_perplexity_are_those_of_repeated_documents(weighted):
    X, times, repeated = weighted
    model = lda().fit(X)
    assert_allclose(model.score(X, sample_weight=times), model.score(repeated))
    ours = model.perplexity(X, sample_weight=times)
    assert_allclose(ours, model.perplexity(repeated))


def test_early_stopping_weights_the_held_out_documents(weighted):
    X, times, _ = weighted
    settings = {"early_stopping": True, "validation_fraction": 0.5}
    scores = [
        lda(**settings).fit(X, sample_weight=w).history_[0]["validation_score"]
        for w in (times + 1, None)
    ]
    assert scores[0] != scores[1]


@pytest.mark.parametrize(
    "weights", [[-1.0] * 60, [np.nan] * 60, [1.0] * 59, [0.0] * 60]
)
def test_invalid_weights_raise(weighted, weights):
    with pytest.raises(ValueError, match=r"weight|words"):
        lda().fit(weighted[0], sample_weight=weights)


def test_fractions_such_as_tf_idf_are_counts(corpus):
    X = TfidfTransformer(norm=None).fit_transform(corpus)
    model = lda(max_iter=10).fit(X)
    theta = model.transform(X)
    assert np.isfinite(model.bound_) and model.score(X) < 0
    assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-5)
    halved = lda(max_iter=10).fit(X * 0.5)
    assert_allclose(halved.components_.sum(), model.components_.sum() / 2, rtol=0.05)


@pytest.mark.parametrize("objective", ["completion", "bound", "logistic_normal"])
def test_weights_of_one_change_no_bit(corpus, objective):
    X = csr_array(corpus)
    expected = lda(objective=objective).fit(X)
    found = lda(objective=objective).fit(X, sample_weight=np.ones(300))
    assert_array_equal(found.components_, expected.components_)
    assert_array_equal(found.transform(X), expected.transform(X))
    assert found.score(X, sample_weight=np.ones(300)) == expected.score(X)
