"""The encoder's rows for words, begun from vectors that were learned elsewhere."""

from __future__ import annotations

import numpy as np


def rows_from_vectors(vectors, rows: np.ndarray, scale: float, rng) -> np.ndarray:
    """Word vectors in the place of random rows, as wide and as large as those.

    Vectors of the rows' width are used as they are, others times a random matrix,
    which keeps their angles on average; then all are scaled to the rows' mean square.

    Parameters
    ----------
    vectors : array-like of shape (n_features, n_dims)
        Words whose vector is all zero or all NaN are unknown, and keep their row.
    rows : ndarray of shape (n_features, n_row)
        What the rows would be.
    scale : float
        Root mean square of what they are to be.
    rng : numpy.random.Generator
        Draws the random matrix.

    Raises
    ------
    ValueError
        If the vectors are of another number of words, not numbers or not finite, or no
        word has one.
    """
    n_features, n_row = rows.shape
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != n_features:
        raise ValueError(
            f"word_vectors has shape {vectors.shape}; it must have a row for each of "
            f"the {n_features} columns of X."
        )
    known = vectors.any(axis=1) & ~np.isnan(vectors).all(axis=1)
    vectors = vectors[known]
    if not np.isfinite(vectors).all():
        raise ValueError(
            "word_vectors contains NaN or infinity. Only a row that is NaN or zero as "
            "a whole stands for a word without a vector."
        )
    if not len(vectors):
        raise ValueError("word_vectors has a vector for no word.")
    if vectors.shape[1] != n_row:
        vectors = vectors @ rng.standard_normal((vectors.shape[1], n_row))
    rows = rows.copy()
    rows[known] = vectors * (scale / np.sqrt(np.mean(vectors**2)))
    return rows
