"""Models with some of their topics merged."""

import pickle

import numpy as np
import pytest
from conftest import draw_corpus
from numpy.testing import assert_allclose, assert_array_equal
from small import with_topics

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import merge_topics, topic_hierarchy, topic_lift

GROUPS = [[0, 3], [4, 1]]


def summed(columns, groups=((0, 3), (1, 4), (2,))):
    return np.stack([columns[..., list(g)].sum(axis=-1) for g in groups], axis=-1)


def test_parameters_of_a_group_are_added(lda):
    merged = merge_topics(lda, GROUPS)
    assert merged.n_components == len(merged.components_) == 3
    assert_allclose(merged.components_.T, summed(lda.components_.T))
    assert_allclose(merged.doc_topic_prior_, summed(lda.doc_topic_prior_))
    assert_allclose(merged.topic_word_.sum(axis=1), 1.0)
    weights = lda.components_.sum(axis=1)[[0, 3]]
    expected = weights @ lda.topic_word_[[0, 3]] / weights.sum()
    assert_allclose(merged.topic_word_[0], expected)
    assert np.isnan(merged.bound_) and np.isfinite(lda.bound_)


def test_topics_outside_the_groups_keep_their_outputs(corpus):
    lda = AmortizedLDA(5, refine=0, max_iter=2, random_state=0).fit(corpus)
    merged = merge_topics(lda, [[1, 3]])
    gamma = merged.doc_topic_posterior(corpus).concentration
    before = lda.doc_topic_posterior(corpus).concentration
    assert_allclose(gamma[:, [0, 2, 3]], before[:, [0, 2, 4]], rtol=1e-5)
    assert_array_equal(merged.topic_word_[[0, 2, 3]], lda.topic_word_[[0, 2, 4]])


@pytest.mark.parametrize("objective", ["completion", "logistic_normal"])
def test_document_without_words_has_exactly_the_sum(corpus, objective):
    lda = AmortizedLDA(5, objective=objective, max_iter=1, random_state=0).fit(corpus)
    empty = np.zeros((1, 60))
    found = merge_topics(lda, GROUPS).transform(empty)
    assert_allclose(found, summed(lda.transform(empty)), rtol=1e-6)


def test_equal_topics_have_exactly_the_sum_at_the_fixed_point():
    topics = np.array([[4, 3, 2, 1], [1, 1, 4, 4], [4, 3, 2, 1]]) / 10
    lda = with_topics(topics, np.array([0.3, 0.2, 0.1]), objective="completion")
    merged = merge_topics(lda, [[0, 2]])
    X = np.random.default_rng(0).poisson(3.0, (20, 4))
    theta = lda.set_params(refine=1000).transform(X)
    found = merged.set_params(refine=1000).transform(X)
    assert_allclose(found, summed(theta, ((0, 2), (1,))), atol=1e-4)


def test_encoder_of_equal_outputs_has_exactly_the_sum(corpus):
    lda = AmortizedLDA(3, refine=0, max_iter=2, random_state=0).fit(corpus)
    weights = lda._encoder_weights
    for name, array in weights.items():
        if name.startswith(("head.", "norm.")) and array.ndim:
            array[2] = array[0]
    # Equal up to a factor: then the expansion has no error.
    weights["norm.shift"][2] += 1.5
    merged = merge_topics(lda, [[2, 0]])
    expected = summed(lda.doc_topic_posterior(corpus).concentration, ((0, 2), (1,)))
    assert_allclose(
        merged.doc_topic_posterior(corpus).concentration, expected, rtol=1e-4
    )


def test_transform_is_nearly_the_sum_for_similar_topics():
    X = draw_corpus(600, 5, 200, 80)[0]
    lda = AmortizedLDA(10, random_state=0).fit(X)
    groups = topic_hierarchy(lda).cut(7)
    merged = merge_topics(lda, groups)
    difference = np.abs(merged.transform(X) - summed(lda.transform(X), groups))
    # Total variation distance of a document, on average.
    assert difference.sum(axis=1).mean() / 2 < 0.05


def test_spreads_of_merged_topics_are_averaged(corpus):
    lda = AmortizedLDA(
        3, objective="logistic_normal", refine=0, max_iter=1, random_state=0
    ).fit(corpus)
    merged = merge_topics(lda, [[0, 1, 2]])
    before, after = lda._encoder_weights, merged._encoder_weights
    assert after["norm.shift"].shape == (2,)
    spreads = before["norm.shift"][3:]
    assert spreads.min() <= after["norm.shift"][1] <= spreads.max()
    assert_allclose(merged.transform(corpus), 1.0)


def test_corpus_share_of_words_is_kept(lda):
    merged = merge_topics(lda, GROUPS)
    # The expected counts of the groups add up, and so does the lift's denominator.
    totals = merged.components_.sum()
    assert_allclose(totals, lda.components_.sum())
    assert topic_lift(merged).shape == (3, 60)


@pytest.mark.parametrize("objective", ["completion", "logistic_normal"])
def test_training_continues_and_leaves_the_original_unchanged(corpus, objective):
    lda = AmortizedLDA(4, objective=objective, max_iter=1, random_state=0).fit(corpus)
    before = pickle.dumps(lda)
    merged = merge_topics(lda, [[0, 3]])
    merged.partial_fit(corpus)
    merged.set_params(warm_start=True).fit(corpus)
    assert merged.components_.shape == (3, 60) and np.isfinite(merged.bound_)
    assert pickle.dumps(lda) == before


def test_merged_model_is_saved_and_loaded(lda, corpus):
    merged = merge_topics(lda, GROUPS)
    loaded = pickle.loads(pickle.dumps(merged))
    assert_array_equal(loaded.transform(corpus), merged.transform(corpus))
    assert_array_equal(loaded.predict(corpus), merged.predict(corpus))


def test_priors_by_topic_are_added(corpus):
    alpha, eta = np.array([0.1, 0.2, 0.3]), np.full((3, 60), 0.1)
    eta[1] = 0.5
    lda = AmortizedLDA(
        3, doc_topic_prior=alpha, topic_word_prior=eta, max_iter=1, random_state=0
    ).fit(corpus)
    merged = merge_topics(lda, [[2, 1]])
    assert_allclose(merged.doc_topic_prior, [0.1, 0.5])
    assert_allclose(merged.topic_word_prior_, [eta[0], eta[1] + eta[2]])
    assert merged.fit(corpus).components_.shape == (2, 60)


def test_groups_of_one_topic_change_nothing(lda, corpus):
    merged = merge_topics(lda, [[k] for k in range(5)])
    assert_array_equal(merged.transform(corpus), lda.transform(corpus))
    assert_array_equal(merge_topics(lda, []).transform(corpus), lda.transform(corpus))


@pytest.mark.parametrize(
    "groups, message",
    [
        ([[0, 1], [1, 2]], "must not overlap, and topic 1"),
        ([[3, 3]], "must not overlap, and topic 3"),
        ([[0, 5]], "from 0 to 4"),
        ([[-1, 0]], "from 0 to 4"),
        ([[0.5, 1.0]], "from 0 to 4"),
        ([[0, 1], []], "at least one topic"),
        ([0, 1], "list of lists"),
        (3, "list of lists"),
    ],
)
def test_invalid_groups_raise(lda, groups, message):
    with pytest.raises(ValueError, match=message):
        merge_topics(lda, groups)


def test_other_model_raises(peer):
    with pytest.raises(TypeError, match="merge_topics needs an AmortizedLDA"):
        merge_topics(peer, [[0, 1]])
