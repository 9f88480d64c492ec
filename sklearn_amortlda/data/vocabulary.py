"""Alignment of named columns with the columns of a model.

Input: the counts of a chunk, the names of its columns and the names of the model's
columns. Output: counts in the columns of the model, with new words appended, and the
new names.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def check_names(feature_names, n_columns: int) -> np.ndarray:
    """Names of columns as an object array of distinct strings.

    Raises
    ------
    ValueError
        If the number of names is not `n_columns`, or names are not distinct strings.
    """
    names = np.asarray(feature_names, dtype=object)
    if names.shape != (n_columns,):
        raise ValueError(
            f"feature_names has shape {names.shape}, and X has {n_columns} columns: "
            "give one name for each column."
        )
    if not all(isinstance(name, str) for name in names):
        raise ValueError("feature_names must be strings; convert them with str.")
    if len(set(names)) < len(names):
        distinct, counts = np.unique(names, return_counts=True)
        repeated = quoted(distinct[counts > 1])
        raise ValueError(f"feature_names must be distinct; repeated: {repeated}.")
    return names


def has_names(X) -> bool:
    """Whether X is a data frame."""
    return hasattr(X, "columns")


def align_columns(counts, names, known_names):
    """Counts in the columns of a model, with columns of new words appended.

    Parameters
    ----------
    counts : csr_array of shape (n_samples, n_columns)
    names : ndarray of shape (n_columns,)
        The word of each column.
    known_names : ndarray of shape (n_features,)
        The words of the model's columns.

    Returns
    -------
    aligned : csr_array of shape (n_samples, n_features + n_new)
    new_names : ndarray of shape (n_new,)
        Words of `names` that are not in `known_names`, in their order.
    """
    known = set(known_names)
    new_names = np.array([name for name in names if name not in known], dtype=object)
    all_names = [*known_names, *new_names]
    column_of = {name: v for v, name in enumerate(all_names)}
    columns = np.array([column_of[name] for name in names])
    aligned = sp.csr_array(
        (counts.data, columns[counts.indices], counts.indptr),
        shape=(counts.shape[0], len(all_names)),
    )
    return aligned.sorted_indices(), new_names


def quoted(names, at_most=5) -> str:
    """The first names in quotes and the number of others, for messages."""
    shown = ", ".join(repr(str(name)) for name in names[:at_most])
    return shown + (f" and {len(names) - at_most} more" if len(names) > at_most else "")
