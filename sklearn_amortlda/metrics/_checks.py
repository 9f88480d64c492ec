"""What the metrics accept: topics, counts, and models that have topics."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array


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
        X,
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
