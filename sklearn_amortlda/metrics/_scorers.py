"""A fitted estimator and X in; a score for scikit-learn's model selection out."""

import numpy as np

from ._coherence import topic_coherence, topic_diversity
from ._completion import document_completion_perplexity
from ._models import check_names, model_and_counts, topics_of


def document_completion_scorer(estimator, X, y=None):
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


def npmi_scorer(estimator, X, y=None):
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


def u_mass_scorer(estimator, X, y=None):
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


def c_v_scorer(estimator, X, y=None):
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


def topic_diversity_scorer(estimator, X=None, y=None):
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


def _coherence(estimator, X, measure):
    model, counts = model_and_counts(estimator, X)
    check_names(model, counts)
    return topic_coherence(topics_of(model), counts, measure=measure)
