"""Top words, relevance and the table of topics."""

import sys

import numpy as np
import pytest
from inspection.fixed_model import THETA, TOPICS, WORDS, X, fixed_model
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import top_words, topic_relevance, topic_table
from sklearn_amortlda.metrics import topic_coherence


def test_top_words_are_the_most_probable_words(model):
    assert_array_equal(
        top_words(model, WORDS, n_words=2), [["the", "cat"], ["the", "dog"]]
    )


def test_default_names_are_numbered_columns(lda, peer):
    expected = [f"x{v}" for v in np.argsort(-lda.topic_word_[1])[:3]]
    assert lda.top_words(n_words=3)[1].tolist() == expected
    assert top_words(peer).shape == (5, 10)


def test_column_names_of_a_frame_are_the_default_names(corpus):
    pd = pytest.importorskip("pandas")
    names = [f"word{v}" for v in range(corpus.shape[1])]
    frame = pd.DataFrame(corpus.toarray(), columns=names)
    lda = AmortizedLDA(2, max_iter=1, random_state=0).fit(frame)
    first = names[np.argmax(lda.topic_word_[0])]
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


def test_table_has_the_values_computed_by_hand(model):
    pytest.importorskip("pandas")
    table = topic_table(model, X, WORDS, n_words=2)
    assert table.index.tolist() == [0, 1]
    assert table.columns.tolist() == ["size", "coherence", "exclusivity", "words"]
    assert_allclose(table["size"], [0.7, 0.3])
    assert table["words"].tolist() == ["the cat", "the dog"]
    # "the" has exclusivity 0.5, and the second word of each topic has 1.
    assert_allclose(table["exclusivity"], [0.75, 0.75])
    assert_allclose(
        table["coherence"], topic_coherence(TOPICS, X, n_top_words=2, average=False)
    )


def test_table_of_a_fitted_model_has_its_prior(lda, peer, corpus):
    pytest.importorskip("pandas")
    for fitted in (lda, peer):
        table = topic_table(fitted, corpus)
        assert_allclose(table["alpha"], fitted.doc_topic_prior_)
        assert_allclose(table["size"].sum(), 1.0)
        assert table["words"].str.split().str.len().tolist() == [10] * 5


def test_ranking_changes_the_words_of_the_table_only(lda, corpus):
    pytest.importorskip("pandas")
    ranking = topic_relevance(lda, corpus, weight=0.0)
    by_relevance = topic_table(lda, corpus, ranking=ranking)
    assert_array_equal(by_relevance["coherence"], topic_table(lda, corpus)["coherence"])
    assert np.all(by_relevance["words"] != topic_table(lda, corpus)["words"])


def test_missing_pandas_raises_with_the_command_that_installs_it(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        topic_table(model, X, n_words=2)
