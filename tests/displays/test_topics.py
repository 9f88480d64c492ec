"""Bars of the top words of topics."""

import numpy as np
import pytest
from displays.drawing import WORDS, UniformModel, texts_of
from numpy.testing import assert_allclose

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
        assert axes.get_title() == f"topic {k}"
        # The best word has the uppermost bar.
        assert axes.yaxis_inverted()
    assert display.axes_[0].get_xlim() == display.axes_[1].get_xlim()
    assert len(display.figure_.axes) == 2


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
