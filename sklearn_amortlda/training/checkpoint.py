"""Checkpoints of a fit on disk, so that a killed fit can continue.

Input: the progress of a fit between two epochs. Output: an .npz file, and the progress
read from such a file. The file has the arrays of the progress, and a JSON text with its
numbers and a fingerprint of the fit. Nothing is pickled. The zip format has a checksum
of each array.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import fields
from zipfile import ZipFile

import joblib
import numpy as np

from ..runtime.fingerprint import hashable
from .early_stopping import EarlyStopping
from .loop import Progress
from .observers import Observer
from .state import State

logger = logging.getLogger("sklearn_amortlda")

# Version of the format; increased if older code would misread a new file.
_FORMAT = 3
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
    """

    def __init__(self, path, fingerprint: dict):
        self.path, self._fingerprint = os.path.abspath(os.fspath(path)), fingerprint

    def load(self) -> Progress | None:
        """The progress in the file, or None if there is no file.

        Raises
        ------
        ValueError
            If the file is damaged or belongs to another fit.
        """
        try:
            with open(self.path, "rb") as file:
                meta, arrays = _read(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"The checkpoint {self.path!r} cannot be read"
            raise _explained(error, message) from None
        # zipfile, numpy and json raise many kinds of errors.
        except Exception as error:
            raise ValueError(
                f"The checkpoint {self.path!r} is damaged, or no checkpoint: {_CURE}."
            ) from error
        if meta["format"] != _FORMAT:
            raise ValueError(
                f"The checkpoint {self.path!r} has format {meta['format']}; this "
                f"version of sklearn-amortlda reads format {_FORMAT}: {_CURE}."
            )
        theirs = meta["fingerprint"]
        names = sorted({*theirs, *self._fingerprint})
        other = [n for n in names if theirs.get(n) != self._fingerprint.get(n)]
        if other:
            raise ValueError(
                f"The checkpoint {self.path!r} belongs to another fit, which differs "
                f"in {', '.join(other)}: restore that to continue the fit, or {_CURE}."
            )
        progress = _to_progress(meta["progress"], arrays)
        logger.info("continues after epoch %d of %s", progress.epoch, self.path)
        return progress

    def save(self, progress: Progress) -> None:
        """Replace the file by one with the progress, completely or not at all.

        Raises
        ------
        OSError
            If the file cannot be written; the earlier file is unchanged.
        """
        numbers, arrays = _to_arrays(progress)
        meta = {
            "format": _FORMAT,
            "fingerprint": self._fingerprint,
            "progress": numbers,
        }
        # A fixed name, so that killed processes do not leave many files.
        partial = f"{self.path}.partial"
        try:
            try:
                with open(partial, "wb") as file:
                    _write(file, meta, arrays)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(partial, self.path)
            except BaseException:
                _remove(partial)
                raise
            _sync_folder(os.path.dirname(self.path))
        except OSError as error:
            raise _explained(
                error,
                f"The checkpoint {self.path!r} cannot be written, and the earlier file "
                "is unchanged; make room or choose another path",
            ) from None

    def remove(self) -> None:
        """Remove the file, because the fit has ended."""
        _remove(self.path)

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
    facts["the model that warm_start continues"] = continued_from
    return {name: joblib.hash(value) for name, value in facts.items()}


def _write(file, meta, arrays):
    text = np.array(json.dumps(meta))
    # Not np.savez, which pickles objects and leaves the archive open after errors.
    with ZipFile(file, "w") as archive:
        for name, array in {"meta": text, **arrays}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _read(file):
    with np.load(file, allow_pickle=False) as archive:
        arrays = dict(archive)
    return json.loads(arrays.pop("meta").item()), arrays


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
            else:
                numbers_of[name][field.name] = value
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
    for name, values in numbers["states"].items():
        values = {"encoder": {}, "optimizer": {}, **values}
        for path, array in arrays.items():
            owner, field, *key = path.split("/", 2)
            if owner == name and key:
                values[field][key[0]] = array
            elif owner == name:
                values[field] = array
        states[name] = State(**values)
    stopping = EarlyStopping(
        numbers["patience"],
        numbers["n_stale"],
        numbers["best_score"],
        states.get("best"),
        numbers["cooldown"],
    )
    return Progress(states["state"], numbers["history"], numbers["epoch"], stopping)


def _explained(error, message):
    # With an errno OSError returns the matching subclass, such as PermissionError.
    return OSError(error.errno, f"{message}: {error.strerror}")


def _remove(path):
    try:
        os.remove(path)
    # The file does not exist, or the folder is not accessible.
    except OSError:
        pass


def _sync_folder(folder):
    # Only POSIX opens folders.
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
