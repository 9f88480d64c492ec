"""A fitted model and documents go in; the number of words of each topic comes out."""

from __future__ import annotations

import numpy as np
from scipy.stats import entropy

from ..data.types import MatrixLike, TopicModel
from ..metrics._checks import check_counts, check_topics, simplex
from ..metrics._models import model_and_counts, model_of, topics_of


def topic_sizes(model: TopicModel, X: MatrixLike) -> np.ndarray:
    r"""Return the expected share of each topic in the words of X.

    The size of topic k is :math:`\sum_d n_d \theta_{dk} / \sum_d n_d`, where
    :math:`n_d` is the number of words of document d and :math:`\theta_d` is its row of
    `transform`.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents, or the input of the Pipeline.

    Returns
    -------
    sizes : ndarray of shape (n_topics,)
        The sizes sum to 1.

    Raises
    ------
    ValueError
        If X holds no words, or the number of columns is not that of the model.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import topic_sizes
    >>> X = np.repeat([[5, 5, 0, 0], [0, 0, 5, 5]], [60, 20], axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X)
    >>> np.sort(topic_sizes(lda, X)).round(1)
    array([0.2, 0.8])
    """
    words = words_by_topic(model, X)
    totals = words.sum(axis=0)
    if not totals.sum():
        raise ValueError(
            f"X holds no words: all of its {len(words)} rows sum to 0. Pass documents "
            "that have words of the model's vocabulary."
        )
    return totals / totals.sum()


def effective_number_of_topics(model: TopicModel, X: MatrixLike) -> float:
    """Return the number of equally large topics that have the entropy of the model's.

    The value is the exponential of the entropy of :func:`topic_sizes`. It is the number
    of topics if all topics are equally large, and smaller otherwise.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents, or the input of the Pipeline.

    Returns
    -------
    number : float
        A value from 1 to the number of topics.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import effective_number_of_topics
    >>> X = np.repeat([[5, 5, 0, 0], [0, 0, 5, 5]], [60, 20], axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X)
    >>> round(effective_number_of_topics(lda, X), 1)
    1.8
    """
    return float(np.exp(entropy(topic_sizes(model, X))))


def training_shares(model):
    """Return the share of each topic in the sums of `components_`, None if absent.

    In LDA these are the shares in the words of the training corpus.
    """
    fitted = model_of(model)
    if not hasattr(fitted, "components_"):
        return None
    totals = check_topics(fitted.components_).sum(axis=1)
    return totals / totals.sum()


def words_by_topic(model, X):
    """Return the expected word count of each topic, shape (n_documents, n_topics)."""
    theta, lengths = theta_and_lengths(model, X)
    return theta * lengths[:, np.newaxis]


def theta_and_lengths(model, X):
    """Return the topic shares and the number of words of each document."""
    model, counts = model_and_counts(model, X)
    lengths = check_counts(counts, n_words=topics_of(model).shape[1]).sum(axis=1)
    # `transform` gets the counts as they came: a DataFrame must keep its column names.
    theta = simplex(model.transform(counts), "the model's transform of X")
    return theta, lengths
