"""Models with some of their topics removed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import prune_topics


@pytest.mark.parametrize("objective", ["completion", "logistic_normal"])
def test_keeping_all_topics_in_another_order_permutes_the_posterior(corpus, objective):
    lda = AmortizedLDA(
        4, objective=objective, refine=0, max_iter=2, random_state=0
    ).fit(corpus)
    order = [2, 0, 3, 1]
    pruned = prune_topics(lda, order)
    expected = lda.doc_topic_posterior(corpus).concentration[:, order]
    found = pruned.doc_topic_posterior(corpus).concentration
    assert_allclose(found, expected, rtol=1e-4)
    assert_array_equal(pruned.topic_word_, lda.topic_word_[order])


def test_kept_topics_share_the_words_of_the_documents(lda, corpus):
    keep = np.array([True, False, True, True, False])
    pruned = prune_topics(lda, keep)
    theta = pruned.transform(corpus)
    assert theta.shape == (corpus.shape[0], 3)
    assert_allclose(theta.sum(axis=1), 1.0)
    assert pruned.get_params()["n_components"] == 3
    assert list(pruned.get_feature_names_out()) == [
        f"amortizedlda{i}" for i in range(3)
    ]
    # Documents of the kept topics keep their proportions.
    before = lda.transform(corpus)[:, keep]
    own = before.sum(axis=1) > 0.95
    assert own.mean() > 0.1
    assert_allclose(theta[own], before[own], atol=0.1)


@pytest.mark.parametrize("objective", ["completion", "logistic_normal"])
def test_training_continues_and_leaves_the_original_unchanged(corpus, objective):
    lda = AmortizedLDA(4, objective=objective, max_iter=1, random_state=0).fit(corpus)
    weights = {name: array.copy() for name, array in lda._encoder_weights.items()}
    pruned = prune_topics(lda, [0, 3])
    moments = pruned._optimizer_state["head.weight.exp_avg"]
    rows = [0, 3] if objective == "completion" else [0, 3, 4, 7]
    assert_array_equal(moments, lda._optimizer_state["head.weight.exp_avg"][rows])
    pruned.partial_fit(corpus)
    pruned.set_params(warm_start=True).fit(corpus)
    assert pruned.components_.shape == (2, corpus.shape[1])
    assert np.isfinite(pruned.bound_)
    for name, array in lda._encoder_weights.items():
        assert_array_equal(array, weights[name])
    assert lda.transform(corpus).shape[1] == 4


def test_priors_by_topic_lose_the_rows_of_removed_topics(corpus):
    alpha, eta = np.array([0.1, 0.2, 0.3]), np.full((3, corpus.shape[1]), 0.1)
    eta[1] = 0.5
    lda = AmortizedLDA(
        3, doc_topic_prior=alpha, topic_word_prior=eta, max_iter=1, random_state=0
    ).fit(corpus)
    pruned = prune_topics(lda, [1])
    assert_allclose(pruned.doc_topic_prior_, [0.2])
    assert_array_equal(pruned.topic_word_prior_, eta[[1]])
    assert clone(pruned).fit(corpus).components_.shape == (1, corpus.shape[1])
    assert lda.topic_word_prior is not None and len(lda.topic_word_prior) == 3


def test_pruning_twice_keeps_the_topics_of_both(lda, corpus):
    pruned = prune_topics(prune_topics(lda, [4, 0, 2]), [2, 0])
    assert_array_equal(pruned.topic_word_, lda.topic_word_[[2, 4]])
    assert pruned.n_components == 2
    assert_array_equal(
        pruned.transform(corpus), prune_topics(lda, [2, 4]).transform(corpus)
    )


def test_bound_of_a_pruned_model_is_nan(lda):
    assert np.isfinite(lda.bound_)
    assert np.isnan(prune_topics(lda, [0, 1]).bound_)
    assert np.isfinite(lda.bound_)


@pytest.mark.parametrize(
    "keep, message",
    [
        ([], "at least one"),
        ([False] * 5, "at least one"),
        ([True] * 4, "mask"),
        ([0, 5], "from 0 to 4"),
        ([-1], "from 0 to 4"),
        ([0.5], "from 0 to 4"),
        ([1, 1], "twice"),
    ],
)
def test_invalid_keep_raises(lda, keep, message):
    with pytest.raises(ValueError, match=message):
        prune_topics(lda, keep)


def test_other_model_raises(peer):
    with pytest.raises(TypeError, match="LatentDirichletAllocation"):
        prune_topics(peer, [0])
