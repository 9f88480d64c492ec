"""sample_weight: a document that counts n times is n documents."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda._corpus import make_corpus
from sklearn_amortlda._learner import Learner
from sklearn_amortlda._setup import fit_training
from sklearn_amortlda.metrics import document_completion_perplexity, topic_stability


def lda(**parameters):
    settings = {"n_components": 4, "max_iter": 4, "hidden_layer_sizes": (8,)}
    return AmortizedLDA(**{**settings, **parameters}, random_state=0, device="cpu")


@pytest.fixture(scope="module")
def weighted(corpus):
    """Documents, how often each counts, and the documents that many times."""
    X = csr_array(corpus)[:60]
    times = np.random.default_rng(0).integers(0, 4, 60)
    return X, times, X[np.repeat(np.arange(60), times)]


def trained(X, weights=None, **parameters):
    """A learner in float64 after three epochs of one batch, and its last bound."""
    # The other schedule would look for duplicates, and draw at random where to split.
    estimator = lda(batch_size=1000, learning_schedule="power", **parameters)
    corpus = make_corpus(X, weights)
    learner = fit_training(estimator, corpus, torch.device("cpu"), False).learner
    state = learner.state()
    encoder = {k: v.astype(np.float64) for k, v in state.encoder.items()}
    learner = Learner(
        replace(learner.config, dtype=torch.float64), replace(state, encoder=encoder)
    )
    bounds = [learner.epoch(corpus, corpus.total()) for _ in range(3)]
    return learner, [*bounds, learner.evidence_bound(corpus, 2)]


@pytest.mark.parametrize("objective", ["bound", "collapsed"])
@pytest.mark.parametrize("eta", [0.05, "auto"])
def test_in_one_full_batch_weights_are_repetitions(weighted, objective, eta):
    # In float64, since Adam takes a step of full length wherever rounding leaves a
    # gradient that should be zero.
    X, times, repeated = weighted
    settings = {"objective": objective, "topic_word_prior": eta}
    (ours, bounds), (expected, expected_bounds) = (
        trained(X, times, **settings),
        trained(repeated, **settings),
    )
    assert_allclose(bounds, expected_bounds, rtol=1e-6)
    ours, expected = ours.state(), expected.state()
    assert_allclose(ours.components, expected.components, rtol=1e-4, atol=1e-6)
    assert_allclose(ours.alpha, expected.alpha, rtol=1e-5)
    assert_allclose(ours.eta, expected.eta, rtol=1e-5)
    for name in ("words", "head.weight", "norm.shift", "norm.running_var"):
        weights, others = ours.encoder[name], expected.encoder[name]
        assert_allclose(weights, others, rtol=1e-4, atol=1e-6)
    # Weights do something, or the above would hold of a model that ignores them.
    plain = trained(X, **settings)[0].state()
    assert abs(plain.components - expected.components).max() > 1.0


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_weight_zero_is_absence(weighted, method):
    X, times, _ = weighted
    present = times > 0
    ours = getattr(lda(), method)(X, sample_weight=times)
    expected = getattr(lda(), method)(X[present], sample_weight=times[present])
    assert_array_equal(ours.components_, expected.components_)
    assert_array_equal(ours.bound_, expected.bound_)  # NaN of partial_fit too


def test_weights_of_one_are_no_weights(weighted):
    X = weighted[0]
    ours, expected = lda().fit(X, sample_weight=np.ones(60)), lda().fit(X)
    assert_allclose(ours.components_, expected.components_, rtol=1e-3, atol=1e-4)


def test_mini_batches_are_as_good_as_repetitions(corpus):
    X = csr_array(corpus)
    times = np.random.default_rng(1).integers(1, 4, X.shape[0])
    settings = {"n_components": 5, "max_iter": 15, "hidden_layer_sizes": (30,)}
    ours = lda(**settings).fit(X, sample_weight=times)
    expected = lda(**settings).fit(X[np.repeat(np.arange(X.shape[0]), times)])
    assert topic_stability([ours.topic_word_, expected.topic_word_]) > 0.95
    ours, expected = (document_completion_perplexity(m, X) for m in (ours, expected))
    assert_allclose(ours, expected, rtol=0.02)


def test_score_and_perplexity_are_of_the_repeated_documents(weighted):
    X, times, repeated = weighted
    model = lda().fit(X)
    assert_allclose(model.score(X, sample_weight=times), model.score(repeated))
    ours = model.perplexity(X, sample_weight=times)
    assert_allclose(ours, model.perplexity(repeated))


def test_early_stopping_weighs_held_out_documents(weighted):
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
def test_bad_weights_are_refused(weighted, weights):
    with pytest.raises(ValueError, match=r"weight|words"):
        lda().fit(weighted[0], sample_weight=weights)


def test_tf_idf_and_other_fractions_are_counts(corpus):
    X = TfidfTransformer(norm=None).fit_transform(corpus)
    model = lda(max_iter=10).fit(X)
    theta = model.transform(X)
    assert np.isfinite(model.bound_) and model.score(X) < 0
    assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-5)
    halved = lda(max_iter=10).fit(X * 0.5)
    assert_allclose(halved.components_.sum(), model.components_.sum() / 2, rtol=0.05)
