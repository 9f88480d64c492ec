"""Curves of the training history."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.decomposition import LatentDirichletAllocation

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.displays import TrainingCurveDisplay


def assert_lines_are_the_records(display, history):
    for measure, line in display.lines_.items():
        recorded = [r for r in history if measure in r]
        assert_array_equal(line.get_xdata(), [r["epoch"] for r in recorded])
        assert_array_equal(line.get_ydata(), [r[measure] for r in recorded])


def test_each_recorded_measure_has_a_curve(corpus):
    lda = AmortizedLDA(3, max_iter=5, early_stopping=True, random_state=0).fit(corpus)
    display = TrainingCurveDisplay.from_estimator(lda)
    assert list(display.lines_) == ["bound", "validation_score"]
    assert_lines_are_the_records(display, lda.history_)
    assert len(display.axes_) == 2


def test_epochs_without_a_record_have_no_point():
    history = [{"epoch": e, "bound": -5.0 + np.log(e)} for e in range(1, 6)]
    for record in history[1::2]:
        record["validation_score"] = -4.0
    display = TrainingCurveDisplay.from_estimator(SimpleNamespace(history_=history))
    assert_lines_are_the_records(display, history)
    assert list(display.lines_["validation_score"].get_xdata()) == [2, 4]


def test_measure_without_records_has_no_panel(corpus):
    lda = AmortizedLDA(5, max_iter=2, random_state=0).fit(corpus)
    assert len(TrainingCurveDisplay.from_estimator(lda).axes_) == 1


def test_model_without_history_raises(corpus):
    model = LatentDirichletAllocation(5, max_iter=2, random_state=0).fit(corpus)
    with pytest.raises(AttributeError, match="history_"):
        TrainingCurveDisplay.from_estimator(model)
