"""Duplicate topics are merged, and the freed topics split others."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import F64

from sklearn_amortlda.model.merge_split import merge_and_split
from sklearn_amortlda.model.topics import Topics

ETA = 0.05


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def topics_of(*counts):
    return Topics(np.array(counts) + ETA, ETA, **F64)


def distinct(n_topics, n_words=40):
    """Expected counts of topics that share no words; topic k has size k + 1."""
    counts = np.zeros((n_topics, n_words * n_topics))
    for k in range(n_topics):
        counts[k, k * n_words : (k + 1) * n_words] = (k + 1.0) * np.arange(1, 41)
    return counts


def test_distinct_topics_are_left_as_they_are(rng):
    topics = topics_of(*distinct(4))
    before = topics.components()
    assert merge_and_split(topics, set(), rng) == []
    assert_allclose(topics.components(), before)


def test_duplicate_is_merged_and_the_largest_topic_is_split(rng):
    a, b, c = distinct(3)
    topics, already_split = topics_of(a, b, c, 0.9 * a), set()
    ((freed, twin, split),) = merge_and_split(topics, already_split, rng)
    assert {freed, twin} == {0, 3} and split == 2 and already_split == {2}
    counts = topics.components() - ETA
    assert_allclose(counts[twin], 1.9 * a)
    assert_allclose(counts[1], b)
    assert_allclose(counts[freed] + counts[split], c, atol=1e-12)
    share = counts[freed][c > 0] / c[c > 0]
    assert share.min() > 0.3 - 1e-9 and share.max() < 0.7 + 1e-9
    assert share.std() > 0.05
    assert_allclose(topics.sizes, counts.sum(axis=1))


def test_topic_is_split_once_in_a_training(rng):
    a, b, c = distinct(3)
    topics, already_split = topics_of(a, b, c, 0.9 * a), {2}
    ((_, _, split),) = merge_and_split(topics, already_split, rng)
    assert split == 1 and already_split == {1, 2}
    topics = topics_of(a, b, c, 0.9 * a)
    assert merge_and_split(topics, {1, 2}, rng) == []
    assert_allclose(topics.components()[3] - ETA, 0.9 * a)


def test_each_topic_takes_part_in_one_move(rng):
    a, b, c, d = distinct(4)
    topics = topics_of(a, b, c, d, 0.9 * a, 0.8 * a, 0.9 * b)
    moves = merge_and_split(topics, set(), rng)
    assert len(moves) == 2
    assert len({topic for move in moves for topic in move}) == 6


def test_words_that_have_not_occurred_stay_at_the_prior(rng):
    a, b, c = np.hstack([distinct(3), np.zeros((3, 5))])
    topics = topics_of(a, b, c, 0.9 * a)
    assert merge_and_split(topics, set(), rng)
    assert_allclose(topics.components()[:, -5:], ETA)
    assert torch.isinf(topics._last_update[-5:]).all()


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_topics_without_words_or_with_nan_are_left_as_they_are(rng, value):
    topics = topics_of(*np.full((3, 20), value))
    already_split = set()
    assert merge_and_split(topics, already_split, rng) == [] and not already_split
