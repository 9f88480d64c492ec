"""A fitted model goes in; the words of its topics come out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..data.types import MatrixLike, TopicModel
from ..metrics._checks import simplex
from ..metrics._models import names_of, topics_of
from ._ranking import ranked_words
from ._sizes import topic_sizes


def top_words(
    model: TopicModel,
    feature_names: ArrayLike | None = None,
    *,
    n_words: int = 10,
    ranking: str | ArrayLike = "lift",
) -> np.ndarray:
    """Return the top words of each topic.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `topic_word_`, or else `components_`.
    feature_names : array-like of shape (n_features,), default=None
        The words, such as ``vectorizer.get_feature_names_out()``. If None, the names
        that the vectorizer of a Pipeline returns; else the model's
        `feature_names_in_`; else 'x0', 'x1', ...
    n_words : int, default=10
        Number of words of each topic.
    ranking : {'lift', 'probability'} or array-like of shape (n_topics, n_features), \
            default='lift'
        What ranks the words of a topic, larger values first.

        - 'lift': how many times more frequent the word is in the topic than in the
          corpus, shrunk for rare words (:func:`topic_lift`). Few topics share such
          words.
        - 'probability': the probability of the word in the topic. Common words are
          top words of several topics.
        - An array of scores, such as :func:`topic_relevance`.

    Returns
    -------
    words : ndarray of shape (n_topics, n_words), of objects
        The words of each topic, best word first.

    Raises
    ------
    ValueError
        If the shape of `feature_names` or `ranking` is not that of the model, `ranking`
        is unknown, or `n_words` is not an integer from 1 to the number of words.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> from sklearn_amortlda.inspection import top_words
    >>> X = np.repeat([[5, 3, 0, 0], [0, 0, 3, 5]], 20, axis=0)
    >>> lda = LatentDirichletAllocation(2, random_state=0).fit(X)
    >>> top_words(lda, ["cat", "purr", "bark", "dog"], n_words=2)
    array([['cat', 'purr'],
           ['dog', 'bark']], dtype=object)
    """
    names = names_of(model, feature_names)
    return names[ranked_words(model, n_words, ranking)]


def topic_relevance(
    model: TopicModel, X: MatrixLike, *, weight: float = 0.6
) -> np.ndarray:
    r"""Return the relevance of each word to each topic.

    Relevance is defined by LDAvis [1]_. It lowers the rank of words that are probable
    in all topics:

    .. math:: \lambda \log p(v | k) + (1 - \lambda) \log \frac{p(v | k)}{p(v)}

    with :math:`p(v) = \sum_k p(k) p(v | k)`. p(k) is the size of topic k in X
    (:func:`topic_sizes`).

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents that determine the sizes of the topics, or the input of
        the Pipeline.
    weight : float, default=0.6
        lambda, from 0 to 1. The value 1 ranks words by their probability in the topic.
        The value 0 ranks words by the ratio of this probability to their probability in
        the corpus, which favours rare words. The user study of [1]_ found 0.6 to be
        best.

    Returns
    -------
    relevance : ndarray of shape (n_topics, n_features)
        Relevance in nats. It is -inf where the topic gives the word probability 0.

    Raises
    ------
    ValueError
        If `weight` is not between 0 and 1, X holds no words, or the number of columns
        is not that of the model.

    References
    ----------
    .. [1] C. Sievert & K. Shirley (2014). LDAvis: A method for visualizing and
       interpreting topics. ACL workshop on interactive language learning.

    Examples
    --------
    The word "the" is the most probable word of both topics. Relevance ranks the word
    that distinguishes the topics above it.

    >>> import numpy as np
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> from sklearn_amortlda.inspection import top_words, topic_relevance
    >>> X = np.repeat([[6, 5, 0], [6, 0, 5]], 20, axis=0)
    >>> lda = LatentDirichletAllocation(2, random_state=0).fit(X)
    >>> words = ["the", "cat", "dog"]
    >>> top_words(lda, words, n_words=1, ranking="probability").ravel()
    array(['the', 'the'], dtype=object)
    >>> ranking = topic_relevance(lda, X)
    >>> top_words(lda, words, n_words=1, ranking=ranking).ravel()
    array(['dog', 'cat'], dtype=object)
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"weight must be between 0 and 1, got {weight!r}.")
    topics = simplex(topics_of(model), "the model's topics")
    marginal = topic_sizes(model, X) @ topics
    relevance = np.full(topics.shape, -np.inf)
    # The marginal of a word with a positive probability is 0 if the sizes underflow.
    possible = (topics > 0) & (marginal > 0)
    np.log(topics, out=relevance, where=possible)
    log_marginal = np.log(marginal, where=marginal > 0, out=np.zeros_like(marginal))
    return relevance - (1.0 - weight) * log_marginal


def topic_labels(
    model: TopicModel,
    feature_names: ArrayLike | None = None,
    *,
    n_words: int = 3,
    ranking: str | ArrayLike = "lift",
) -> np.ndarray:
    """Return a short label of each topic, its top words.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `topic_word_`, or else `components_`.
    feature_names : array-like of shape (n_features,), default=None
        The words; see :func:`top_words`.
    n_words : int, default=3
        Number of words in a label.
    ranking : {'lift', 'probability'} or array-like of shape (n_topics, n_features), \
            default='lift'
        What ranks the words; see :func:`top_words`.

    Returns
    -------
    labels : ndarray of shape (n_topics,), of objects
        The top words, separated by commas.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from sklearn_amortlda.inspection import topic_labels
    >>> model = SimpleNamespace(components_=np.array([[50, 30, 0, 0], [0, 0, 30, 50]]))
    >>> topic_labels(model, ["cat", "purr", "bark", "dog"], n_words=2)
    array(['cat, purr', 'dog, bark'], dtype=object)
    """
    words = top_words(model, feature_names, n_words=n_words, ranking=ranking)
    return joined(words, ", ")


def joined(words, separator):
    """Return the words of each row as one text, shape (n_rows,), of objects."""
    return np.array([separator.join(map(str, row)) for row in words], dtype=object)
