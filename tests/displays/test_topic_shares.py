"""Heat maps of topics by class and by time."""

from itertools import pairwise

import numpy as np
import pytest
from displays.drawing import WORDS, texts_of
from numpy.testing import assert_array_equal

from sklearn_amortlda.displays import TopicsOverTimeDisplay, TopicsPerClassDisplay
from sklearn_amortlda.inspection import top_words, topics_over_time, topics_per_class


def test_class_map_draws_topics_per_class(model, corpus):
    y = np.array(["ham", "spam", "eggs"])[np.arange(corpus.shape[0]) % 3]
    display = TopicsPerClassDisplay.from_estimator(model, corpus, y, WORDS, n_words=2)
    classes, shares = topics_per_class(model, corpus, y)
    cells = display.mesh_.get_array().reshape(5, 3)
    assert_array_equal(cells, shares[:, display.topics].T)
    assert sorted(display.topics) == list(range(5))
    assert texts_of(display.ax_.get_xticklabels()) == list(classes)
    words = top_words(model, WORDS, n_words=2)
    assert texts_of(display.ax_.get_yticklabels()) == [
        f"{' '.join(words[k])}  {k}" for k in display.topics
    ]
    # Row i of the array is at tick i, and the first row is the uppermost one.
    assert_array_equal(display.ax_.get_yticks(), np.arange(5))
    assert display.ax_.yaxis_inverted()


def test_topics_are_sorted_by_peak_or_in_the_given_order(model, corpus):
    y = np.arange(corpus.shape[0]) % 4
    display = TopicsPerClassDisplay.from_estimator(model, corpus, y)
    peaks = display.shares.argmax(axis=0)
    assert list(peaks) == sorted(peaks)
    given = TopicsPerClassDisplay.from_estimator(model, corpus, y, topics=[4, 1])
    _, shares = topics_per_class(model, corpus, y)
    assert_array_equal(given.shares, shares[:, [4, 1]])
    labels = texts_of(given.ax_.get_yticklabels())
    assert [label.split()[-1] for label in labels] == ["4", "1"]


def test_class_without_words_is_masked(model, corpus):
    X = corpus.toarray()
    X[:20] = 0
    display = TopicsPerClassDisplay.from_estimator(model, X, np.arange(300) < 20)
    masked = np.ma.getmaskarray(display.mesh_.get_array()).reshape(5, 2)
    assert_array_equal(masked, [[False, True]] * 5)


def test_names_of_many_classes_do_not_overlap(model, corpus):
    y = np.array([f"a class of some name, {i % 40:02d}" for i in range(300)])
    display = TopicsPerClassDisplay.from_estimator(model, corpus, y)
    display.figure_.canvas.draw()
    boxes = [label.get_window_extent() for label in display.ax_.get_xticklabels()]
    assert all(a.x1 <= b.x0 for a, b in pairwise(boxes))
    assert min(box.y0 for box in boxes) >= 0


@pytest.mark.parametrize("start", [1990.0, np.datetime64("1990-05-17")])
def test_time_map_draws_topics_over_time(model, corpus, start):
    time = start + np.arange(corpus.shape[0])
    display = TopicsOverTimeDisplay.from_estimator(model, corpus, time, n_bins=7)
    edges, shares = topics_over_time(model, corpus, time, n_bins=7)
    cells = display.mesh_.get_array().reshape(5, 7)
    assert_array_equal(cells, shares[:, display.topics].T)
    left, right = display.ax_.get_xlim()
    if display.edges.dtype.kind == "M":
        from matplotlib.dates import num2date

        left, right = num2date([left, right])
        left, right = (np.datetime64(t.replace(tzinfo=None)) for t in (left, right))
    assert (left, right) == (edges[0], edges[-1])
