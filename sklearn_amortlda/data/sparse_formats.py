"""Checks of scipy's sparse formats, before any conversion.

Input: a sparse X in one of scipy's seven formats. Output: a new container of checked
arrays, or an error. scipy's conversions and the kernels do not check indices, and an
index out of range would crash the process.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
import scipy.sparse as sp


def checked(X):
    """A CSR, CSC, BSR or COO array with the checked entries of a sparse X.

    The arrays may be those of X, and the container is new.

    Raises
    ------
    ValueError
        If X is malformed.
    """
    try:
        return _FORMATS[X.format](X)
    # scipy and numpy raise other errors where an attribute is no array.
    except (AttributeError, IndexError, OverflowError, TypeError) as error:
        raise ValueError(
            f"The arrays of a sparse X in format {X.format!r} do not describe a matrix "
            f"({error}); rebuild X from its rows and columns."
        ) from error


def _compressed(X):
    """CSR, CSC and BSR."""
    arrays = _values(X.data), _integers(X.indices), _integers(X.indptr)
    new = getattr(sp, f"{X.format}_array")(arrays, shape=X.shape)
    new.check_format(full_check=True)
    # check_format skips the pointers of a matrix whose last pointer is 0.
    if (new.indptr[1:] < new.indptr[:-1]).any():
        raise ValueError(
            "The index pointers of a sparse X must not decrease; rebuild X from its "
            "rows and columns."
        )
    return new


def _coordinates(X):
    if len(X.coords) != 2:
        raise ValueError(f"A sparse X needs rows and columns, got {X.coords!r}.")
    return _from_coordinates(X.data, *X.coords, X.shape)


def _diagonals(X):
    data, offsets = _values(X.data), _integers(X.offsets)
    if data.ndim != 2 or offsets.shape != data.shape[:1]:
        raise ValueError(
            f"A sparse X has {data.shape} diagonals and offsets of shape "
            f"{offsets.shape}; pass one offset for each diagonal."
        )
    if len(np.unique(offsets)) < len(offsets):
        raise ValueError("The offsets of a sparse X have duplicates; merge diagonals.")
    n_rows, n_columns = X.shape
    # Other diagonals are outside the matrix.
    inside = (offsets > -n_rows) & (offsets < n_columns)
    data, offsets = data[inside, :n_columns], offsets[inside].astype(np.int64)
    columns = np.broadcast_to(np.arange(data.shape[1]), data.shape)
    rows = columns - offsets[:, np.newaxis]
    kept = (rows >= 0) & (rows < n_rows) & (data != 0)
    return _from_coordinates(data[kept], rows[kept], columns[kept], X.shape)


def _lists(X):
    n_rows = X.shape[0]
    sizes = [[len(row) for row in part] for part in (X.rows, X.data)]
    if sizes[0] != sizes[1] or len(sizes[0]) != n_rows:
        raise ValueError(
            f"A sparse X of {n_rows} rows has lists of columns and of data with other "
            "lengths; rebuild X from its rows and columns."
        )
    columns, values = (list(chain.from_iterable(part)) for part in (X.rows, X.data))
    rows = np.repeat(np.arange(n_rows), sizes[0])
    return _from_coordinates(_counts(values, X.dtype), rows, _filled(columns), X.shape)


def _keys(X):
    keys = _filled(list(X.keys()), shape=(0, 2))
    if keys.ndim != 2 or keys.shape[1] != 2:
        raise ValueError(
            f"The keys of a sparse X must be pairs of a row and a column, got {keys}."
        )
    rows, columns = keys.T
    values = _counts(list(X.values()), X.dtype)
    return _from_coordinates(values, rows, columns, X.shape)


_FORMATS = {
    "csr": _compressed,
    "csc": _compressed,
    "bsr": _compressed,
    "coo": _coordinates,
    "dia": _diagonals,
    "lil": _lists,
    "dok": _keys,
}


def _from_coordinates(values, rows, columns, shape):
    # The constructor checks the range of every index.
    coordinates = _integers(rows), _integers(columns)
    return sp.coo_array((_values(values), coordinates), shape=shape)


def _filled(values, dtype=np.int64, shape=0):
    """An array of a list; `dtype` and `shape` are those of an empty list."""
    return np.array(values) if values else np.empty(shape, dtype)


def _counts(values, dtype):
    """An array of a list of numbers, of the matrix's dtype if that is floating."""
    counts = _filled(values, dtype)
    floating = counts.dtype.kind in "biuf" and dtype.kind == "f"
    return counts.astype(dtype) if floating else counts


def _values(data):
    # Duplicates are summed in this dtype. In bool 1 + 1 is True, and int8 overflows.
    # scipy has no conversions of float16.
    data = np.asarray(data)
    if data.dtype.kind not in "biufc":
        raise ValueError(f"The data of a sparse X must be numbers, got {data.dtype}.")
    small = data.dtype.kind in "biu" or data.dtype == np.float16
    return data.astype(np.float64) if small else data


def _integers(indices):
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise ValueError(f"Indices of a sparse X must be integers, got {indices!r}.")
    return indices
