"""A fitted estimator and X in; a score for scikit-learn's model selection out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..data.types import MatrixLike, TopicModel
from ._coherence import topic_coherence
from ._completion import document_completion_perplexity
from ._labels import purity_score, retrieval_precision
from ._models import check_names, model_and_counts, topics_of
from ._overlap import inverted_rbo, topic_diversity, topic_uniqueness


def document_completion_scorer(
    estimator: TopicModel, X: MatrixLike, y: object = None
) -> float:
    """Return the mean log probability of a held-out word, for model selection.

    The score is minus the logarithm of :func:`document_completion_perplexity`.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        Has `transform`, and `topic_word_` or else `components_`. For a Pipeline, the
        model is the last step, and the counts are those that reach the last step.
    X : {array-like, sparse matrix, DataFrame} of shape (n_documents, n_words)
        Integer counts, or the input of the Pipeline.
    y : None
        Ignored.

    Returns
    -------
    score : float
        In nats. Greater is better.

    Raises
    ------
    ValueError
        As in :func:`document_completion_perplexity`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_amortlda.metrics import document_completion_scorer
    >>> X = np.tile(np.kron(np.eye(2, dtype=int), np.full((1, 3), 4)), (20, 1))
    >>> lda = LatentDirichletAllocation(random_state=0)
    >>> search = GridSearchCV(lda, {"n_components": [1, 2]}, cv=2,
    ...                       scoring=document_completion_scorer)
    >>> search.fit(X).best_params_
    {'n_components': 2}
    """
    return -float(np.log(document_completion_perplexity(estimator, X)))


def npmi_scorer(estimator: TopicModel, X: MatrixLike, y: object = None) -> float:
    """Return the mean NPMI of the topics' top 10 words in X, for model selection.

    NPMI does not measure how well the topics explain the documents. The
    :func:`document_completion_scorer` does. X needs enough documents for rare words
    to co-occur.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        Has `topic_word_` or else `components_`. For a Pipeline, the model is the last
        step, and the counts are those that reach the last step.
    X : {array-like, sparse matrix, DataFrame} of shape (n_documents, n_words)
        Counts of the reference documents, or the input of the Pipeline. See
        :func:`topic_coherence`.
    y : None
        Ignored.

    Returns
    -------
    score : float
        Between -1 and 1. Greater is better.

    Raises
    ------
    ValueError
        If the columns of a DataFrame have other names than in ``fit``, or the same
        names in another order. Otherwise as in :func:`topic_coherence`.
    """
    return _coherence(estimator, X, "npmi")


def u_mass_scorer(estimator: TopicModel, X: MatrixLike, y: object = None) -> float:
    """Return the mean u_mass of the topics' top 10 words in X, for model selection.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        See :func:`npmi_scorer`.
    X : {array-like, sparse matrix, DataFrame} of shape (n_documents, n_words)
        See :func:`npmi_scorer`.
    y : None
        Ignored.

    Returns
    -------
    score : float
        At most about 0. Greater is better.
    """
    return _coherence(estimator, X, "u_mass")


def c_v_scorer(estimator: TopicModel, X: MatrixLike, y: object = None) -> float:
    """Return the mean c_v of the topics' top 10 words in X, for model selection.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        See :func:`npmi_scorer`.
    X : {array-like, sparse matrix, DataFrame} of shape (n_documents, n_words)
        See :func:`npmi_scorer`.
    y : None
        Ignored.

    Returns
    -------
    score : float
        Greater is better.
    """
    return _coherence(estimator, X, "c_v")


def topic_diversity_scorer(
    estimator: TopicModel, X: object = None, y: object = None
) -> float:
    """Return the :func:`topic_diversity` of the top 10 words, for model selection.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        Has `topic_word_` or else `components_`. For a Pipeline, the model is the last
        step.
    X : None
        Ignored.
    y : None
        Ignored.

    Returns
    -------
    score : float
        Between 1 / n_topics and 1. Greater is better.
    """
    return topic_diversity(topics_of(estimator))


def topic_uniqueness_scorer(
    estimator: TopicModel, X: object = None, y: object = None
) -> float:
    """Return the :func:`topic_uniqueness` of the top 15 words, for model selection.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        See :func:`topic_diversity_scorer`.
    X : None
        Ignored.
    y : None
        Ignored.

    Returns
    -------
    score : float
        From 0 to 1. Greater is better.
    """
    return topic_uniqueness(topics_of(estimator))


def inverted_rbo_scorer(
    estimator: TopicModel, X: object = None, y: object = None
) -> float:
    """Return the :func:`inverted_rbo` of the top 10 words, for model selection.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        See :func:`topic_diversity_scorer`.
    X : None
        Ignored.
    y : None
        Ignored.

    Returns
    -------
    score : float
        From 0 to 1. Greater is better.
    """
    return inverted_rbo(topics_of(estimator))


def purity_scorer(estimator: TopicModel, X: MatrixLike, y: ArrayLike) -> float:
    """Return the :func:`purity_score` of the documents' topics, for model selection.

    The topics are those of `predict`, or the largest proportions of `transform` if the
    estimator has no `predict`. Labels are not used in the fit of a topic model. For
    estimators with `predict`, scikit-learn has
    ``scoring='normalized_mutual_info_score'``.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        Has `predict` or `transform`.
    X : {array-like, sparse matrix, DataFrame} of shape (n_documents, n_words)
        Counts, or the input of the Pipeline.
    y : array-like of shape (n_documents,)
        Labels of the documents.

    Returns
    -------
    score : float
        Above 0, at most 1. Greater is better.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn_amortlda.metrics import purity_scorer
    >>> X = np.tile(np.kron(np.eye(2, dtype=int), np.full((1, 3), 4)), (20, 1))
    >>> lda = LatentDirichletAllocation(2, random_state=0)
    >>> cross_val_score(lda, X, [0, 1] * 20, cv=2, scoring=purity_scorer)
    array([1., 1.])
    """
    if hasattr(estimator, "predict"):
        return purity_score(y, estimator.predict(X))
    return purity_score(y, np.asarray(estimator.transform(X)).argmax(axis=1))


def retrieval_scorer(estimator: TopicModel, X: MatrixLike, y: ArrayLike) -> float:
    """Return the :func:`retrieval_precision` of 10 documents, for model selection.

    Each document of X searches the other documents of X.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        Has `transform`, with non-negative results.
    X : {array-like, sparse matrix, DataFrame} of shape (n_documents, n_words)
        Counts of more than 10 documents, or the input of the Pipeline.
    y : array-like of shape (n_documents,)
        Labels of the documents.

    Returns
    -------
    score : float
        From 0 to 1. Greater is better.
    """
    return retrieval_precision(estimator.transform(X), y)


def _coherence(estimator, X, measure):
    model, counts = model_and_counts(estimator, X)
    check_names(model, counts)
    return topic_coherence(topics_of(model), counts, measure=measure)
