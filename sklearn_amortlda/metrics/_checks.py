"""Topics and counts in; validated arrays, ranks and matches of topics out."""

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from ..data.validation import well_formed


def check_topics(topic_word, name="topic_word"):
    """Return weights of topics as a float64 array; raise if one is negative."""
    return check_array(
        topic_word, dtype=np.float64, ensure_non_negative=True, input_name=name
    )


def simplex(weights, name):
    """Return weights with rows normalized to sum to 1; raise if a row is zero."""
    weights = check_topics(weights, name)
    totals = weights.sum(axis=1, keepdims=True)
    if np.any(totals == 0):
        raise ValueError(
            f"Row {int(np.argmin(totals))} of {name} sums to zero and cannot be "
            "normalized: pass a row with at least one positive weight."
        )
    return weights / totals


def check_counts(X, n_words=None):
    """Return a copy of X as a canonical float64 CSR array."""
    X = check_array(
        well_formed(X),
        accept_sparse="csr",
        dtype=np.float64,
        ensure_non_negative=True,
        input_name="X",
    )
    if n_words is not None and X.shape[1] != n_words:
        raise ValueError(
            f"X has {X.shape[1]} words (columns) but topic_word has {n_words}: count "
            "the words of the documents with the vocabulary of the topics."
        )
    X = sparse.csr_array(X, copy=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    return X


def check_integers(X, reason):
    """Raise ValueError if a count of X is not an integer, with the reason."""
    fractional = X.data != np.floor(X.data)
    if np.any(fractional):
        raise ValueError(
            f"X must hold integer counts, got {X.data[fractional][0]}: {reason}. Pass "
            "counts (CountVectorizer), not weights such as tf-idf."
        )


def check_in_range(value, name, low, high, meaning):
    """Raise ValueError if a value is not an integer from `low` to `high`.

    `meaning` says what `high` is.
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise ValueError(
            f"{name} must be an integer from {low} to {high}, {meaning}, got {value!r}."
        )


def top_indices(weights, n_top, name, minimum=1):
    """Return the columns of the largest entries of each row.

    Parameters
    ----------
    weights : ndarray of shape (n_rows, n_columns)
    n_top : int
        From `minimum` to the number of columns.
    name : str
        Name of `n_top` in the error message.
    minimum : int, default=1
        Smallest valid value of `n_top`.

    Returns
    -------
    columns : ndarray of shape (n_rows, n_top), of ints
        Largest entry first; equal entries in the order of their columns.

    Raises
    ------
    ValueError
        If `n_top` is not an integer from `minimum` to the number of columns.
    """
    n_columns = weights.shape[1]
    check_in_range(n_top, name, minimum, n_columns, "the number of columns")
    # A full sort of a large vocabulary would take longer than the coherence itself.
    top = np.argpartition(-weights, n_top - 1, axis=1)[:, :n_top]
    top.sort(axis=1)
    order = np.argsort(-np.take_along_axis(weights, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


def matched_topics(a, b):
    """Match the rows of two arrays one to one by the Hungarian method.

    The matching has the largest sum of cosine similarities.

    Parameters
    ----------
    a : ndarray of shape (n_topics_a, n_words)
    b : ndarray of shape (n_topics_b, n_words)

    Returns
    -------
    rows, columns : ndarray of shape (min(n_topics_a, n_topics_b),), of ints
        Matched rows of `a` and of `b`.
    cosines : ndarray of shape (min(n_topics_a, n_topics_b),)
        Cosine similarities of the matched rows.
    """
    similarity = normalize(a) @ normalize(b).T
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return rows, columns, similarity[rows, columns]
