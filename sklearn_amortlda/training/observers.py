"""Observers of a training: the progress bar and the log.

Input: the records of epochs. Output: a progress bar and log messages. The method
`epoch_ends` of an observer may return True, which stops the training.
"""

from __future__ import annotations

import logging
import sys

from tqdm.auto import tqdm

logger = logging.getLogger("sklearn_amortlda")


class Observer:
    """Base class of observers; its methods do nothing."""

    def epoch_begins(self) -> None:
        """Called before an epoch."""

    def epoch_ends(self, training, record):
        """Called after an epoch; a result of True stops the training."""


class _Bar(tqdm):
    # tqdm would start a thread that watches for bars without updates.
    monitor_interval = 0


class Reporter(Observer):
    """Shows and logs the record of each epoch.

    Parameters
    ----------
    n_epochs : int
        Length of the progress bar.
    verbose : int
        0 shows no progress bar.
    """

    def __init__(self, n_epochs: int, verbose: int):
        self._bar = None
        # pythonw and services have no standard error.
        if verbose and sys.stderr is not None:
            self._bar = _Bar(total=n_epochs, desc="AmortizedLDA")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def epoch_ends(self, training, record) -> None:
        """Show and log the record."""
        shown = {name: f"{record[name]:.4f}" for name in record if name != "epoch"}
        if self._bar is not None:
            self._bar.update(training.epoch - self._bar.n)
            self._bar.set_postfix(shown)
        logger.info("epoch %d: %s", record["epoch"], shown)
