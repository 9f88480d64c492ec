"""How many words each topic stands for."""

import numpy as np
from scipy.stats import entropy

from ..metrics._checks import check_counts, simplex, topics_of


def topic_sizes(model, X):
    r"""Expected share of the words of X that each topic stands for.

    :math:`\sum_d n_d \theta_{dk} / \sum_d n_d`, with :math:`n_d` the number of words
    of a document and :math:`\theta_d` what `transform` says of it.

    Parameters
    ----------
    model : fitted estimator
        With `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents.

    Returns
    -------
    sizes : ndarray of shape (n_topics,)
        They sum to 1.

    Raises
    ------
    ValueError
        If X holds no words, or not the model's vocabulary.

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
    words = words_by_topic(model, X).sum(axis=0)
    if not words.sum():
        raise ValueError("X holds no words: topics have no sizes in it.")
    return words / words.sum()


def effective_number_of_topics(model, X):
    """Number of equally large topics that would be as diverse as the model's.

    The exponential of the entropy of :func:`topic_sizes`: the number of topics if all
    are equally large, less the more unequal they are.

    Parameters
    ----------
    model : fitted estimator
        With `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents.

    Returns
    -------
    number : float
        From 1 to the number of topics.

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


def words_by_topic(model, X):
    """Expected number of each document's words in each topic, (documents, topics)."""
    theta, lengths = theta_and_lengths(model, X)
    return theta * lengths[:, np.newaxis]


def theta_and_lengths(model, X):
    """Topic shares of each document, and its number of words."""
    lengths = check_counts(X, n_words=topics_of(model).shape[1]).sum(axis=1)
    return simplex(model.transform(X), "the model's transform of X"), lengths
