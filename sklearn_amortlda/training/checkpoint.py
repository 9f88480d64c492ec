"""Checkpoints of a fit on disk, so that a killed fit can continue.

Input: the progress of a fit between two epochs. Output: a file, and the progress read
from such a file. The file has the arrays of the progress, and a JSON text with its
numbers and a fingerprint of the fit.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import fields
from numbers import Integral, Real

import joblib
import numpy as np

from ..runtime.fingerprint import hashable
from .checkpoint_file import CheckpointFile
from .early_stopping import EarlyStopping
from .loop import Progress
from .observers import Observer
from .state import State
from .state_check import check_history, check_state

logger = logging.getLogger("sklearn_amortlda")

# Version of the format; increased if older code would misread a new file.
_FORMAT = 5
# Parameters that do not change the result.
_FREE_PARAMETERS = {"checkpoint", "verbose"}
_CURE = "delete the file to start anew, or choose another path"


class Checkpoint(Observer):
    """The file of one fit, written after every epoch.

    Parameters
    ----------
    path : str or os.PathLike
    fingerprint : dict of str
        Hashes of all that determines the result of the fit, see `fingerprint_of`.
    shape : tuple of (int, int, int)
        Numbers of topics, of words and of covariates.
    """

    def __init__(self, path, fingerprint: dict, shape: tuple):
        self._file = CheckpointFile(path)
        self.path, self._fingerprint, self._shape = self._file.path, fingerprint, shape

    def load(self) -> Progress | None:
        """The progress in the file, or None if there is no file.

        Raises
        ------
        OSError
            If the file cannot be read, or is no regular file.
        ValueError
            If the file is damaged or belongs to another fit.
        """
        self._file.remove_leftovers()
        with self._explained():
            content = self._file.read()
            if content is None:
                return None
            meta, arrays = content
            written, theirs = meta["format"], dict(meta["fingerprint"])
        if written != _FORMAT:
            raise ValueError(
                f"The checkpoint {self.path!r} has format {written}; this version of "
                f"sklearn-amortlda reads format {_FORMAT}: {_CURE}."
            )
        names = sorted({*theirs, *self._fingerprint})
        other = [n for n in names if theirs.get(n) != self._fingerprint.get(n)]
        if other:
            raise ValueError(
                f"The checkpoint {self.path!r} belongs to another fit, which differs "
                f"in {', '.join(other)}: restore that to continue the fit, or {_CURE}."
            )
        with self._explained():
            progress = _to_progress(meta["progress"], arrays)
            _check(progress, self._shape)
        logger.info("continues after epoch %d of %s", progress.epoch, self.path)
        return progress

    def save(self, progress: Progress) -> None:
        """Replace the file by one with the progress, completely or not at all.

        Raises
        ------
        OSError
            If the file cannot be written, or another process writes it. The file is
            unchanged.
        """
        numbers, arrays = _to_arrays(progress)
        meta = {
            "format": _FORMAT,
            "fingerprint": self._fingerprint,
            "progress": numbers,
        }
        try:
            self._file.write(meta, arrays)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
            raise _explained(
                error,
                f"The checkpoint {self.path!r} cannot be written, and the earlier file "
                f"is unchanged; {'make room or ' if full else ''}choose another path",
            ) from None

    def remove(self) -> None:
        """Remove the file, because the fit has ended."""
        self._file.remove()

    @contextmanager
    def _explained(self):
        """Errors of reading, with the path and a cure."""
        try:
            yield
        except OSError as error:
            message = f"The checkpoint {self.path!r} cannot be read"
            raise _explained(error, message) from None
        # zipfile, numpy, json and wrong values raise many kinds of errors.
        except Exception as error:
            raise ValueError(
                f"The checkpoint {self.path!r} is damaged, or no checkpoint ({error}): "
                f"{_CURE}."
            ) from error

    def epoch_ends(self, training, record=None) -> None:
        """Write the progress of the training."""
        self.save(training.progress())


class NoCheckpoint(Observer):
    """No-op checkpoint."""

    def load(self):
        """Return None."""

    def remove(self):
        """Do nothing."""


def fingerprint_of(params: Mapping, corpus, continued_from: Mapping | None) -> dict:
    """Hashes of all that determines the result of a fit, by their names.

    Parameters
    ----------
    params : dict
        The estimator's parameters, before a seed was drawn.
    corpus : Corpus
        The documents of the fit, including the held-out documents.
    continued_from : dict or None
        Fitted attributes that a warm start continues.

    Returns
    -------
    fingerprint : dict of str
    """
    X = corpus.counts
    facts = {
        name: hashable(value)
        for name, value in params.items()
        if name not in _FREE_PARAMETERS
    }
    facts["X"] = [X.shape, X.data, X.indices, X.indptr]
    facts["sample_weight"] = corpus.weights
    if corpus.covariates is not None:
        facts["covariates"] = corpus.covariates
    facts["the model that warm_start continues"] = continued_from
    return {name: joblib.hash(value) for name, value in facts.items()}


def _to_arrays(progress):
    """The numbers and the arrays of a `Progress`."""
    stopping = progress.early_stopping
    arrays, numbers_of = {}, {}
    for name, state in [("state", progress.state), ("best", stopping.best)]:
        if state is None:
            continue
        numbers_of[name] = {}
        for field in fields(State):
            value = getattr(state, field.name)
            if isinstance(value, np.ndarray):
                arrays[f"{name}/{field.name}"] = value
            elif isinstance(value, dict):
                for key, array in value.items():
                    arrays[f"{name}/{field.name}/{key}"] = array
            # A state without covariates has no coefficients.
            elif value is not None:
                numbers_of[name][field.name] = value
    for key, array in progress.prior_chain.items():
        arrays[f"prior_chain/{key}"] = array
    numbers = {
        "history": progress.history,
        "epoch": progress.epoch,
        "patience": stopping.patience,
        "n_stale": stopping.n_stale,
        "best_score": stopping.best_score,
        "cooldown": stopping.cooldown,
        "states": numbers_of,
    }
    return numbers, arrays


def _to_progress(numbers, arrays) -> Progress:
    """The inverse of `_to_arrays`."""
    states = {}
    prior_chain = {
        path.removeprefix("prior_chain/"): arrays.pop(path)
        for path in list(arrays)
        if path.startswith("prior_chain/")
    }
    if {path.split("/")[0] for path in arrays} != set(numbers["states"]):
        raise ValueError("The arrays belong to other states.")
    for name, values in numbers["states"].items():
        values = {"encoder": {}, "optimizer": {}, "coefficients": None, **values}
        for path, array in arrays.items():
            owner, field, *key = path.split("/", 2)
            if owner == name and key:
                values[field][key[0]] = array
            elif owner == name:
                values[field] = array
        if values.keys() != {field.name for field in fields(State)}:
            raise ValueError("A state lacks values.")
        states[name] = State(**values)
    stopping = EarlyStopping(
        numbers["patience"],
        numbers["n_stale"],
        numbers["best_score"],
        states.get("best"),
        numbers["cooldown"],
    )
    return Progress(
        states["state"], numbers["history"], numbers["epoch"], stopping, prior_chain
    )


def _check(progress, shape):
    """Raise a ValueError if a value cannot be right."""
    stopping = progress.early_stopping
    for state in (progress.state, stopping.best):
        if state is not None:
            check_state(state)
            n_covariates = len(() if state.coefficients is None else state.coefficients)
            if (*state.components.shape, n_covariates) != shape:
                raise ValueError("The topics or coefficients have another shape.")
    check_history(progress.history)
    counts = [progress.epoch, stopping.patience, stopping.n_stale]
    counts += stopping.cooldown or []
    if not all(isinstance(n, Integral) and n >= 0 for n in counts):
        raise ValueError("A count is no count.")
    if len(counts) not in (3, 6) or not isinstance(stopping.best_score, Real):
        raise ValueError("The values of early stopping are incomplete.")


def _explained(error, message):
    # With an errno OSError returns the matching subclass, such as PermissionError.
    return OSError(error.errno, f"{message}: {error.strerror}")
