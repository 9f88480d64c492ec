"""An estimator and counts go in; its quality for each number of topics comes out."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from ..data.types import MatrixLike, RandomState, TopicModel
from ..metrics._coherence import topic_coherence
from ..metrics._completion import document_completion_perplexity
from ..metrics._models import model_and_counts, topics_of
from ..metrics._overlap import topic_diversity


def n_components_curve(
    estimator: TopicModel,
    X: MatrixLike,
    n_components_range: ArrayLike,
    *,
    cv: object = None,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> Bunch:
    """Return the quality for each number of topics, on held-out documents.

    Held-out perplexity falls while additional topics fit structure of the corpus, and
    then levels off. Coherence and diversity fall when topics repeat one another or
    split into fragments. Choose the smallest number of topics after which perplexity
    improves little.

    Parameters
    ----------
    estimator : estimator or Pipeline
        AmortizedLDA or another estimator with the parameter `n_components`. Once
        fitted it has `transform`, and `topic_word_` or else `components_`. In a
        Pipeline it is the last step. The estimator is cloned and not changed.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Integer counts of the documents, or the input of the Pipeline.
    n_components_range : array-like of int
        Numbers of topics to fit.
    cv : int, cross-validation splitter or iterable, default=None
        Splits into training and held-out documents. None means three random splits
        that hold out a fifth of the documents. The integer 5 means five folds in the
        order of X.
    random_state : int, RandomState instance or None, default=0
        Seed of the default splits.
    n_jobs : int, default=None
        Number of parallel fits, as in GridSearchCV.

    Returns
    -------
    curve : Bunch
        ``n_components`` of shape (n_values,) holds the numbers of topics, in the given
        order. Three arrays of shape (n_values, n_splits) hold the quality:

        - ``perplexity``: document completion on the held-out documents
          (:func:`~sklearn_amortlda.metrics.document_completion_perplexity`).
        - ``coherence``: NPMI of the top 10 words in all documents of X
          (:func:`~sklearn_amortlda.metrics.topic_coherence`).
        - ``diversity``: share of distinct words among the top 10 words of all topics
          (:func:`~sklearn_amortlda.metrics.topic_diversity`).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> from sklearn_amortlda.inspection import n_components_curve
    >>> rng = np.random.default_rng(0)
    >>> topics = np.kron(np.eye(3), np.full(12, 1 / 12))
    >>> X = rng.multinomial(30, topics[rng.integers(3, size=300)])
    >>> lda = LatentDirichletAllocation(random_state=0)
    >>> curve = n_components_curve(lda, X, [1, 2, 3], cv=2)
    >>> curve.perplexity.mean(axis=1).round()
    array([36., 20., 13.])
    """
    if cv is None:
        cv = ShuffleSplit(n_splits=3, test_size=0.2, random_state=random_state)
    n_components = np.asarray(n_components_range)
    search = GridSearchCV(
        estimator,
        {_n_components_name(estimator): n_components.tolist()},
        scoring=partial(_quality, reference=X),
        refit=False,
        cv=cv,
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(X)
    results, splits = search.cv_results_, range(search.n_splits_)
    return Bunch(
        n_components=n_components,
        **{
            name: np.column_stack([results[f"split{i}_test_{name}"] for i in splits])
            for name in ("perplexity", "coherence", "diversity")
        },
    )


def _n_components_name(estimator):
    """Return the name of the parameter, with the steps of a (nested) Pipeline."""
    prefix = ""
    while isinstance(estimator, Pipeline):
        step, estimator = estimator.steps[-1]
        prefix += f"{step}__"
    return f"{prefix}n_components"


def _quality(estimator, X, y=None, *, reference):
    # Each split fits its own vectorizer, so the reference is counted again.
    model, counts = model_and_counts(estimator, reference)
    topics = topics_of(model)
    return {
        "perplexity": document_completion_perplexity(estimator, X),
        "coherence": topic_coherence(topics, counts),
        "diversity": topic_diversity(topics),
    }
