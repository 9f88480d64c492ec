"""Who follows a fit: a progress bar with a log, and scikit-learn's callbacks."""

from __future__ import annotations

import logging

from tqdm.auto import tqdm

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:
        """In place of scikit-learn's before its version 1.9: there are no callbacks."""


logger = logging.getLogger("sklearn_amortlda")


class Observer:
    """Follows a training; what it does not care for does nothing."""

    def epoch_begins(self) -> None:
        """Called before an epoch."""

    def epoch_ends(self, training, record=None):
        """Called after it; True stops the training."""


class Reporter(Observer):
    """Shows and logs each epoch's record as it comes.

    Parameters
    ----------
    n_epochs : int
        Length of the bar.
    verbose : int
        Whether to show the bar.
    """

    def __init__(self, n_epochs: int, verbose: int):
        self._bar = tqdm(total=n_epochs, desc="AmortizedLDA", disable=not verbose)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()

    def epoch_ends(self, training, record) -> None:
        """Show and log it."""
        self._bar.update(training.epoch - self._bar.n)
        shown = {name: f"{record[name]:.4f}" for name in record if name != "epoch"}
        self._bar.set_postfix(shown)
        logger.info("epoch %d: %s", record["epoch"], shown)


class FitCallbacks(Observer):
    """The hooks of scikit-learn's callbacks around one fit: a task of epochs.

    Without callbacks, or before scikit-learn 1.9, it does nothing.

    Parameters
    ----------
    lda : AmortizedLDA
        The estimator that is fitted; the context is left in it for scikit-learn, so
        what restores its attributes is to be entered after.
    X, y, sample_weight
        As in `fit`.

    Attributes
    ----------
    dtype : numpy.dtype
        Of the fitted topics; to be set before the first epoch ends.
    """

    def __init__(self, lda, X, y, sample_weight):
        self._lda, self._context, self.dtype = lda, None, None
        if not hasattr(lda, "_init_callback_context"):
            return
        # ScoringMonitor scores nothing where y is None, which our scores ignore.
        self._data = {"X": X, "y": X if y is None else y}
        if sample_weight is not None:
            self._data["metadata"] = {"sample_weight": sample_weight}
        self._context = lda._init_callback_context(max_subtasks=lda.max_iter)
        self._begin(self._context)

    def epoch_begins(self) -> None:
        """Tell of a new subtask."""
        if self._context is not None:
            self._epoch = self._context.subcontext(task_name="epoch")
            self._begin(self._epoch)

    def epoch_ends(self, training, record) -> bool:
        """Tell of its end, with the model as if fit stopped here; whether it should."""
        if self._context is None:
            return False
        from ._setup import fitted_attributes

        def attributes():  # called if a callback wants them
            state = training.best_state()
            return fitted_attributes(state, training.history, self.dtype)

        return self._end(self._epoch, attributes)

    def fit_ends(self) -> None:
        """Tell that the estimator is fitted."""
        if self._context is not None:
            self._end(self._context, {})

    def _begin(self, context):
        context.call_on_fit_task_begin(estimator=self._lda, **self._data)

    def _end(self, context, attributes):
        return context.call_on_fit_task_end(
            estimator=self._lda, reconstruction_attributes=attributes, **self._data
        )
