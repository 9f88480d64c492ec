"""Labels of documents, and their topics or proportions, in; agreement out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics.cluster import contingency_matrix
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_consistent_length, column_or_1d

from ._checks import check_in_range, check_topics


def purity_score(labels_true: ArrayLike, labels_pred: ArrayLike) -> float:
    """Return the share of documents with the most common label of their topic [1]_.

    Purity rises with the number of topics, and is 1 if each document has a topic of its
    own. :func:`sklearn.metrics.normalized_mutual_info_score` takes the same arguments
    and does not have this property.

    Parameters
    ----------
    labels_true : array-like of shape (n_documents,)
        Labels of the documents.
    labels_pred : array-like of shape (n_documents,)
        One topic for each document, such as ``AmortizedLDA.predict(X)``.

    Returns
    -------
    purity : float
        Above 0, at most 1. Greater is better.

    Raises
    ------
    ValueError
        If the arrays differ in length or are empty.

    References
    ----------
    .. [1] C. D. Manning, P. Raghavan & H. Schuetze (2008). Introduction to information
       retrieval, section 16.3. Cambridge University Press.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import purity_score
    >>> purity_score(["cat", "cat", "dog", "dog"], [7, 7, 7, 3])
    0.75
    """
    labels_true, labels_pred = column_or_1d(labels_true), column_or_1d(labels_pred)
    check_consistent_length(labels_true, labels_pred)
    if not len(labels_true):
        raise ValueError("There are no documents: pass at least one label.")
    # One row per label, one column per topic.
    table = contingency_matrix(labels_true, labels_pred, sparse=True)
    return float(table.max(axis=0).sum() / table.sum())


def retrieval_precision(
    doc_topic: ArrayLike,
    labels: ArrayLike,
    *,
    n_neighbors: int = 10,
    queries: ArrayLike | None = None,
    query_labels: ArrayLike | None = None,
) -> float:
    """Return the share of the nearest documents that have the label of the query.

    This is the precision at k of retrieval. Documents are ranked by the Hellinger
    distance of their topic proportions.

    Parameters
    ----------
    doc_topic : array-like of shape (n_documents, n_topics)
        Topic proportions of the documents that are searched, such as the result of
        `transform`. Rows need not sum to 1.
    labels : array-like of shape (n_documents,)
        Labels of these documents.
    n_neighbors : int, default=10
        k, the number of documents that a query returns.
    queries : array-like of shape (n_queries, n_topics), default=None
        Topic proportions of the queries. None takes each document as a query, which
        does not find itself.
    query_labels : array-like of shape (n_queries,), default=None
        Labels of the queries.

    Returns
    -------
    precision : float
        From 0 to 1, mean over queries. Greater is better.

    Raises
    ------
    ValueError
        If a proportion is negative or not finite, lengths differ, only one of `queries`
        and `query_labels` is given, or there are not enough documents for
        `n_neighbors`.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import retrieval_precision
    >>> theta = [[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9]]
    >>> retrieval_precision(theta, ["cat", "cat", "dog", "cat"], n_neighbors=1)
    0.5
    """
    found, labels = _square_roots(doc_topic, "doc_topic"), column_or_1d(labels)
    check_consistent_length(found, labels)
    if (queries is None) != (query_labels is None):
        raise ValueError("Pass both queries and query_labels, or neither of them.")
    if queries is None:
        query_labels = labels
    else:
        queries = _square_roots(queries, "queries")
        query_labels = column_or_1d(query_labels)
        check_consistent_length(queries, query_labels)
    check_in_range(
        n_neighbors,
        "n_neighbors",
        1,
        len(found) - (queries is None),
        "the number of documents that a query can find",
    )
    search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(found)
    nearest = search.kneighbors(queries, return_distance=False)
    return float(np.mean(labels[nearest] == query_labels[:, np.newaxis]))


def _square_roots(doc_topic, name):
    """Return square roots of proportions.

    Their Euclidean distance is sqrt(2) times the Hellinger distance of the proportions.
    """
    doc_topic = check_topics(doc_topic, name)
    totals = doc_topic.sum(axis=1, keepdims=True)
    # A row of zeros, such as that of an empty document under NMF, stays a row of zeros.
    return np.sqrt(doc_topic / np.where(totals > 0, totals, 1.0))
