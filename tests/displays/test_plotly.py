"""Interactive map of the topics."""

import re
import sys

import numpy as np
import pytest
from displays.drawing import WORDS
from numpy.testing import assert_allclose

from sklearn_amortlda.displays import TopicMapDisplay, to_plotly
from sklearn_amortlda.inspection import top_words, topic_sizes


def test_missing_plotly_raises_with_the_command_that_installs_it(
    model, corpus, monkeypatch
):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    with pytest.raises(ImportError, match="pip install plotly"):
        to_plotly(model, corpus)


def test_circles_are_those_of_the_static_map_with_their_words(model, corpus):
    pytest.importorskip("plotly", reason="needs plotly")
    (topics,) = to_plotly(model, corpus, WORDS, n_words=4).data
    static = TopicMapDisplay.from_estimator(model, corpus)
    assert_allclose(np.transpose([topics.x, topics.y]), static.coordinates)
    areas = np.square(topics.marker.size)
    assert_allclose(areas / areas.sum(), topic_sizes(model, corpus))
    words = top_words(model, WORDS, n_words=4)
    for k, text in enumerate(topics.hovertext):
        assert text.startswith(f"<b>topic {k}</b>")
        assert text.split("<br>")[1:] == list(words[k])


def test_page_is_one_file_without_links_and_escapes_words(model, corpus, tmp_path):
    pytest.importorskip("plotly", reason="needs plotly")
    names = [f"<i>{word}" for word in WORDS]
    figure = to_plotly(model, corpus, names, n_words=60)
    assert "&lt;i>word0" in figure.data[0].hovertext[0].replace("&gt;", ">")
    figure.write_html(tmp_path / "topics.html")
    page = (tmp_path / "topics.html").read_text(encoding="utf-8")
    assert "word59" in page
    assert not re.findall(r"<(?:script|link)[^>]*(?:src|href)=", page)
