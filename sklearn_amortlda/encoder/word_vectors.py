"""Word embeddings that are initialized with pretrained vectors.

Input: word vectors and the random rows of an embedding. Output: rows of the shape and
scale of the random rows, with the directions of the vectors.
"""

from __future__ import annotations

import numpy as np


def rows_from_vectors(vectors, rows: np.ndarray, scale: float, rng) -> np.ndarray:
    """Rows in which word vectors replace random rows, at the width of the rows.

    Vectors of the rows' width are used directly. Other vectors are multiplied by a
    random matrix, which approximately preserves their angles. All vectors are scaled to
    the root mean square `scale`.

    Parameters
    ----------
    vectors : array-like of shape (n_features, n_dims)
        A vector of zeros or of NaN marks a word without a vector, which keeps its
        random row.
    rows : ndarray of shape (n_features, n_row)
        The random rows.
    scale : float
        Root mean square of the vectors in the result.
    rng : numpy.random.Generator
        Draws the random matrix.

    Returns
    -------
    rows : ndarray of shape (n_features, n_row)

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
        raise ValueError(
            "word_vectors has no vector for any word: all rows are zero or NaN. Pass "
            "vectors in the order of the columns of X, or word_vectors=None."
        )
    if vectors.shape[1] != n_row:
        vectors = vectors @ rng.standard_normal((vectors.shape[1], n_row))
    rows = rows.copy()
    rows[known] = vectors * (scale / np.sqrt(np.mean(vectors**2)))
    return rows
