"""Bars of the top words of topics."""

from types import SimpleNamespace

import numpy as np
import pytest
from displays.drawing import WORDS, UniformModel, texts_of
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda.displays import TopicsDisplay
from sklearn_amortlda.inspection import topic_lift


@pytest.mark.parametrize("ranking", ["lift", "probability"])
def test_bars_are_the_probabilities_of_the_top_words(model, ranking):
    display = TopicsDisplay.from_estimator(
        model, WORDS, topics=[3, 0], n_words=4, ranking=ranking
    )
    topic_word = model.components_ / model.components_.sum(axis=1, keepdims=True)
    scores = topic_lift(model) if ranking == "lift" else topic_word
    for k, axes, bars in zip([3, 0], display.axes_, display.bars_):
        top = np.argsort(-scores[k])[:4]
        assert_allclose([bar.get_width() for bar in bars], topic_word[k, top])
        assert texts_of(axes.get_yticklabels()) == list(WORDS[top])
        size = model.components_[k].sum() / model.components_.sum()
        assert axes.get_title() == f"topic {k} ({size:.1%})"
        assert axes.get_xlabel() == "probability in the topic"
        # The best word has the uppermost bar.
        assert axes.yaxis_inverted()
    assert display.axes_[0].get_xlim() == display.axes_[1].get_xlim()
    assert len(display.figure_.axes) == 2


def test_largest_topics_come_first(model):
    display = TopicsDisplay.from_estimator(model, n_cols=3)
    totals = model.components_.sum(axis=1)
    assert_array_equal(display.topics, np.argsort(-totals))
    assert_allclose(display.sizes, np.sort(totals / totals.sum())[::-1])
    # Only the lowest panel of each column has the label of the axis.
    labelled = [bool(axes.get_xlabel()) for axes in display.axes_]
    assert labelled == [False, False, True, True, True]


def test_topics_without_sizes_keep_their_order(model):
    topics = model.components_ / model.components_.sum(axis=1, keepdims=True)
    display = TopicsDisplay.from_estimator(SimpleNamespace(topic_word_=topics))
    assert [axes.get_title() for axes in display.axes_] == [
        f"topic {k}" for k in range(5)
    ]


def test_long_words_stay_inside_the_figure():
    names = [*WORDS[:59], "antidisestablishment" * 3]
    topics = UniformModel(np.linspace(1, 2, 60) * np.ones((7, 1)))
    display = TopicsDisplay.from_estimator(topics, names, n_cols=3)
    display.figure_.canvas.draw()
    figure = display.figure_.bbox
    for axes in display.axes_:
        for label in axes.get_yticklabels():
            box = label.get_window_extent()
            assert figure.x0 <= box.x0 and box.x1 <= axes.get_window_extent().x0
