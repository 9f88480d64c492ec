"""The prior of seed words, and the topics that are learned with it."""

import numpy as np
import pytest
from conftest import draw_corpus
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from sklearn_amortlda import AmortizedLDA, seeded_topic_word_prior
from sklearn_amortlda.inspection import align_topics

WORDS = ["ball", "goal", "law", "vote"]


def test_prior_is_the_base_plus_the_boost_at_seed_words():
    prior = seeded_topic_word_prior(
        {2: ["vote", "law"], 0: ["goal"]}, WORDS, 3, base=0.5, boost=10
    )
    expected = np.full((3, 4), 0.5)
    expected[[2, 2, 0], [3, 2, 1]] = 10.5
    assert_array_equal(prior, expected)


def test_list_seeds_the_first_topics():
    by_list = seeded_topic_word_prior([["ball"], [], ("law", "vote")], WORDS, 4)
    by_dict = seeded_topic_word_prior({0: ["ball"], 2: ["law", "vote"]}, WORDS, 4)
    assert_array_equal(by_list, by_dict)


def test_word_may_seed_two_topics():
    prior = seeded_topic_word_prior([["ball"], ["ball"]], np.array(WORDS), 2, boost=7)
    assert_array_equal(prior[:, 0], [7.03, 7.03])


@pytest.mark.parametrize(
    "seed_words, error, message",
    [
        ({0: ["Ball", "vote"]}, ValueError, r"\['Ball'\] of topic 0 are not in"),
        ({3: ["ball"]}, ValueError, "indices from 0 to 2"),
        ({-1: ["ball"]}, ValueError, "indices from 0 to 2"),
        ([["ball"]] * 4, ValueError, "topic 3"),
        ({"sport": ["ball"]}, ValueError, "'sport'"),
        ({1: "ball"}, TypeError, "list of words"),
        (["ball", "law"], TypeError, "list of words"),
        ({1: ["ball", "ball"]}, ValueError, "twice"),
    ],
)
def test_invalid_seed_words_raise(seed_words, error, message):
    with pytest.raises(error, match=message):
        seeded_topic_word_prior(seed_words, WORDS, 3)


@pytest.mark.parametrize("name", ["base", "boost"])
def test_pseudo_count_of_zero_raises(name):
    with pytest.raises(ValueError, match=f"{name}=0"):
        seeded_topic_word_prior({}, WORDS, 2, **{name: 0})


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_seeded_topics_are_the_planted_topics_of_their_seed_words(seed):
    # Of 6 planted topics, two words each seed three topics.
    corpus, beta, _ = draw_corpus(600, 6, 120, 40, seed=seed)
    order = beta.argsort(axis=1)[:, ::-1]
    own = [
        [v for v in words if beta[:, v].argmax() == k] for k, words in enumerate(order)
    ]
    planted_of = {4: 0, 1: 1, 3: 2}
    seeds = {topic: own[planted][:2] for topic, planted in planted_of.items()}
    prior = seeded_topic_word_prior(seeds, range(120), 6)
    # One fit in ten has a topic in the place of another, and a lower bound.
    lda = max(
        (
            AmortizedLDA(6, topic_word_prior=prior, random_state=i).fit(corpus)
            for i in range(3)
        ),
        key=lambda lda: lda.bound_,
    )
    _, topic_of, _ = align_topics(beta, lda)
    assert {int(topic_of[planted]): planted for planted in (0, 1, 2)} == planted_of


@pytest.mark.parametrize("sparse", [False, True])
def test_with_counts_the_boost_is_a_multiple_of_the_occurrences(sparse):
    X = np.array([[4, 2, 0, 1], [0, 0, 3, 9]])
    X = csr_array(X) if sparse else X
    prior = seeded_topic_word_prior([["goal", "vote"]], WORDS, 2, boost=0.5, X=X)
    assert_array_equal(prior, [[0.03, 1.03, 0.03, 5.03], [0.03] * 4])
    with pytest.raises(ValueError, match="X has 4 columns and feature_names 3 words"):
        seeded_topic_word_prior([["goal"]], WORDS[:3], 2, X=X)


@pytest.mark.parametrize("n_samples", [300, 3000])
def test_seeds_relative_to_the_corpus_hold_where_documents_say_otherwise(n_samples):
    X, beta, _ = draw_corpus(n_samples, 5, 60, 30)
    words = [f"w{v}" for v in range(60)]
    # The best word of each topic: no document says that they belong together.
    seeds = [words[v] for v in (beta / beta.sum(axis=0)).argmax(axis=1)[:3]]

    def kept(**settings):
        prior = seeded_topic_word_prior([seeds], words, 6, **settings)
        lda = AmortizedLDA(6, topic_word_prior=prior, random_state=0).fit(X)
        top = lda.top_words(words, n_words=5, ranking="probability")[0]
        return len({*top} & {*seeds})

    assert kept(X=X) == 3 > kept(boost=0.1)
