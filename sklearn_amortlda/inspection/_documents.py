"""A fitted model and documents go in; topics by document, class and time come out."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length, column_or_1d

from ..data.types import MatrixLike, TopicModel
from ..metrics._checks import top_indices
from ._sizes import theta_and_lengths, words_by_topic

# Standard normal quantile of a 95 % interval.
_Z = 1.96


def representative_documents(
    model: TopicModel, X: MatrixLike, *, n_documents: int = 3
) -> np.ndarray:
    """Return the documents that represent each topic best.

    Documents are ranked by the lower end of the 95 % Wilson interval [1]_ of the
    topic's share among the words of the document. The interval of a short document is
    wide, because its share may be due to chance. A short document therefore ranks below
    a longer document with an equal share. Length alone does not raise the rank.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_samples, n_words)
        Counts of the documents, or the input of the Pipeline.
    n_documents : int, default=3
        Number of documents for each topic.

    Returns
    -------
    indices : ndarray of shape (n_topics, n_documents)
        Row numbers in X, best document first.

    Raises
    ------
    ValueError
        If `n_documents` is not an integer from 1 to the number of rows of X.

    References
    ----------
    .. [1] E. B. Wilson (1927). Probable inference, the law of succession, and
       statistical inference. JASA 22.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import representative_documents
    >>> X = np.repeat([[9, 9, 0, 0], [0, 0, 9, 9]], 20, axis=0)
    >>> X[::2] //= 4  # every second document is short
    >>> lda = AmortizedLDA(2, random_state=0).fit(X)
    >>> representative_documents(lda, X, n_documents=2) % 2
    array([[1, 1],
           [1, 1]])
    """
    theta, lengths = theta_and_lengths(model, X)
    lower = _wilson_lower(theta, lengths[:, np.newaxis])
    return top_indices(lower.T, n_documents, "n_documents")


def topics_per_class(
    model: TopicModel, X: MatrixLike, y: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each topic in the words of each class.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents, or the input of the Pipeline.
    y : array-like of shape (n_documents,)
        Class of each document, such as its label, author or source.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The distinct values of y, sorted.
    shares : ndarray of shape (n_classes, n_topics)
        Expected shares of the topics in the words of each class. Each row is on the
        simplex. The row of a class without words is NaN.
        ``pandas.DataFrame(shares, classes)`` makes a table.

    Raises
    ------
    ValueError
        If X and y differ in length.

    See Also
    --------
    topic_sizes : Shares of the topics in all documents together.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import topics_per_class
    >>> X = np.repeat([[9, 9, 0, 0], [0, 0, 9, 9]], 20, axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X)
    >>> classes, shares = topics_per_class(lda, X, ["cats"] * 20 + ["dogs"] * 20)
    >>> classes
    array(['cats', 'dogs'], dtype='<U4')
    >>> shares.max(axis=1).round(1)
    array([1., 1.])
    """
    y = column_or_1d(y)
    words = words_by_topic(model, X)
    check_consistent_length(words, y)
    classes, group = np.unique(y, return_inverse=True)
    return classes, _shares_by_group(words, group, len(classes))


def topics_over_time(
    model: TopicModel, X: MatrixLike, time: ArrayLike, *, n_bins: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each topic in the words of each time span.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents, or the input of the Pipeline.
    time : array-like of shape (n_documents,)
        Time of each document: numbers, datetimes, numpy.datetime64 or ISO 8601 strings
        such as '2024-05-31'. Times with a zone are converted to UTC.
    n_bins : int, default=10
        Number of spans. The spans have equal width and reach from the first time to
        the last time.

    Returns
    -------
    edges : ndarray of shape (n_bins + 1,)
        Start of each span, and the end of the last span, which is inclusive. The dtype
        is float64 if `time` holds numbers, else datetime64.
    shares : ndarray of shape (n_bins, n_topics)
        Expected shares of the topics in the words of each span. Each row is on the
        simplex. The row of a span without words is NaN.

    Raises
    ------
    ValueError
        If a time is missing or infinite, `n_bins` is not a positive integer, or X and
        `time` differ in length.
    TypeError
        If `time` holds neither numbers nor datetimes nor ISO strings.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import topics_over_time
    >>> X = np.repeat([[9, 9, 0, 0], [0, 0, 9, 9]], 20, axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X)
    >>> years = np.repeat([1990, 2010], 20)
    >>> edges, shares = topics_over_time(lda, X, years, n_bins=2)
    >>> edges
    array([1990., 2000., 2010.])
    >>> shares.max(axis=1).round(1)
    array([1., 1.])
    """
    if not isinstance(n_bins, (int, np.integer)) or n_bins < 1:
        raise ValueError(f"n_bins must be a positive integer, got {n_bins!r}.")
    time = _check_time(time)
    words = words_by_topic(model, X)
    check_consistent_length(words, time)
    edges = _equal_edges(time, n_bins)
    # Inner edges only, so that the last time falls into the last span.
    group = np.searchsorted(edges[1:-1], time, side="right")
    return edges, _shares_by_group(words, group, n_bins)


def _wilson_lower(share, n):
    """Return the lower end of the Wilson score interval of a share of n trials."""
    spread = _Z * np.sqrt(n * share * (1.0 - share) + _Z**2 / 4.0)
    return (n * share + _Z**2 / 2.0 - spread) / (n + _Z**2)


def _shares_by_group(words, group, n_groups):
    totals = np.zeros((n_groups, words.shape[1]))
    np.add.at(totals, group, words)
    n_words = totals.sum(axis=1, keepdims=True)
    shares = np.full_like(totals, np.nan)
    return np.divide(totals, n_words, out=shares, where=n_words > 0)


def _check_time(time):
    time = column_or_1d(time)
    if time.dtype.kind in "OUT":
        time = _datetimes(time)
    if time.dtype.kind not in "iufM":
        raise TypeError(
            "time must hold numbers, datetimes or ISO 8601 strings, got dtype "
            f"{time.dtype}. Convert the values to datetimes."
        )
    if time.dtype.kind == "M":
        missing = np.isnat(time)
    else:
        time = time.astype(np.float64)
        missing = ~np.isfinite(time)
    if missing.any():
        raise ValueError(
            f"time has {missing.sum()} missing or infinite values. Remove these "
            "documents from X and time."
        )
    return time


def _datetimes(values):
    """Return datetimes or ISO strings as datetime64, in UTC if they have a zone."""
    with warnings.catch_warnings():
        # NumPy warns that the results have no zone, with the second text before 2.0.
        warnings.filterwarnings("ignore", "no explicit representation of timezones")
        warnings.filterwarnings("ignore", "parsing timezone aware datetimes")
        return np.array([_datetime(value) for value in values], dtype="datetime64[us]")


def _datetime(value):
    try:
        return np.datetime64(value, "us")
    except (TypeError, ValueError) as error:
        raise TypeError(
            "time must hold numbers, datetimes or ISO 8601 strings, got values such as "
            f"{str(value)!r}. Convert the values to datetimes; None is a missing value."
        ) from error


def _equal_edges(time, n_bins):
    first, last = time.min(), time.max()
    if time.dtype.kind != "M":
        return np.linspace(first, last, n_bins + 1)
    # Integer units of the resolution, because linspace does not accept datetime64.
    offsets = np.linspace(0, (last - first).astype(np.int64), n_bins + 1)
    return first + np.round(offsets).astype((last - first).dtype)
