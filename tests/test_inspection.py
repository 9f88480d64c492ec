"""Reading topics, on models small enough to compute by hand, then on fitted ones."""

import sys
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import LatentDirichletAllocation

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import (
    align_topics,
    effective_number_of_topics,
    n_components_curve,
    prune_topics,
    representative_documents,
    top_words,
    topic_relevance,
    topic_sizes,
    topic_table,
    topics_over_time,
    topics_per_class,
)
from sklearn_amortlda.metrics import (
    document_completion_perplexity,
    topic_coherence,
    topic_stability,
)

WORDS = ["the", "cat", "purr", "dog"]
TOPICS = np.array([[0.5, 0.3, 0.2, 0.0], [0.5, 0.0, 0.0, 0.5]])
THETA = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.5, 0.5]])
X = np.array([[3, 2, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 0, 0, 0]])


def model_of(theta, topics=TOPICS, **attributes):
    """A model that knows what to say."""
    theta = np.asarray(theta, dtype=float)
    return SimpleNamespace(topic_word_=topics, transform=lambda X: theta, **attributes)


@pytest.fixture
def model():
    return model_of(THETA)


@pytest.fixture(scope="module")
def lda(corpus):
    return AmortizedLDA(5, max_iter=5, random_state=0).fit(corpus)


@pytest.fixture(scope="module")
def peer(corpus):
    return LatentDirichletAllocation(5, random_state=0).fit(corpus)


# -- sizes ----------------------------------------------------------------------------


def test_sizes_weigh_documents_by_their_words(model):
    # 6 words of the first topic, 1 + 1 of the second document, 2 of the third.
    assert_allclose(topic_sizes(model, X), [0.7, 0.3])


def test_effective_number_is_that_of_equal_topics():
    theta = np.full((4, 2), 0.5)
    assert_allclose(effective_number_of_topics(model_of(theta), X), 2.0)
    assert_allclose(effective_number_of_topics(model_of(np.eye(2)[[0] * 4]), X), 1.0)


def test_sizes_of_no_words_are_refused(model):
    with pytest.raises(ValueError, match="X holds no words"):
        topic_sizes(model, np.zeros_like(X))


def test_counts_of_another_vocabulary_are_refused(model):
    with pytest.raises(ValueError, match="X has 3 words"):
        topic_sizes(model, X[:, :3])


# -- words ----------------------------------------------------------------------------


def test_top_words_are_the_most_probable(model):
    assert_array_equal(
        top_words(model, WORDS, n_words=2), [["the", "cat"], ["the", "dog"]]
    )


def test_top_words_without_names_are_scikit_learn_s(lda, peer):
    expected = [f"x{v}" for v in np.argsort(-lda.topic_word_[1])[:3]]
    assert lda.top_words(3)[1].tolist() == expected
    assert top_words(peer).shape == (5, 10)


def test_top_words_know_the_names_of_a_frame(corpus):
    pd = pytest.importorskip("pandas")
    names = [f"word{v}" for v in range(corpus.shape[1])]
    frame = pd.DataFrame(corpus.toarray(), columns=names)
    lda = AmortizedLDA(2, max_iter=1, random_state=0).fit(frame)
    first = names[np.argmax(lda.topic_word_[0])]
    assert lda.top_words(1)[0, 0] == first
    assert lda.top_words(1, [name.upper() for name in names])[0, 0] == first.upper()


def test_a_ranking_takes_the_place_of_probability(model):
    ranking = [[0, 0, 1, 0], [0, 1, 0, 0]]
    words = top_words(model, WORDS, n_words=1, ranking=ranking)
    assert_array_equal(words, [["purr"], ["cat"]])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"feature_names": WORDS[:3]}, "feature_names must be the model's 4 words"),
        ({"n_words": 5}, "n_words must be an integer from 1 to 4"),
        ({"n_words": True}, "n_words must be an integer"),
        ({"n_words": 1, "ranking": np.ones((2, 3))}, r"ranking must have .*\(2, 4\)"),
    ],
)
def test_unfit_words_are_refused(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        top_words(model, **arguments)


@pytest.mark.parametrize("weight", [0.0, 0.6, 1.0])
def test_relevance_by_hand(model, weight):
    marginal = [0.5, 0.21, 0.14, 0.15]  # at sizes 0.7 and 0.3
    with np.errstate(divide="ignore"):
        log_p = np.log(TOPICS)
        expected = log_p - (1 - weight) * np.log(marginal)
    assert_allclose(topic_relevance(model, X, weight=weight), expected)


def test_relevance_of_a_word_of_no_topic_is_the_least():
    topics = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    relevance = topic_relevance(model_of(THETA, topics), X[:, :3], weight=0.0)
    assert_array_equal(relevance[:, 2], -np.inf)
    assert not np.isnan(relevance).any()


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_a_weight_of_relevance_is_a_share(model, weight):
    with pytest.raises(ValueError, match="weight must be between 0 and 1"):
        topic_relevance(model, X, weight=weight)


def test_table_by_hand(model):
    pytest.importorskip("pandas")
    table = topic_table(model, X, WORDS, n_words=2)
    assert table.index.tolist() == [0, 1]
    assert table.columns.tolist() == ["size", "coherence", "exclusivity", "words"]
    assert_allclose(table["size"], [0.7, 0.3])
    assert table["words"].tolist() == ["the cat", "the dog"]
    # "the" is half of each topic, the other word of one alone.
    assert_allclose(table["exclusivity"], [0.75, 0.75])
    assert_allclose(
        table["coherence"], topic_coherence(TOPICS, X, n_top_words=2, average=False)
    )


def test_table_of_fitted_models(lda, peer, corpus):
    pytest.importorskip("pandas")
    for fitted in (lda, peer):
        table = topic_table(fitted, corpus)
        assert_allclose(table["alpha"], fitted.doc_topic_prior_)
        assert_allclose(table["size"].sum(), 1.0)
        assert table["words"].str.split().str.len().tolist() == [10] * 5
    ranking = topic_relevance(lda, corpus, weight=0.0)
    by_relevance = topic_table(lda, corpus, ranking=ranking)
    assert_array_equal(by_relevance["coherence"], topic_table(lda, corpus)["coherence"])
    assert np.all(by_relevance["words"] != topic_table(lda, corpus)["words"])


def test_table_without_pandas_names_the_extra(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"sklearn-amortlda\[pandas\]"):
        topic_table(model, X, n_words=2)


# -- documents ------------------------------------------------------------------------


def test_a_single_word_represents_nothing():
    counts = np.array([[1, 0, 0, 0], [20, 10, 5, 5], [9, 0, 0, 0], [400, 0, 0, 0]])
    model = model_of([[1.0, 0.0], [0.9, 0.1], [0.9, 0.1], [0.5, 0.5]])
    best = representative_documents(model, counts, n_documents=4)[0]
    # The longer of equal shares first; neither one word nor mere length wins.
    assert_array_equal(best, [1, 2, 3, 0])


def test_documents_without_words_come_last(model):
    # The prior says half of each topic for the last document, but there is no word.
    ranked = representative_documents(model, X, n_documents=2)
    assert_array_equal(ranked, [[0, 1], [2, 1]])


def test_there_are_not_more_documents_than_there_are(model):
    with pytest.raises(ValueError, match="n_documents must be an integer from 1 to 4"):
        representative_documents(model, X, n_documents=5)


def test_shares_of_classes_by_hand(model):
    classes, shares = topics_per_class(model, X, ["b", "b", "a", "c"])
    assert_array_equal(classes, ["a", "b", "c"])
    assert_allclose(shares, [[0, 1], [7 / 8, 1 / 8], [np.nan, np.nan]])


def test_shares_of_classes_add_up_to_the_sizes(lda, corpus):
    y = np.arange(corpus.shape[0]) % 3
    _, shares = topics_per_class(lda, corpus, y)
    n_words = np.bincount(y, np.asarray(corpus.sum(axis=1)).ravel())
    assert_allclose(n_words @ shares / n_words.sum(), topic_sizes(lda, corpus))


def test_classes_of_another_number_are_refused(model):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        topics_per_class(model, X, [0, 1])


YEARS = [2000, 2000, 2010, 2005]
TIMES = {
    "numbers": (YEARS, [2000.0, 2005.0, 2010.0]),
    "datetimes": (
        [datetime(2000, 1, day) for day in (1, 2, 9, 5)],
        np.array(["2000-01-01", "2000-01-05", "2000-01-09"], "datetime64[us]"),
    ),
    "days": (
        np.array(["2000-01-01", "2000-01-02", "2000-01-09", "2000-01-05"], "M8[D]"),
        np.array(["2000-01-01", "2000-01-05", "2000-01-09"], "M8[D]"),
    ),
}


@pytest.mark.parametrize("kind", TIMES)
def test_spans_of_time_by_hand(model, kind):
    time, expected = TIMES[kind]
    edges, shares = topics_over_time(model, X, time, n_bins=2)
    assert_array_equal(edges, expected)
    assert edges.dtype == np.asarray(expected).dtype
    assert_allclose(shares, [[7 / 8, 1 / 8], [0, 1]])


def test_a_span_without_words_has_no_shares(model):
    _, shares = topics_over_time(model, X, YEARS, n_bins=5)
    assert_array_equal(np.isnan(shares).any(axis=1), [False, True, True, True, False])


def test_a_moment_is_a_span(model):
    edges, shares = topics_over_time(model, X, [7] * 4, n_bins=1)
    assert_array_equal(edges, [7, 7])
    assert_allclose(shares, [topic_sizes(model, X)])


def test_a_column_of_a_frame_is_time(model):
    pd = pytest.importorskip("pandas")
    time = pd.Series(pd.to_datetime(["2000-01-01", "2000-01-02"] * 2))
    edges, shares = topics_over_time(model, X, time, n_bins=2)
    assert edges[0] == np.datetime64("2000-01-01") and shares.shape == (2, 2)
    with pytest.raises(ValueError, match="missing"):
        topics_over_time(model, X, time.mask(time.index == 1), n_bins=2)


@pytest.mark.parametrize(
    "time, error, message",
    [
        ([1, 2, 3, np.nan], ValueError, "missing"),
        (["May", "June", "May", "July"], TypeError, "numbers or datetimes"),
        ([1, 2, 3], ValueError, "inconsistent numbers of samples"),
    ],
)
def test_what_is_no_time_is_refused(model, time, error, message):
    with pytest.raises(error, match=message):
        topics_over_time(model, X, time)


# -- two models -----------------------------------------------------------------------


def test_alignment_finds_the_permutation(lda):
    order = np.array([3, 0, 4, 1, 2])
    shuffled = SimpleNamespace(topic_word_=7 * lda.topic_word_[order])
    topics_a, topics_b, similarities = align_topics(lda, shuffled)
    assert_array_equal(topics_a, np.arange(5))
    assert_array_equal(topics_b, np.argsort(order))
    assert_allclose(similarities, 1.0)
    assert similarities.max() <= 1.0


def test_alignment_of_unequal_numbers_leaves_topics_alone(lda):
    fewer = lda.topic_word_[[4, 1]]
    topics_a, topics_b, _ = align_topics(lda, fewer)
    assert_array_equal(topics_a, [1, 4])
    assert_array_equal(topics_b, [1, 0])
    assert_array_equal(align_topics(fewer, lda)[1], [4, 1])


def test_stability_is_the_mean_similarity_of_the_aligned(lda, peer):
    *_, similarities = align_topics(lda, peer)
    expected = topic_stability([lda.topic_word_, peer.components_])
    assert_allclose(similarities.mean(), expected)


def test_alignment_needs_one_vocabulary():
    with pytest.raises(ValueError, match="a has 3 words and b 2"):
        align_topics(np.eye(3), np.eye(2))


# -- how many -------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["completion", "logistic_normal"])
def test_pruning_to_all_topics_in_another_order_changes_nothing_else(corpus, objective):
    lda = AmortizedLDA(
        4, objective=objective, refine=0, max_iter=2, random_state=0
    ).fit(corpus)
    order = [2, 0, 3, 1]
    pruned = prune_topics(lda, order)
    expected = lda.doc_topic_posterior(corpus).concentration[:, order]
    found = pruned.doc_topic_posterior(corpus).concentration
    assert_allclose(found, expected, rtol=1e-4)
    assert_array_equal(pruned.topic_word_, lda.topic_word_[order])


def test_pruned_topics_share_the_documents_out(lda, corpus):
    keep = np.array([True, False, True, True, False])
    pruned = prune_topics(lda, keep)
    theta = pruned.transform(corpus)
    assert theta.shape == (corpus.shape[0], 3)
    assert_allclose(theta.sum(axis=1), 1.0)
    assert pruned.get_params()["n_components"] == 3
    assert list(pruned.get_feature_names_out()) == [
        f"amortizedlda{i}" for i in range(3)
    ]
    # Documents of the kept topics are as they were.
    before = lda.transform(corpus)[:, keep]
    own = before.sum(axis=1) > 0.95
    assert own.mean() > 0.1
    assert_allclose(theta[own], before[own], atol=0.1)


@pytest.mark.parametrize("objective", ["completion", "logistic_normal"])
def test_pruned_models_learn_on(corpus, objective):
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


def test_pruning_cuts_priors_that_were_given_by_topic(corpus):
    alpha, eta = np.array([0.1, 0.2, 0.3]), np.full((3, corpus.shape[1]), 0.1)
    eta[1] = 0.5
    lda = AmortizedLDA(
        3, doc_topic_prior=alpha, topic_word_prior=eta, max_iter=1, random_state=0
    ).fit(corpus)
    pruned = prune_topics(lda, [1])
    assert_allclose(pruned.doc_topic_prior_, [0.2])
    assert_array_equal(pruned.topic_word_prior_, eta[[1]])
    assert not hasattr(pruned, "bound_")
    assert clone(pruned).fit(corpus).components_.shape == (1, corpus.shape[1])
    assert lda.topic_word_prior is not None and len(lda.topic_word_prior) == 3


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
def test_what_names_no_topics_cannot_be_kept(lda, keep, message):
    with pytest.raises(ValueError, match=message):
        prune_topics(lda, keep)


def test_only_an_amortized_lda_can_be_pruned(peer):
    with pytest.raises(TypeError, match="LatentDirichletAllocation"):
        prune_topics(peer, [0])


def test_curve_is_what_its_splits_say(corpus):
    estimator = LatentDirichletAllocation(max_iter=3, random_state=0)
    train, test = np.arange(200), np.arange(200, 300)
    curve = n_components_curve(estimator, corpus, [2, 5], cv=[(train, test)])
    fitted = clone(estimator).set_params(n_components=5).fit(corpus[train])
    assert_array_equal(curve.n_components, [2, 5])
    assert_allclose(
        curve.perplexity[1], document_completion_perplexity(fitted, corpus[test])
    )
    assert_allclose(curve.coherence[1], topic_coherence(fitted.components_, corpus))
    assert curve.diversity.shape == (2, 1)
    assert not hasattr(estimator, "components_")


def test_curve_holds_random_documents_out(corpus):
    estimator = LatentDirichletAllocation(max_iter=2, random_state=0)
    curves = [
        n_components_curve(estimator, corpus, [3], random_state=seed).perplexity
        for seed in (0, 0, 1)
    ]
    assert curves[0].shape == (1, 3)
    assert_array_equal(curves[0], curves[1])
    assert np.any(curves[0] != curves[2])


def test_curve_of_ours_turns_at_the_planted_number(corpus):
    estimator = AmortizedLDA(random_state=0)
    perplexity = n_components_curve(
        estimator, corpus, [1, 5], cv=[(np.arange(240), np.arange(240, 300))]
    ).perplexity[:, 0]
    assert perplexity[1] < 0.8 * perplexity[0]


# -- whatever comes -------------------------------------------------------------------


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, sp.csc_matrix])
def test_counts_come_in_any_container_and_stay(model, container):
    counts = container(X)
    before = counts.copy()
    expected = topic_relevance(model, X)
    assert_allclose(topic_relevance(model, counts), expected)
    assert_array_equal(
        representative_documents(model, counts, n_documents=1).T, [[0, 2]]
    )
    assert abs(counts - before).sum() == 0


def test_models_with_frames_for_output(peer, corpus):
    pytest.importorskip("pandas")
    expected = topic_sizes(peer, corpus)
    framed = clone(peer).fit(corpus).set_output(transform="pandas")
    assert_allclose(topic_sizes(framed, corpus), expected)
