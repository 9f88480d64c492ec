"""Axes, styles and short labels, and the import of matplotlib."""

import subprocess
import sys

import pytest

from sklearn_amortlda.displays import TopicMapDisplay, TopicsDisplay
from sklearn_amortlda.displays._figure import shortened

plt = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib")


def test_long_words_keep_both_ends():
    assert shortened(["short", 7]) == ["short", "7"]
    (word,) = shortened(["begin_of_a_very_long_word_end"])
    assert word.startswith("begin") and word.endswith("_end") and len(word) == 20


def test_given_axes_and_styles_are_used(model, corpus):
    figure, axes = plt.subplots(1, 2)
    display = TopicsDisplay.from_estimator(
        model, topics=[0, 1], ax=axes, bar_kw={"color": "red"}
    )
    assert display.figure_ is figure and plt.get_fignums() == [figure.number]
    assert display.bars_[1][0].get_facecolor() == (1, 0, 0, 1)
    figure, ax = plt.subplots()
    topic_map = TopicMapDisplay.from_estimator(model, corpus, ax=ax)
    assert topic_map.ax_ is ax
    topic_map.plot(scatter_kw={"alpha": 0.9}, text_kw={"color": "blue"})
    assert topic_map.ax_ is not ax
    assert topic_map.circles_.get_alpha() == 0.9
    assert topic_map.texts_[0].get_color() == "blue"


def test_wrong_number_of_axes_raises(model):
    _, ax = plt.subplots()
    with pytest.raises(ValueError, match="holds 1 axes, but 5 panels"):
        TopicsDisplay.from_estimator(model, ax=ax)


@pytest.mark.slow
def test_import_of_the_package_imports_no_plotting_library():
    code = (
        "import sys, sklearn_amortlda.displays;"
        "print({'matplotlib', 'pyLDAvis', 'torch'} & set(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert output.stdout.strip() == b"set()", output


def test_missing_matplotlib_raises(model, corpus, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"TopicMapDisplay.* requires matplotlib"):
        TopicMapDisplay.from_estimator(model, corpus)
