"""Dendrograms of topics: leaves, distances, colours."""

import numpy as np
import pytest
from displays.drawing import WORDS, UniformModel, texts_of
from numpy.testing import assert_allclose

from sklearn_amortlda.displays import TopicHierarchyDisplay
from sklearn_amortlda.inspection import top_words, topic_hierarchy


def colours_of(display):
    """The colour of each merge, and its distance."""
    return [
        (tuple(colour), path.vertices[:, 0].max())
        for lines in display.ax_.collections
        for path, colour in zip(
            lines.get_paths(),
            np.broadcast_to(lines.get_colors(), (len(lines.get_paths()), 4)),
        )
    ]


def test_leaves_are_the_topics_with_their_top_words(model):
    display = TopicHierarchyDisplay.from_estimator(model, WORDS, n_words=2)
    words = top_words(model, WORDS, n_words=2)
    assert sorted(display.topics_) == list(range(5))
    assert texts_of(display.ax_.get_yticklabels()) == [
        f"{' '.join(words[k])}  {k}" for k in display.topics_
    ]


def test_merges_are_drawn_at_their_distances(model):
    display = TopicHierarchyDisplay.from_estimator(model)
    distances = sorted(distance for _, distance in colours_of(display))
    assert_allclose(distances, np.sort(topic_hierarchy(model).linkage[:, 2]))


def test_merges_above_the_cut_have_the_colour_of_the_root():
    topics = np.kron(np.eye(3), np.ones((2, 20))) + np.eye(6, 60) + 0.01
    display = TopicHierarchyDisplay.from_estimator(UniformModel(topics), n_groups=3)
    by_distance = [
        colour for colour, _ in sorted(colours_of(display), key=lambda c: c[1])
    ]
    below, above = by_distance[:3], by_distance[3:]
    assert len(set(above)) == 1 and above[0] not in below
    assert len(set(below)) == 3


def test_invalid_number_of_groups_raises(model):
    with pytest.raises(ValueError, match="n_groups must be an integer from 1 to 5"):
        TopicHierarchyDisplay.from_estimator(model, n_groups=6)
