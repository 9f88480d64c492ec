"""Overlap of topics' top words against plain loops."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_amortlda.metrics import inverted_rbo, topic_diversity, topic_uniqueness


def rankings(topics, n_words):
    return [sorted(range(len(row)), key=lambda v: -row[v])[:n_words] for row in topics]


def extrapolated_rbo(one, other, p):
    """Equation 32 of Webber, Moffat & Zobel (2010), for lists of one length."""
    n = len(one)
    total = 0.0
    for d in range(1, n + 1):
        total += len(set(one[:d]) & set(other[:d])) / d * p**d
    return len(set(one) & set(other)) / n * p**n + (1 - p) / p * total


@pytest.mark.parametrize("n_top_words", [1, 5, 15])
def test_uniqueness_counts_words_of_one_topic(topics, n_top_words):
    words = Counter(w for row in rankings(topics, n_top_words) for w in row)
    expected = sum(n == 1 for n in words.values()) / (len(topics) * n_top_words)
    found = topic_uniqueness(topics, n_top_words=n_top_words)
    assert_allclose(found, expected)
    assert found <= topic_diversity(topics, n_top_words=n_top_words)


@pytest.mark.parametrize("n_top_words", [1, 4, 10])
@pytest.mark.parametrize("weight", [0.2, 0.9])
def test_inverted_rbo_equals_plain_loops(topics, n_top_words, weight):
    pairs = combinations(rankings(topics, n_top_words), 2)
    expected = 1 - np.mean([extrapolated_rbo(a, b, weight) for a, b in pairs])
    found = inverted_rbo(topics, n_top_words=n_top_words, weight=weight)
    assert_allclose(found, expected)


def test_published_value_of_rank_biased_overlap():
    # Rankings "abcdefg" and "bacdefg" differ in the first two words only, so only the
    # first depth has no overlap: the overlap is 1 - (1 - p).
    first = np.arange(7, 0, -1.0)
    second = first.copy()
    second[:2] = second[1::-1]
    found = inverted_rbo([first, second], n_top_words=7, weight=0.9)
    assert_allclose(found, 0.1)


def test_equal_and_distinct_topics():
    equal = np.tile([3.0, 2.0, 1.0, 0.0], (3, 1))
    assert_allclose(inverted_rbo(equal, n_top_words=2), 0.0, atol=1e-12)
    assert topic_uniqueness(equal, n_top_words=2) == 0.0
    distinct = np.eye(4)[:, :4]
    assert inverted_rbo(distinct, n_top_words=1) == 1.0
    assert topic_uniqueness(distinct, n_top_words=1) == 1.0


@pytest.mark.parametrize("weight", [0, 1, -0.5, np.nan])
def test_invalid_weight_raises(topics, weight):
    with pytest.raises(ValueError, match="weight must be between 0 and 1"):
        inverted_rbo(topics, weight=weight)


def test_overlap_of_one_topic_raises(topics):
    with pytest.raises(ValueError, match="needs at least two, got 1"):
        inverted_rbo(topics[:1])
