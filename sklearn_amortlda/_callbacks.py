"""scikit-learn's callbacks around a fit, from its version 1.9 on.

Input: the estimator and the data of a fit. Each epoch is a task of the callbacks.
Before scikit-learn 1.9 the functions do nothing.
"""

from __future__ import annotations

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:
        """Replacement before scikit-learn 1.9, without callbacks."""


class FitCallbacks:
    """An observer of training that calls the estimator's callbacks.

    Parameters
    ----------
    estimator : AmortizedLDA
        scikit-learn stores the context of the callbacks in it, so make this object
        before the estimator's attributes are saved for restoring.
    X, y, sample_weight
        As in `fit`.

    Attributes
    ----------
    attributes : callable or None
        Returns the fitted attributes of a training; to be set before the first epoch
        ends.
    """

    def __init__(self, estimator, X, y, sample_weight):
        self._estimator, self._context, self.attributes = estimator, None, None
        if not hasattr(estimator, "_init_callback_context"):
            return
        # ScoringMonitor computes no score without y, which our scores ignore.
        self._data = {"X": X, "y": X if y is None else y}
        if sample_weight is not None:
            self._data["metadata"] = {"sample_weight": sample_weight}
        self._context = estimator._init_callback_context(
            max_subtasks=estimator.max_iter
        )
        self._begin(self._context)

    def epoch_begins(self) -> None:
        """Begin a subtask."""
        if self._context is not None:
            self._epoch = self._context.subcontext(task_name="epoch")
            self._begin(self._epoch)

    def epoch_ends(self, training, record) -> bool:
        """End the subtask with the present model; whether training should stop."""
        if self._context is None:
            return False
        # A function, called only if a callback asks for the attributes.
        return self._end(self._epoch, lambda: self.attributes(training))

    def fit_ends(self) -> None:
        """End the task of the whole fit."""
        if self._context is not None:
            self._end(self._context, {})

    def _begin(self, context):
        context.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def _end(self, context, attributes):
        return context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=attributes,
            **self._data,
        )
