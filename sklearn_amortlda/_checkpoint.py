"""A fit on disk between two epochs, so that one that was killed can go on.

A checkpoint is an .npz file: the arrays of `Progress`, and a JSON text with its
numbers, a fingerprint of the fit, and a digest of all of it. Nothing is pickled.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import fields
from zipfile import ZipFile

import numpy as np

from ._callbacks import Observer
from ._corpus import Corpus
from ._learner import State
from ._persistence import FITTED, digest_of
from ._training import Progress

logger = logging.getLogger("sklearn_amortlda")

# Of the file; raised when a reader of today would misread it.
_FORMAT = 2
# Parameters that do not change what is learned.
_FREE = {"checkpoint", "verbose"}
_CURE = "delete it to start anew, or choose another path"


class Checkpoint(Observer):
    """The file of one fit, written after every epoch.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    fingerprint : dict
        Digests of what makes the fit the fit it is, by their names.
    """

    def __init__(self, path, fingerprint: dict):
        self.path, self._fingerprint = os.path.abspath(os.fspath(path)), fingerprint

    def load(self) -> Progress | None:
        """Where the fit stood, or None if there is no file.

        Raises
        ------
        ValueError
            If the file is damaged or of another fit.
        """
        try:
            with open(self.path, "rb") as file:
                meta, arrays = _read(file)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _told(error, f"The checkpoint {self.path!r} cannot be read") from None
        except Exception as error:  # zipfile, numpy and json each fail in their ways
            raise ValueError(
                f"The checkpoint {self.path!r} is damaged or none at all: {_CURE}."
            ) from error
        if meta["format"] != _FORMAT:
            raise ValueError(
                f"The checkpoint {self.path!r} has format {meta['format']}, and this "
                f"version of sklearn-amortlda reads format {_FORMAT}: {_CURE}."
            )
        theirs = meta["fingerprint"]
        names = sorted({*theirs, *self._fingerprint})
        other = [n for n in names if theirs.get(n) != self._fingerprint.get(n)]
        if other:
            raise ValueError(
                f"The checkpoint {self.path!r} is of another fit, which differs in "
                f"{', '.join(other)}: set it back to go on with that fit; else {_CURE}."
            )
        progress = _progress(meta["progress"], arrays)
        logger.info("goes on after epoch %d of %s", progress.epoch, self.path)
        return progress

    def save(self, progress: Progress) -> None:
        """Replace the file by one of the progress: by all of it, or not at all.

        Raises
        ------
        OSError
            If it cannot be written; the last one is untouched.
        """
        numbers, arrays = _taken_apart(progress)
        meta = {
            "format": _FORMAT,
            "fingerprint": self._fingerprint,
            "progress": numbers,
        }
        # A fixed name, so that what killed processes leave does not pile up.
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
            raise _told(
                error,
                f"The checkpoint {self.path!r} cannot be written, and what was there "
                "before is untouched; make room or choose another path",
            ) from None

    def remove(self) -> None:
        """Remove the file, since the fit has ended."""
        _remove(self.path)

    def epoch_ends(self, training, record=None) -> None:
        """Write where the training stands."""
        self.save(training.progress())


class NoCheckpoint(Observer):
    """Stands in where none is asked for."""

    def load(self):
        """Nothing."""

    def remove(self):
        """Nothing."""


def open_checkpoint(lda, corpus: Corpus, continued: bool):
    """The checkpoint of a fit that is about to begin.

    Parameters
    ----------
    lda : AmortizedLDA
        Before a seed was drawn.
    corpus : Corpus
        The training data, those held out included.
    continued : bool
        Whether it goes on from the fitted model.
    """
    if lda.checkpoint is None:
        return NoCheckpoint()
    return Checkpoint(lda.checkpoint, _fingerprint(lda, corpus, continued))


def _fingerprint(lda, corpus, continued):
    """What makes a fit the fit it is: digests of parameters, data and start."""
    X = corpus.counts
    facts = {
        name: _stable(value)
        for name, value in lda.get_params(deep=False).items()
        if name not in _FREE
    }
    facts["X"] = [X.shape, X.nnz, X.data, X.indices, X.indptr]
    facts["sample_weight"] = corpus.weights
    facts["the model it goes on from (warm_start)"] = continued and {
        name: value for name, value in vars(lda).items() if name in FITTED
    }
    return {name: digest_of(name, value) for name, value in facts.items()}


def _stable(value):
    """A parameter as something whose digest tells it from others."""
    if isinstance(value, np.random.RandomState):
        return value.get_state(legacy=False)
    if callable(value):
        return f"{value.__module__}.{getattr(value, '__qualname__', '')}"
    return value


def _write(file, meta, arrays):
    text = json.dumps({**meta, "digest": digest_of("checkpoint", [meta, arrays])})
    # As np.savez, which before NumPy 2 pickles what it must, and leaves the archive
    # open where it fails.
    with ZipFile(file, "w") as archive:
        for name, array in {"meta": np.array(text), **arrays}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _read(file):
    with np.load(file, allow_pickle=False) as archive:
        arrays = dict(archive)
    meta = json.loads(arrays.pop("meta").item())
    written = meta.pop("digest")
    if written != digest_of("checkpoint", [meta, arrays]):
        raise ValueError("The digest is another.")
    return meta, arrays


def _taken_apart(progress):
    """The numbers and the arrays of a `Progress`."""
    arrays, states = {}, {}
    for name in ("state", "best"):
        state = getattr(progress, name)
        if state is not None:
            states[name] = {}
            for field in fields(State):
                value = getattr(state, field.name)
                if isinstance(value, np.ndarray):
                    arrays[f"{name}/{field.name}"] = value
                elif isinstance(value, dict):
                    for key, array in value.items():
                        arrays[f"{name}/{field.name}/{key}"] = array
                else:
                    states[name][field.name] = value
    numbers = {
        "history": progress.history,
        "epoch": progress.epoch,
        "n_stale": progress.n_stale,
        "best_score": progress.best_score,
    }
    # As JSON gives it back, or the digest would tell tuples from lists.
    return json.loads(json.dumps({**numbers, "states": states})), arrays


def _progress(numbers, arrays):
    """What `_taken_apart` took apart."""
    states = {}
    for name, values in numbers.pop("states").items():
        values = {"encoder": {}, "optimizer": {}, **values}
        for path, array in arrays.items():
            whose, field, *key = path.split("/", 2)
            if whose == name and key:
                values[field][key[0]] = array
            elif whose == name:
                values[field] = array
        states[name] = State(**values)
    return Progress(**numbers, **states)


def _told(error, what):
    # By its number OSError finds the subclass, such as PermissionError.
    return OSError(error.errno, f"{what}: {error.strerror}")


def _remove(path):
    try:
        os.remove(path)
    except OSError:  # it is not there, or the folder is what fails
        pass


def _sync_folder(folder):
    if os.name == "posix":  # elsewhere folders cannot be opened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
