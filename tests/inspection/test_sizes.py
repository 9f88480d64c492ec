"""Sizes of topics, computed by hand."""

import numpy as np
import pytest
from inspection.fixed_model import X, fixed_model
from numpy.testing import assert_allclose

from sklearn_amortlda.inspection import effective_number_of_topics, topic_sizes


def test_sizes_weight_documents_by_their_number_of_words(model):
    # 7 of the 10 words belong to topic 0: 6 of document 0 and 1 of document 1.
    assert_allclose(topic_sizes(model, X), [0.7, 0.3])


def test_effective_number_counts_equal_topics():
    theta = np.full((4, 2), 0.5)
    assert_allclose(effective_number_of_topics(fixed_model(theta), X), 2.0)


def test_effective_number_of_a_single_used_topic_is_1():
    theta = np.eye(2)[[0] * 4]
    assert_allclose(effective_number_of_topics(fixed_model(theta), X), 1.0)


def test_counts_without_words_raise(model):
    with pytest.raises(ValueError, match="X holds no words"):
        topic_sizes(model, np.zeros_like(X))


def test_counts_of_another_vocabulary_raise(model):
    with pytest.raises(ValueError, match="X has 3 words"):
        topic_sizes(model, X[:, :3])
