"""What a model file holds, and how a damaged, foreign or newer one is told.

A saved model is the estimator's parameters and the attributes in `FITTED`: NumPy
arrays, numbers, strings and containers of them. pickle, joblib and skops.io keep them
each in its own way; the format number and a digest of every attribute go along.
"""

from __future__ import annotations

import hashlib

import numpy as np

# Of the state, not of the container; raised when a reader of today would misread it.
FORMAT = 1

#: Types for the `trusted` argument of `skops.io.load`: all that a model file needs.
SKOPS_TRUSTED = ["sklearn_amortlda._amortized_lda.AmortizedLDA"]

FITTED = (
    "components_",
    "topic_word_",
    "doc_topic_prior_",
    "topic_word_prior_",
    "bound_",
    "history_",
    "n_iter_",
    "n_batch_iter_",
    "n_features_in_",
    "feature_names_in_",
    "_encoder_weights",
    "_optimizer_state",
    "_seed",
    "_time",
)


def seal(state: dict, parameters) -> dict:
    """A state with its format number and the digests of our attributes.

    Others, a user's or a subclass's own, are saved as they are and not checked.
    """
    ours = [name for name in (*parameters, *FITTED) if name in state]
    digests = {name: digest_of(name, state[name]) for name in ours}
    return {**state, "_format": FORMAT, "_digests": digests}


def unseal(state) -> dict:
    """The state that was sealed.

    Raises
    ------
    ValueError
        If it is not what was sealed, or by a version newer than this one.
    """
    if not (isinstance(state, dict) and {"_format", "_digests"} <= state.keys()):
        raise ValueError(
            "This is no saved AmortizedLDA, or a damaged one: its format and digests "
            "are missing."
        )
    state = state.copy()
    written, digests = state.pop("_format"), state.pop("_digests")
    if written != FORMAT:
        raise ValueError(
            f"The saved AmortizedLDA has format {written!r}, and this version of "
            f"sklearn-amortlda reads format {FORMAT}; load it with the version that "
            "wrote it, or a newer one."
        )
    for name, digest in digests.items():
        if name not in state or digest_of(name, state[name]) != digest:
            raise ValueError(
                f"The saved AmortizedLDA is damaged: {name!r} is not what was saved. "
                "Restore the file from a copy, or fit again."
            )
    return state


def digest_of(name: str, value) -> str:
    """Digest of arrays, numbers, strings and containers of them, under a name."""
    # With the name: pickle stores it once, so a flipped bit changes both its places.
    hasher = hashlib.sha256(name.encode())
    _feed(hasher, value)
    return hasher.hexdigest()


def _feed(hasher, value) -> None:
    # What a value is, not how it is laid out in memory, for containers differ in that.
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        hasher.update(f"array {value.dtype.str} {value.shape}".encode())
        # Longest axis first: topics lie in memory word by word, and are not copied.
        if value.ndim == 2 and value.shape[0] < value.shape[1]:
            value = value.T
        hasher.update(np.ascontiguousarray(value).data)
    elif isinstance(value, np.ndarray):
        _feed(hasher, value.tolist())
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            _feed(hasher, key)
            _feed(hasher, value[key])
    elif isinstance(value, (list, tuple)):
        hasher.update(f"sequence {len(value)}".encode())
        for item in value:
            _feed(hasher, item)
    elif isinstance(value, (str, bytes, int, float, complex, type(None))):
        hasher.update(f"{value!r} ".encode())
    else:
        # A parameter such as a function, a device or a generator: those have no bytes
        # that stay the same from one version of their library to the next.
        hasher.update(f"{type(value).__module__}.{type(value).__qualname__}".encode())
