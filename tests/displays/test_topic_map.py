"""Map of the topics: distances, areas and labels."""

from itertools import combinations

import numpy as np
import pytest
from displays.drawing import WORDS, UniformModel
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import pdist

from sklearn_amortlda.displays import TopicMapDisplay
from sklearn_amortlda.inspection import top_words, topic_sizes


def test_map_keeps_the_distances_of_three_topics(corpus):
    topic_word = np.random.default_rng(0).dirichlet(np.full(60, 0.1), 3)
    display = TopicMapDisplay.from_estimator(UniformModel(topic_word), corpus)
    # Any three points of a metric space can be embedded in the plane.
    expected = pdist(topic_word, "jensenshannon")
    assert_allclose(pdist(display.coordinates), expected, rtol=1e-3)


def test_areas_are_sizes_and_labels_are_top_words(model, corpus):
    display = TopicMapDisplay.from_estimator(model, corpus, WORDS, n_words=2)
    areas = display.circles_.get_sizes()
    assert_allclose(areas / areas.sum(), topic_sizes(model, corpus))
    assert_array_equal(display.circles_.get_offsets(), display.coordinates)
    words = top_words(model, WORDS, n_words=2)
    for k, text in enumerate(display.texts_):
        assert text.get_text() in ("\n".join([str(k), *words[k]]), str(k))
        assert_array_equal(text.get_position(), display.coordinates[k])


@pytest.mark.parametrize("n_topics", [1, 2, 4])
def test_equal_topics_have_equal_coordinates(n_topics, corpus):
    topics = UniformModel(np.tile(np.arange(1.0, 61.0), (n_topics, 1)))
    display = TopicMapDisplay.from_estimator(topics, corpus)
    assert_allclose(display.coordinates, np.zeros((n_topics, 2)), atol=1e-6)


@pytest.mark.parametrize("n_topics", [2, 10, 50])
def test_labels_are_inside_their_circles_and_circles_inside_the_map(n_topics, corpus):
    topic_word = np.random.default_rng(0).dirichlet(np.full(60, 0.1), n_topics)
    names = [f"quite-a-long-word-{v}" for v in range(60)]
    display = TopicMapDisplay.from_estimator(UniformModel(topic_word), corpus, names)
    display.figure_.canvas.draw()
    frame = display.ax_.get_window_extent()
    radii = np.sqrt(display.circles_.get_sizes() / np.pi) * display.figure_.dpi / 72
    centres = display.ax_.transData.transform(display.coordinates)
    for text, radius, (x, y) in zip(display.texts_, radii, centres):
        corners = text.get_window_extent().corners()
        assert np.hypot(*(corners - (x, y)).T).max() <= radius
        assert frame.x0 <= x - radius and x + radius <= frame.x1
        assert frame.y0 <= y - radius and y + radius <= frame.y1


def test_circle_without_room_for_words_has_the_index_alone(corpus):
    theta = np.array([0.999, 0.001])
    model = UniformModel(np.random.default_rng(0).dirichlet(np.ones(60), 2))
    model.transform = lambda X: np.tile(theta, (X.shape[0], 1))
    large, small = TopicMapDisplay.from_estimator(model, corpus, WORDS).texts_
    assert large.get_text().startswith("0\nword") and small.get_text() == "1"


def test_labels_of_50_topics_rarely_overlap(corpus):
    topic_word = np.random.default_rng(0).dirichlet(np.full(60, 0.1), 50)
    display = TopicMapDisplay.from_estimator(UniformModel(topic_word), corpus)
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.texts_]
    frame = display.ax_.get_window_extent()
    assert all(frame.x0 < box.x0 and box.x1 < frame.x1 for box in boxes)
    hidden = 0
    for a, b in combinations(boxes, 2):
        common = a.intersection(a, b)
        hidden += common is not None and common.width * common.height > (
            0.3 * min(a.width * a.height, b.width * b.height)
        )
    assert hidden <= 2
