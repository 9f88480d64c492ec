"""Top words, relevance and the table of topics."""

from types import SimpleNamespace

import numpy as np
import pytest
from inspection.fixed_model import THETA, TOPICS, WORDS, X, fixed_model
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import gamma, poisson

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import (
    top_words,
    topic_labels,
    topic_lift,
    topic_relevance,
    topic_table,
)


def test_words_by_probability_are_the_most_probable_words(model):
    words = top_words(model, WORDS, n_words=2, ranking="probability")
    assert_array_equal(words, [["the", "cat"], ["the", "dog"]])


def test_words_by_lift_distinguish_the_topics(model):
    words = top_words(model, WORDS, n_words=2)
    assert_array_equal(words, [["cat", "purr"], ["dog", "the"]])
    assert_array_equal(top_words(model, WORDS, n_words=2, ranking="lift"), words)


def test_words_by_lift_of_one_topic_are_the_most_probable_words(corpus):
    lda = AmortizedLDA(1, max_iter=1, random_state=0).fit(corpus)
    by_probability = lda.top_words(ranking="probability")
    assert_array_equal(lda.top_words(), by_probability)


def test_topics_share_fewer_words_by_lift(lda, peer):
    for fitted in (lda, peer):
        by_lift = np.unique(top_words(fitted))
        by_probability = np.unique(top_words(fitted, ranking="probability"))
        assert len(by_lift) > len(by_probability)


@pytest.mark.parametrize("ranking", ["frequency", "Lift", ""])
def test_unknown_ranking_raises(lda, corpus, ranking):
    message = f"ranking must be one of 'lift', 'probability', .* got {ranking!r}"
    with pytest.raises(ValueError, match=message):
        lda.top_words(ranking=ranking)
    pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=message):
        topic_table(lda, corpus, ranking=ranking)


def test_default_names_are_numbered_columns(lda, peer):
    expected = [f"x{v}" for v in np.argsort(-topic_lift(lda)[1])[:3]]
    assert lda.top_words(n_words=3)[1].tolist() == expected
    assert top_words(peer).shape == (5, 10)


def test_column_names_of_a_frame_are_the_default_names(corpus):
    pd = pytest.importorskip("pandas")
    names = [f"word{v}" for v in range(corpus.shape[1])]
    frame = pd.DataFrame(corpus.toarray(), columns=names)
    lda = AmortizedLDA(2, max_iter=1, random_state=0).fit(frame)
    first = names[np.argmax(topic_lift(lda)[0])]
    assert lda.top_words(n_words=1)[0, 0] == first
    upper = [name.upper() for name in names]
    assert lda.top_words(n_words=1, feature_names=upper)[0, 0] == first.upper()


def test_method_and_function_take_the_same_arguments(lda):
    names = [f"word{v}" for v in range(60)]
    ranking = -lda.topic_word_
    assert_array_equal(
        lda.top_words(names, n_words=3, ranking=ranking),
        top_words(lda, names, n_words=3, ranking=ranking),
    )


def test_ranking_replaces_probability(model):
    ranking = [[0, 0, 1, 0], [0, 1, 0, 0]]
    words = top_words(model, WORDS, n_words=1, ranking=ranking)
    assert_array_equal(words, [["purr"], ["cat"]])


def test_too_few_names_raise(model):
    with pytest.raises(ValueError, match="feature_names must be the model's 4 words"):
        top_words(model, WORDS[:3])


@pytest.mark.parametrize(
    "n_words, message",
    [
        (5, "n_words must be an integer from 1 to 4"),
        (True, "n_words must be an integer"),
    ],
)
def test_invalid_number_of_words_raises(model, n_words, message):
    with pytest.raises(ValueError, match=message):
        top_words(model, n_words=n_words)


def test_ranking_of_another_shape_raises(model):
    with pytest.raises(ValueError, match=r"ranking must have .*\(2, 4\)"):
        top_words(model, n_words=1, ranking=np.ones((2, 3)))


def test_lift_is_the_posterior_mean_of_a_poisson_rate_with_a_gamma_prior():
    counts = np.array([[8.0, 2.0, 0.0], [1.0, 4.0, 5.0]])
    lift = topic_lift(SimpleNamespace(components_=counts), prior_count=2.0)
    ratios = np.linspace(1e-6, 60, 200_001)
    expected_counts = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / 20
    for n, e, found in zip(counts.ravel(), expected_counts.ravel(), lift.ravel()):
        weights = gamma.pdf(ratios, 2.0, scale=0.5) * poisson.pmf(n, e * ratios)
        assert_allclose(found, ratios @ weights / weights.sum(), rtol=1e-5)


def test_lift_of_a_rare_word_is_shrunk_to_one():
    # Both words occur in one topic only, the first one 1,000 times more often.
    counts = np.array([[2000.0, 2.0, 5000.0], [0.0, 0.0, 7002.0]])
    lift = topic_lift(SimpleNamespace(components_=counts))
    assert lift[0, 0] > 1.95 and 1.0 < lift[0, 1] < 1.2


def test_lift_uses_pseudo_counts_and_not_probabilities(lda):
    assert_array_equal(
        topic_lift(lda), topic_lift(SimpleNamespace(components_=lda.components_))
    )
    few = SimpleNamespace(components_=lda.topic_word_)
    assert np.ptp(topic_lift(few)) < np.ptp(topic_lift(lda))


def test_lift_of_a_model_without_words_is_one():
    model = SimpleNamespace(components_=np.zeros((2, 3)))
    assert_array_equal(topic_lift(model), np.ones((2, 3)))


@pytest.mark.parametrize("prior_count", [0, -1.0, np.inf, np.nan])
def test_invalid_prior_count_raises(lda, prior_count):
    with pytest.raises(ValueError, match="prior_count must be positive"):
        topic_lift(lda, prior_count=prior_count)


@pytest.mark.parametrize("weight", [0.0, 0.6, 1.0])
def test_relevance_follows_the_formula(model, weight):
    marginal = [0.5, 0.21, 0.14, 0.15]  # topic sizes 0.7 and 0.3
    with np.errstate(divide="ignore"):
        log_p = np.log(TOPICS)
        expected = log_p - (1 - weight) * np.log(marginal)
    assert_allclose(topic_relevance(model, X, weight=weight), expected)


def test_relevance_of_an_impossible_word_is_minus_infinity():
    topics = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    relevance = topic_relevance(fixed_model(THETA, topics), X[:, :3], weight=0.0)
    assert_array_equal(relevance[:, 2], -np.inf)
    assert not np.isnan(relevance).any()


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_weight_outside_the_unit_interval_raises(model, weight):
    with pytest.raises(ValueError, match="weight must be between 0 and 1"):
        topic_relevance(model, X, weight=weight)


def test_labels_are_the_top_words(lda):
    words = lda.top_words(n_words=3)
    assert topic_labels(lda).tolist() == [", ".join(row) for row in words]
    by_probability = topic_labels(lda, n_words=2, ranking="probability")
    expected = lda.top_words(n_words=2, ranking="probability")
    assert by_probability.tolist() == [", ".join(row) for row in expected]
