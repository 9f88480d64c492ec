"""Curves of the quality by number of topics."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import LatentDirichletAllocation

from sklearn_amortlda.displays import NComponentsCurveDisplay


def test_curve_is_the_mean_and_standard_deviation_over_splits():
    rng = np.random.default_rng(0)
    curve = {name: rng.random((3, 4)) for name in ("perplexity", "coherence")}
    display = NComponentsCurveDisplay(
        n_components=np.array([2, 5, 9]), diversity=np.ones((3, 4)), **curve
    ).plot()
    assert [axes.get_title() for axes in display.axes_] == [
        "held-out perplexity",
        "coherence (NPMI)",
        "diversity",
    ]
    for name, values in curve.items():
        line, _, (bars,) = display.errorbars_[name]
        assert_array_equal(line.get_xdata(), [2, 5, 9])
        assert_allclose(line.get_ydata(), values.mean(axis=1))
        lengths = [end[1] - begin[1] for begin, end in bars.get_segments()]
        assert_allclose(lengths, 2 * values.std(axis=1))


def test_label_explains_the_error_bars():
    def display_of(n_splits):
        curve = np.ones((3, n_splits))
        return NComponentsCurveDisplay(
            n_components=np.arange(3),
            perplexity=curve,
            coherence=curve,
            diversity=curve,
        ).plot()

    label = display_of(4).axes_[0].get_ylabel()
    assert label == "mean ± standard deviation of 4 splits"
    display = display_of(1)
    assert display.axes_[0].get_ylabel() == "value of one split"
    assert not any(bars.has_yerr for bars in display.errorbars_.values())


def test_from_estimator_fits_each_number_of_topics(corpus):
    lda = LatentDirichletAllocation(max_iter=1, random_state=0)
    display = NComponentsCurveDisplay.from_estimator(lda, corpus, [2, 4], cv=2)
    assert display.perplexity.shape == (2, 2)
    assert display.n_components.tolist() == [2, 4]
    assert not hasattr(lda, "components_")
