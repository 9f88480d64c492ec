"""Topics by their words."""

import numpy as np

from ..metrics._checks import check_topics, simplex, top_indices, topics_of
from ..metrics._coherence import topic_coherence
from ._sizes import topic_sizes


def top_words(model, feature_names=None, *, n_words=10, ranking=None):
    """The words that tell most of each topic.

    Parameters
    ----------
    model : fitted estimator
        With `topic_word_`, or else `components_`.
    feature_names : array-like of shape (n_features,), default=None
        The words, such as ``vectorizer.get_feature_names_out()``. None is the model's
        `feature_names_in_` where it has them, else 'x0', 'x1', ...
    n_words : int, default=10
        Words of each topic.
    ranking : array-like of shape (n_topics, n_features), default=None
        What to rank words by, greater first; such as :func:`topic_relevance`. None is
        their probability in the topic.

    Returns
    -------
    words : ndarray of shape (n_topics, n_words), of objects
        Best first.

    Raises
    ------
    ValueError
        If `feature_names` or `ranking` is not of the model's shape, or `n_words` not
        between 1 and the number of words.

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
    topics = topics_of(model)
    names = feature_names_of(model, feature_names)
    ranking = topics if ranking is None else np.asarray(ranking)
    if ranking.shape != topics.shape:
        raise ValueError(
            f"ranking must have a row a topic and a column a word, shape "
            f"{topics.shape}, got {ranking.shape}."
        )
    return names[top_indices(ranking, n_words, "n_words")]


def topic_relevance(model, X, *, weight=0.6):
    r"""Relevance of words to topics: probable ones, rather than common ones.

    That of LDAvis [1]_,

    .. math:: \lambda \log p(v | k) + (1 - \lambda) \log \frac{p(v | k)}{p(v)}

    with :math:`p(v) = \sum_k p(k) p(v | k)` and p(k) the :func:`topic_sizes` in X.

    Parameters
    ----------
    model : fitted estimator
        With `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents whose topics are weighed.
    weight : float, default=0.6
        lambda, from 0 to 1. 1 ranks by probability in the topic, as the topics
        themselves do; 0 by how much more probable a word is there than anywhere, which
        favours rare words. In the study of [1]_ 0.6 served readers best.

    Returns
    -------
    relevance : ndarray of shape (n_topics, n_features)
        In nats; -inf for a word that the topic cannot have.

    References
    ----------
    .. [1] C. Sievert & K. Shirley (2014). LDAvis: A method for visualizing and
       interpreting topics. ACL workshop on interactive language learning.

    Examples
    --------
    "the" is everywhere; relevance puts the words that tell topics apart before it.

    >>> import numpy as np
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> from sklearn_amortlda.inspection import top_words, topic_relevance
    >>> X = np.repeat([[6, 5, 0], [6, 0, 5]], 20, axis=0)
    >>> lda = LatentDirichletAllocation(2, random_state=0).fit(X)
    >>> words = ["the", "cat", "dog"]
    >>> top_words(lda, words, n_words=1).ravel()
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
    # A word that is in some topic is in the corpus, but for sizes that underflow.
    possible = (topics > 0) & (marginal > 0)
    np.log(topics, out=relevance, where=possible)
    log_marginal = np.log(marginal, where=marginal > 0, out=np.zeros_like(marginal))
    return relevance - (1.0 - weight) * log_marginal


def topic_table(model, X, feature_names=None, *, n_words=10, ranking=None):
    """What there is to say of each topic, as a table.

    Parameters
    ----------
    model : fitted estimator
        With `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts of the documents that sizes and coherence are taken of.
    feature_names : array-like of shape (n_features,), default=None
        The words; see :func:`top_words`.
    n_words : int, default=10
        Words of each topic, at least 2.
    ranking : array-like of shape (n_topics, n_features), default=None
        What to rank the words shown by; see :func:`top_words`. Coherence and
        exclusivity are those of the most probable words in any case.

    Returns
    -------
    table : pandas.DataFrame
        A row a topic, in the model's order, with the columns

        - ``size``, the expected share of the words of X (:func:`topic_sizes`);
        - ``alpha``, the prior of documents' topics, where the model has
          `doc_topic_prior_`;
        - ``coherence``, the NPMI of the top words in X
          (:func:`~sklearn_amortlda.metrics.topic_coherence`);
        - ``exclusivity``, the mean over the top words of
          p(v | k) / sum_j p(v | j): 1 for words of this topic alone, 1 / n_topics for
          words of all (as MALLET's diagnostics define it);
        - ``words``, the top words, separated by spaces.

    Raises
    ------
    ImportError
        If pandas is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import topic_table
    >>> X = np.repeat([[5, 3, 0, 0], [0, 0, 3, 5]], [60, 20], axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X)
    >>> table = topic_table(lda, X, ["cat", "purr", "bark", "dog"], n_words=2)
    >>> table = table[["size", "coherence", "words"]].sort_values("size")
    >>> print(table.round(1).to_string(index=False))
     size  coherence    words
      0.2        1.0 dog bark
      0.8        1.0 cat purr
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            'topic_table needs pandas: pip install "sklearn-amortlda[pandas]".'
        ) from error

    topics = simplex(topics_of(model), "the model's topics")
    words = top_words(model, feature_names, n_words=n_words, ranking=ranking)
    columns = {"size": topic_sizes(model, X)}
    if hasattr(model, "doc_topic_prior_"):
        columns["alpha"] = model.doc_topic_prior_
    columns["coherence"] = topic_coherence(
        topics, X, n_top_words=n_words, average=False
    )
    columns["exclusivity"] = _exclusivity(topics, n_words)
    columns["words"] = [" ".join(map(str, row)) for row in words]
    return pd.DataFrame(columns, index=pd.RangeIndex(len(topics), name="topic"))


def _exclusivity(topics, n_words):
    top = top_indices(topics, n_words, "n_words")
    own = np.take_along_axis(topics, top, axis=1)
    return (own / topics.sum(axis=0)[top]).mean(axis=1)


def feature_names_of(model, feature_names):
    n_features = check_topics(topics_of(model)).shape[1]
    if feature_names is None:
        feature_names = getattr(model, "feature_names_in_", None)
    if feature_names is None:
        feature_names = [f"x{v}" for v in range(n_features)]
    names = np.asarray(feature_names, dtype=object)
    if names.shape != (n_features,):
        raise ValueError(
            f"feature_names must be the model's {n_features} words in the order of "
            f"the columns, got shape {names.shape}."
        )
    return names
