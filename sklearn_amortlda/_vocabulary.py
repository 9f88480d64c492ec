"""Chunks whose columns have names: put in the model's order, new words added to it."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from ._validation import check_counts


def check_chunk(lda, X, feature_names, continued: bool):
    """Validated counts of a chunk, in the columns of the model, which may grow for it.

    Parameters
    ----------
    lda : AmortizedLDA
        Its fitted attributes are replaced, none is changed in place.
    X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_columns)
        Counts; never changed.
    feature_names : array-like of shape (n_columns,) or None
        The words of the columns. None is the columns of the model.
    continued : bool
        Whether there was a chunk before.

    Returns
    -------
    counts, dtype
        As `check_counts`.

    Raises
    ------
    ValueError
        If only some chunks have names, names are not distinct or of another number
        than columns, or the model cannot take new words.
    """
    if feature_names is None:
        if continued and hasattr(lda, "feature_names_in_") and not _has_names(X):
            raise ValueError(
                "Earlier data had names for its columns, and this chunk has none; pass "
                "feature_names, so that no word is taken for another."
            )
        return check_counts(lda, X, reset=not continued, whom="partial_fit")
    # By a clone, since the chunk may have any width, and columns in any order.
    counts, dtype = check_counts(clone(lda), X, reset=True, whom="partial_fit")
    names = _check_names(feature_names, counts.shape[1])
    if not continued:
        lda.n_features_in_, lda.feature_names_in_ = len(names), names
        return counts, dtype
    if not hasattr(lda, "feature_names_in_"):
        raise ValueError(
            "feature_names came with this chunk, and earlier data had no names for its "
            "columns: give them from the first chunk on, or never."
        )
    known = set(lda.feature_names_in_)
    new = [name for name in names if name not in known]
    if new:
        _grow(lda, np.array(new, dtype=object))
    column_of = {name: v for v, name in enumerate(lda.feature_names_in_)}
    columns = np.array([column_of[name] for name in names])
    shape = counts.shape[0], lda.n_features_in_
    aligned = sp.csr_array(
        (counts.data, columns[counts.indices], counts.indptr), shape=shape
    )
    return aligned.sorted_indices(), dtype


def _grow(lda, new) -> None:
    """Append words that nothing is known of: topics at the prior, rows of zeros."""
    if callable(lda.encoder):
        raise ValueError(
            f"{_quoted(new)} are new, and a module of your own (encoder) has the words "
            "it was built with: leave the new ones out, or take encoder='mlp'."
        )
    if np.ndim(lda.topic_word_prior_):
        raise ValueError(
            f"{_quoted(new)} are new, and topic_word_prior is an array that has no "
            "value for them: leave the new ones out, or make the prior a number."
        )
    prior = np.full((len(lda.components_), len(new)), lda.topic_word_prior_)
    prior = prior.astype(lda.components_.dtype)
    lda.components_ = np.concatenate([lda.components_, prior], axis=1)
    lda._encoder_weights = _with_zeros(lda._encoder_weights, "words", len(new))
    lda._optimizer_state = _with_zeros(lda._optimizer_state, "words.square", len(new))
    lda.feature_names_in_ = np.concatenate([lda.feature_names_in_, new])
    lda.n_features_in_ += len(new)


def _with_zeros(arrays, name, n_new):
    """The same arrays, of which one is longer."""
    array = arrays[name]
    zeros = np.zeros((n_new, *array.shape[1:]), array.dtype)
    return {**arrays, name: np.concatenate([array, zeros])}


def _check_names(feature_names, n_columns):
    names = np.asarray(feature_names, dtype=object)
    if names.shape != (n_columns,):
        raise ValueError(
            f"feature_names has shape {names.shape}; X has {n_columns} columns, and "
            "each is to have a name."
        )
    if not all(isinstance(name, str) for name in names):
        raise ValueError("feature_names must be strings.")
    if len(set(names)) < len(names):
        distinct, counts = np.unique(names, return_counts=True)
        repeated = _quoted(distinct[counts > 1])
        raise ValueError(f"feature_names must be distinct, and has twice: {repeated}.")
    return names


def _has_names(X) -> bool:
    return hasattr(X, "columns")  # as data frames of any library have


def _quoted(names, at_most=5) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:at_most])
    return shown + (f" and {len(names) - at_most} more" if len(names) > at_most else "")
