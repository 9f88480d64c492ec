"""The metrics as scorers: what `scoring` of scikit-learn's model selection takes."""

import numpy as np
from sklearn.pipeline import Pipeline

from ._checks import topics_of
from ._coherence import topic_coherence, topic_diversity
from ._completion import document_completion_perplexity


def document_completion_scorer(estimator, X, y=None):
    """Mean log probability of a held-out word: a scorer for model selection.

    Minus the logarithm of :func:`document_completion_perplexity`, thus greater is
    better.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        With `transform`, and `topic_word_` or else `components_`. Of a Pipeline the
        last step is scored, on the counts that reach it.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Integer counts, or what a Pipeline makes them of.
    y : None
        Ignored.

    Returns
    -------
    score : float
        In nats.

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
    return -float(
        np.log(document_completion_perplexity(*_model_and_counts(estimator, X)))
    )


def npmi_scorer(estimator, X, y=None):
    """NPMI of the estimator's top 10 words in X: a scorer for model selection.

    It says nothing of how well the topics explain the documents: see
    :func:`document_completion_scorer` for that. X needs enough documents for rare
    words to meet in them.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        With `topic_word_`, or else `components_`. Of a Pipeline the last step is
        scored, on the counts that reach it.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Reference documents, see :func:`topic_coherence`.
    y : None
        Ignored.

    Returns
    -------
    score : float
        Greater is better.
    """
    return _coherence(estimator, X, "npmi")


def u_mass_scorer(estimator, X, y=None):
    """u_mass of the estimator's top 10 words in X; else as :func:`npmi_scorer`."""
    return _coherence(estimator, X, "u_mass")


def c_v_scorer(estimator, X, y=None):
    """c_v of the estimator's top 10 words in X; else as :func:`npmi_scorer`."""
    return _coherence(estimator, X, "c_v")


def topic_diversity_scorer(estimator, X=None, y=None):
    """:func:`topic_diversity` of the estimator's top 10 words, whatever X."""
    return topic_diversity(topics_of(_model(estimator)))


def _coherence(estimator, X, measure):
    model, counts = _model_and_counts(estimator, X)
    return topic_coherence(topics_of(model), counts, measure=measure)


def _model_and_counts(estimator, X):
    if isinstance(estimator, Pipeline) and len(estimator) > 1:
        X = estimator[:-1].transform(X)
    return _model(estimator), X


def _model(estimator):
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator
