"""Labels of documents as additional words.

Input: counts and the labels of some documents. Output: the classes, and counts with a
column for each class. A labelled document has tokens of its class in that column, and
the model treats the tokens as words.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import type_of_target

# The label of documents without a label, as in sklearn.semi_supervised.
UNLABELED = -1


def encode_labels(y, n_samples: int, classes=None):
    """The classes, and the documents of each class.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or {array-like, sparse matrix} of shape \
            (n_samples, n_classes), or None
        A class for each document; -1, None or NaN for documents without a label. Or an
        indicator matrix of zeros and ones, for documents with several labels. None is
        no label at all.
    n_samples : int
        Number of documents.
    classes : array-like of shape (n_classes,), default=None
        All classes; None finds them in y.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Sorted.
    shares : csr_array of shape (n_samples, n_classes)
        The share of each label among the labels of a document.

    Raises
    ------
    ValueError
        If y has another length, values that are no classes, or classes that are not in
        `classes`; or if no document has a label and `classes` is None.
    """
    if y is None:
        if classes is None:
            raise ValueError(
                "label_weight needs the labels of the documents: pass y, or set "
                "label_weight=0."
            )
        return classes, sp.csr_array((n_samples, len(classes)))
    is_matrix = sp.issparse(y) or (np.ndim(y) == 2 and np.shape(y)[1] > 1)
    known, shares = _indicators(y, classes) if is_matrix else _classes(y, classes)
    if shares.shape[0] != n_samples:
        raise ValueError(
            f"y has {shares.shape[0]} labels, and X has {n_samples} documents; pass "
            "one label for each document."
        )
    return known, shares


def check_classes(classes, known=None) -> np.ndarray:
    """The classes of a stream.

    Parameters
    ----------
    classes : array-like of shape (n_classes,) or None
        The argument of `partial_fit`.
    known : ndarray of shape (n_classes,), default=None
        The classes of earlier chunks.

    Raises
    ------
    ValueError
        If both are None, or differ.
    """
    if classes is None and known is None:
        raise ValueError(
            "classes must be passed in the first call of partial_fit, because a chunk "
            "may lack some classes: pass them, or set label_weight=0."
        )
    if classes is None:
        return known
    classes = np.unique(column_or_1d(np.asarray(classes)))
    if known is not None and not np.array_equal(classes, known):
        raise ValueError(
            f"classes={list(classes)} are not those of the earlier fit, {list(known)}; "
            "pass the same classes in every call."
        )
    return classes


def with_label_columns(counts, shares, weight: float):
    """Counts with a column for each class after the words.

    A labelled document has `weight` tokens of its labels for each of its words.

    Parameters
    ----------
    counts : csr_array of shape (n_samples, n_features)
    shares : csr_array of shape (n_samples, n_classes)
    weight : float

    Returns
    -------
    counts : csr_array of shape (n_samples, n_features + n_classes)
    """
    lengths = counts.sum(axis=1, dtype=np.float64)
    tokens = sp.csr_array(shares.multiply(weight * lengths[:, np.newaxis]))
    tokens = tokens.astype(counts.dtype)
    tokens.eliminate_zeros()
    return sp.csr_array(sp.hstack([counts, tokens], format="csr"))


def with_label_prior(eta: np.ndarray, n_labels: int) -> np.ndarray:
    """The prior of the words, with that of the labels: the mean over the words."""
    if not eta.ndim:
        return eta
    mean = eta.mean(axis=-1, keepdims=True)
    return np.concatenate([eta, np.repeat(mean, n_labels, axis=-1)], axis=-1)


def sharpened(probabilities, exponent: float):
    """Powers of the rows of a matrix of probabilities, normalized and positive."""
    logs = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    logs = exponent * (logs - logs.max(axis=1, keepdims=True))
    powers = np.exp(np.maximum(logs, -80.0))
    return powers / powers.sum(axis=1, keepdims=True)


def _indicators(y, classes):
    y = check_array(y, accept_sparse="csr", input_name="y")
    shares = sp.csr_array(y, dtype=np.float64)
    if not np.isin(shares.data, (0, 1)).all():
        raise ValueError(
            "A matrix y must have zeros and ones, one column for each class; pass a "
            "vector for one class per document."
        )
    known = np.arange(shares.shape[1]) if classes is None else classes
    if len(known) != shares.shape[1]:
        raise ValueError(
            f"y has {shares.shape[1]} columns, and there are {len(known)} classes; "
            "pass one column for each class, in the order of classes_."
        )
    n_labels = shares.sum(axis=1)
    shares = sp.csr_array(shares.multiply(1.0 / np.maximum(n_labels, 1.0)[:, None]))
    return known, shares


def _classes(y, classes):
    y = column_or_1d(np.asarray(y, dtype=None))
    labelled = np.flatnonzero([not _is_unlabeled(label) for label in y])
    labels = np.asarray(y[labelled].tolist())
    if len(labels) and type_of_target(labels).startswith("continuous"):
        raise ValueError(
            f"y has the number {labels[0]}, which is no class; pass integers or "
            "strings, such as those of KBinsDiscretizer."
        )
    known = np.unique(labels) if classes is None else classes
    if not len(known):
        raise ValueError("y has no label: all documents are unlabelled; pass labels.")
    columns = np.searchsorted(known, labels) if len(labels) else labels.astype(int)
    unknown = [a for a, i in zip(labels, columns) if i == len(known) or known[i] != a]
    if unknown:
        raise ValueError(
            f"y has the class {unknown[0]!r}, which is not among the classes "
            f"{list(known)}; pass all classes at the first call of partial_fit."
        )
    ones = np.ones(len(labelled))
    shape = len(y), len(known)
    return known, sp.csr_array((ones, (labelled, columns)), shape=shape)


def _is_unlabeled(label):
    if isinstance(label, str):
        return False
    try:
        return bool(label is None or label == UNLABELED or label != label)
    # pandas.NA is neither true nor false.
    except TypeError:
        return True
