"""What the metrics accept and share: topics, counts, and models that have topics."""

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from .._validation import well_formed


def topics_of(estimator):
    return (
        estimator.topic_word_
        if hasattr(estimator, "topic_word_")
        else estimator.components_
    )


def check_topics(topic_word, name="topic_word"):
    return check_array(
        topic_word, dtype=np.float64, ensure_non_negative=True, input_name=name
    )


def simplex(weights, name):
    weights = check_topics(weights, name)
    totals = weights.sum(axis=1, keepdims=True)
    if np.any(totals == 0):
        raise ValueError(
            f"Row {int(np.argmin(totals))} of {name} sums to zero, so that it is no "
            "distribution: give it positive weights, the prior's if nothing is known."
        )
    return weights / totals


def check_counts(X, n_words=None):
    """X as a canonical float64 CSR array that shares nothing with the caller's."""
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
            "the documents with the vocabulary that the topics were fitted on."
        )
    X = sparse.csr_array(X, copy=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    return X


def check_integers(X, why):
    """Refuse counts that are no whole numbers, saying what needs them to be."""
    if np.any(X.data != np.floor(X.data)):
        raise ValueError(
            f"X must hold integer counts: {why}. Pass counts (CountVectorizer), not "
            "weights such as tf-idf."
        )


def top_indices(weights, n_top, name, minimum=1):
    """Columns of the largest entries of each row, largest first, ties by column.

    Parameters
    ----------
    weights : ndarray of shape (n_rows, n_columns)
    n_top : int
        From `minimum` to the number of columns.
    name : str
        What the caller calls `n_top`, for the message.
    """
    n_columns = weights.shape[1]
    if (
        not isinstance(n_top, (int, np.integer))
        or isinstance(n_top, bool)
        or not minimum <= n_top <= n_columns
    ):
        raise ValueError(
            f"{name} must be an integer from {minimum} to {n_columns}, as many as "
            f"there are, got {n_top!r}."
        )
    # A full sort of a large vocabulary would cost more than all that follows.
    top = np.argpartition(-weights, n_top - 1, axis=1)[:, :n_top]
    top.sort(axis=1)
    order = np.argsort(-np.take_along_axis(weights, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


def matched_topics(a, b):
    """Rows of a and b matched one to one, and the cosines of the matched.

    Such that the sum of the cosines is largest (the Hungarian method). Of two arrays
    of different lengths some rows of the longer one stay alone.
    """
    similarity = normalize(a) @ normalize(b).T
    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return rows, columns, similarity[rows, columns]
