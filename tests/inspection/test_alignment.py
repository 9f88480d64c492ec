"""Alignment of the topics of two models."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda.inspection import align_topics
from sklearn_amortlda.metrics import topic_stability


def test_alignment_recovers_a_permutation(lda):
    order = np.array([3, 0, 4, 1, 2])
    shuffled = SimpleNamespace(topic_word_=7 * lda.topic_word_[order])
    topics_a, topics_b, similarities = align_topics(lda, shuffled)
    assert_array_equal(topics_a, np.arange(5))
    assert_array_equal(topics_b, np.argsort(order))
    assert_allclose(similarities, 1.0)
    assert similarities.max() <= 1.0


def test_topics_of_the_larger_model_stay_unmatched(lda):
    fewer = lda.topic_word_[[4, 1]]
    topics_a, topics_b, _ = align_topics(lda, fewer)
    assert_array_equal(topics_a, [1, 4])
    assert_array_equal(topics_b, [1, 0])
    assert_array_equal(align_topics(fewer, lda)[1], [4, 1])


def test_mean_similarity_is_the_stability(lda, peer):
    *_, similarities = align_topics(lda, peer)
    expected = topic_stability([lda.topic_word_, peer.components_])
    assert_allclose(similarities.mean(), expected)


def test_vocabularies_of_different_sizes_raise():
    with pytest.raises(ValueError, match="a has 3 words and b has 2"):
        align_topics(np.eye(3), np.eye(2))
