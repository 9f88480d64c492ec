"""scikit-learn's callbacks around a fit, from version 1.9 of scikit-learn on.

Input: the estimator and the data of a fit. Output: calls of the estimator's callbacks,
with each epoch as a task. Before scikit-learn 1.9 the methods do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from .data.types import MatrixLike

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Empty replacement before scikit-learn 1.9, without callbacks."""


if TYPE_CHECKING:
    from ._amortized_lda import AmortizedLDA
    from .training.loop import Training


class FitCallbacks:
    """An observer of training that calls the estimator's callbacks.

    Parameters
    ----------
    estimator : AmortizedLDA
        scikit-learn stores the context of the callbacks in the estimator.
    X, y, sample_weight, covariates
        As in `fit`.

    Attributes
    ----------
    attributes : callable or None
        Returns the fitted attributes of a `Training`. Set by the caller before the
        first epoch ends.
    """

    attributes: Callable[[Training], dict[str, Any]]

    def __init__(
        self,
        estimator: AmortizedLDA,
        X: MatrixLike,
        y: ArrayLike | None,
        sample_weight: ArrayLike | None,
        covariates: MatrixLike | None = None,
    ) -> None:
        self._estimator, self._context = estimator, None
        if not hasattr(estimator, "_init_callback_context"):
            return
        # ScoringMonitor requires a y, which `score` ignores.
        self._data = {"X": X, "y": X if y is None else y}
        metadata = {"sample_weight": sample_weight, "covariates": covariates}
        metadata = {key: value for key, value in metadata.items() if value is not None}
        if metadata:
            self._data["metadata"] = metadata
        self._context = estimator._init_callback_context(
            max_subtasks=estimator.max_iter
        )
        self._begin(self._context)

    def epoch_begins(self) -> None:
        """Begin a subtask."""
        if self._context is not None:
            self._epoch = self._context.subcontext(task_name="epoch")
            self._begin(self._epoch)

    def epoch_ends(self, training: Training, record: dict[str, Any]) -> bool:
        """End the subtask with the present model; return whether training stops."""
        if self._context is None:
            return False
        # A function, because the attributes are costly and most callbacks ignore them.
        return self._end(self._epoch, lambda: self._reconstructed(training))

    def fit_ends(self) -> None:
        """End the task of the whole fit."""
        if self._context is not None:
            self._end(self._context, {})

    def _reconstructed(self, training):
        # scikit-learn sets these on a copy of the estimator. All attributes at once
        # replace those of an earlier fit, such as its names and labels.
        unfitted = vars(self._estimator._unfitted())
        return {"__dict__": {**unfitted, **self.attributes(training)}}

    def _begin(self, context):
        context.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def _end(self, context, attributes):
        return context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=attributes,
            **self._data,
        )
