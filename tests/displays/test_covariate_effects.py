"""The drawing of covariates' effects."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_amortlda.displays import CovariateEffectsDisplay

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture
def display():
    effect = np.array([[0.2, 0.0], [-0.1, 0.3], [0.05, -0.3]])
    return CovariateEffectsDisplay(
        effect=effect,
        lower=effect - 0.08,
        upper=effect + 0.08,
        names=["late", "age"],
        words=np.array([["cat", "purr"], ["dog", "bark"], ["cow", "moo"]]),
        level=0.8,
    )


def test_topics_are_sorted_by_effect_in_each_panel(display):
    axes = display.plot().axes_
    assert [a.get_title() for a in axes] == ["late", "age"]
    labels = [[t.get_text() for t in a.get_yticklabels()] for a in axes]
    assert labels[0] == ["dog bark  1", "cow moo  2", "cat purr  0"]
    assert labels[1] == ["cow moo  2", "cat purr  0", "dog bark  1"]
    assert "80% intervals" in axes[0].get_xlabel()
    plt.close(display.figure_)


def test_intervals_that_contain_0_are_grey(display):
    axes = display.plot().axes_[0]
    significant, others = axes.containers
    assert_allclose(significant.lines[0].get_xdata(), [-0.1, 0.2])
    assert_allclose(others.lines[0].get_xdata(), [0.05])
    assert others.lines[0].get_color() == "0.6"
    plt.close(display.figure_)


def test_wrong_number_of_axes_raises(display):
    figure, axes = plt.subplots()
    with pytest.raises(ValueError, match="2 panels"):
        display.plot(ax=axes)
    plt.close(figure)
