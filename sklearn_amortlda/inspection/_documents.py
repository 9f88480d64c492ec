"""Topics by the documents that have them: which, of which class, when."""

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d

from ..metrics._checks import top_indices
from ._sizes import theta_and_lengths, words_by_topic

# Standard deviations of a 95 % interval.
_Z = 1.96


def representative_documents(model, X, *, n_documents=3):
    """The documents that are most about each topic.

    Ranked by the lower end of the 95 % Wilson interval [1]_ of the topic's share among
    the document's words. So a short document, whose share may be chance, stands behind
    a longer one of the same share, and length alone is no merit.

    Parameters
    ----------
    model : fitted estimator
        With `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents.
    n_documents : int, default=3
        Documents for each topic.

    Returns
    -------
    indices : ndarray of shape (n_topics, n_documents)
        Rows of X, best first.

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


def topics_per_class(model, X, y):
    """Shares of the topics in the words of each class.

    Parameters
    ----------
    model : fitted estimator
        With `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents.
    y : array-like of shape (n_documents,)
        Class of each document: label, author, source, ...

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The distinct values of y, sorted.
    shares : ndarray of shape (n_classes, n_topics)
        Expected shares of each class's words, rows on the simplex; NaN for a class
        without words. ``pandas.DataFrame(shares, classes)`` is a table of them.

    See Also
    --------
    topic_sizes : The same of all documents together.

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


def topics_over_time(model, X, time, *, n_bins=10):
    """Shares of the topics in the words of each span of time.

    Parameters
    ----------
    model : fitted estimator
        With `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents.
    time : array-like of shape (n_documents,)
        Numbers, datetimes or numpy.datetime64 of the documents.
    n_bins : int, default=10
        Spans of equal width from the first time to the last.

    Returns
    -------
    edges : ndarray of shape (n_bins + 1,)
        Where the spans begin, and where the last one ends (inclusive): float64 or
        datetime64, as `time` is.
    shares : ndarray of shape (n_bins, n_topics)
        Expected shares of each span's words, rows on the simplex; NaN for a span
        without words.

    Raises
    ------
    ValueError
        If a time is missing, or `n_bins` is not positive.
    TypeError
        If `time` holds neither numbers nor datetimes.

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
    # The last time belongs to the last span, not to one of its own.
    group = np.searchsorted(edges[1:-1], time, side="right")
    return edges, _shares_by_group(words, group, n_bins)


def _wilson_lower(share, n):
    """Lower end of the Wilson score interval of a share of n trials."""
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
    if time.dtype.kind == "O":
        try:
            time = time.astype("datetime64[us]")
        except (TypeError, ValueError) as error:
            raise TypeError("time must hold numbers or datetimes.") from error
    if time.dtype.kind not in "iufM":
        raise TypeError(f"time must hold numbers or datetimes, not {time.dtype}.")
    if time.dtype.kind != "M":
        time = time.astype(np.float64)
    if np.isnat(time).any() if time.dtype.kind == "M" else ~np.isfinite(time).all():
        raise ValueError("time has missing or infinite values: leave those rows out.")
    return time


def _equal_edges(time, n_bins):
    first, last = time.min(), time.max()
    if time.dtype.kind != "M":
        return np.linspace(first, last, n_bins + 1)
    # As whole units of their own resolution; linspace knows no dates.
    offsets = np.linspace(0, (last - first).astype(np.int64), n_bins + 1)
    return first + np.round(offsets).astype((last - first).dtype)
