"""Word embeddings that start from vectors learned elsewhere.

Input: word vectors and the random rows of an embedding. Output: rows of the same shape
and scale with the geometry of the vectors.
"""

from __future__ import annotations

import numpy as np


def rows_from_vectors(vectors, rows: np.ndarray, scale: float, rng) -> np.ndarray:
    """Word vectors in place of random rows, of the same width and scale.

    Vectors of the rows' width are used directly; others are multiplied by a random
    matrix, which preserves their angles on average. All are scaled to the rows' root
    mean square.

    Parameters
    ----------
    vectors : array-like of shape (n_features, n_dims)
        A vector that is all zero or all NaN marks a word without one; the word keeps
        its random row.
    rows : ndarray of shape (n_features, n_row)
        The random rows.
    scale : float
        Root mean square of the result.
    rng : numpy.random.Generator
        Draws the random matrix.

    Raises
    ------
    ValueError
        If the number of vectors is not n_features, a vector is not finite, or no word
        has a vector.
    """
    n_features, n_row = rows.shape
    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) != n_features:
        raise ValueError(
            f"word_vectors has shape {vectors.shape}; it must have one row for each of "
            f"the {n_features} columns of X."
        )
    known = vectors.any(axis=1) & ~np.isnan(vectors).all(axis=1)
    vectors = vectors[known]
    if not np.isfinite(vectors).all():
        raise ValueError(
            "word_vectors contains NaN or infinity. Only a row that is entirely NaN or "
            "zero marks a word without a vector."
        )
    if not len(vectors):
        raise ValueError("word_vectors has no vector for any word.")
    if vectors.shape[1] != n_row:
        vectors = vectors @ rng.standard_normal((vectors.shape[1], n_row))
    rows = rows.copy()
    rows[known] = vectors * (scale / np.sqrt(np.mean(vectors**2)))
    return rows
