"""How many topics: a curve to choose by, and fewer after the fit."""

import copy
from functools import partial

import numpy as np
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from ..metrics._checks import topics_of
from ..metrics._coherence import topic_coherence, topic_diversity
from ..metrics._completion import document_completion_perplexity

# Parameters and attributes with a row a topic, where they have that many dimensions.
_BY_TOPIC = {
    "components_": 2,
    "topic_word_": 2,
    "doc_topic_prior": 1,
    "doc_topic_prior_": 1,
    "topic_word_prior": 2,
    "topic_word_prior_": 2,
}


def n_components_curve(
    estimator, X, n_components_range, *, cv=None, random_state=0, n_jobs=None
):
    """Quality for each number of topics, on documents held out of the fit.

    Held-out perplexity falls with the number of topics as long as there is more to
    find, and flattens; coherence and diversity show when topics start to repeat and to
    split hairs. Take the smallest number after which perplexity gains little.

    Parameters
    ----------
    estimator : estimator
        AmortizedLDA, or another with the parameter `n_components`, and once fitted
        `transform` and `topic_word_` or else `components_`. It is cloned, not changed.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Integer counts of documents.
    n_components_range : array-like of int
        Numbers of topics to try.
    cv : int, cross-validation splitter or iterable, default=None
        How documents are held out. None is three random fifths; 5 is five folds in the
        order of X.
    random_state : int, RandomState instance or None, default=0
        Seed of the default splits.
    n_jobs : int, default=None
        Fits to run in parallel, as in GridSearchCV.

    Returns
    -------
    curve : Bunch
        ``n_components`` of shape (n_values,), as given, and of shape (n_values,
        n_splits)

        - ``perplexity``: document completion on the held-out documents
          (:func:`~sklearn_amortlda.metrics.document_completion_perplexity`);
        - ``coherence``: NPMI of the top 10 words in all of X;
        - ``diversity``: share of distinct words among them.

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
        {"n_components": n_components.tolist()},
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


def prune_topics(model, keep):
    """A fitted AmortizedLDA with some of its topics only.

    Nothing is fitted again: the topics that stay are as they were, and `transform`
    shares each document's words out among them. `partial_fit`, and `fit` with
    `warm_start`, go on from there.

    Parameters
    ----------
    model : AmortizedLDA
        Fitted; not changed.
    keep : array-like of int or of bool
        Indices of the topics to keep, in the order wanted, or a mask of all topics,
        such as ``topic_sizes(model, X) > 0.01``.

    Returns
    -------
    pruned : AmortizedLDA
        With `n_components` topics fewer, `doc_topic_prior` and `topic_word_prior` cut
        down if they were given by topic, and no `bound_`, which was the whole model's.

    Raises
    ------
    TypeError
        If `model` is not an AmortizedLDA.
    ValueError
        If `keep` is empty, names a topic twice or one that does not exist, or is a
        mask of another length.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import prune_topics, topic_sizes
    >>> X = np.repeat([[9, 9, 0, 0], [0, 0, 9, 9]], 20, axis=0)
    >>> lda = AmortizedLDA(4, random_state=0).fit(X)
    >>> largest = np.argsort(-topic_sizes(lda, X))[:2]
    >>> pruned = prune_topics(lda, largest)
    >>> pruned.transform(X).shape
    (40, 2)
    """
    if not hasattr(model, "_encoder_weights"):
        check_is_fitted(model)
        raise TypeError(
            f"prune_topics needs an AmortizedLDA, got {type(model).__name__}."
        )
    n_topics = len(model.components_)
    keep = _check_keep(keep, n_topics)
    pruned = copy.deepcopy(model)
    pruned.n_components = len(keep)
    for name, n_dimensions in _BY_TOPIC.items():
        value = getattr(model, name)
        if np.ndim(value) == n_dimensions:
            setattr(pruned, name, np.asarray(value)[keep])
    # A topic has one output of the encoder, or two: one in each part.
    n_outputs = len(model._encoder_weights["head.bias"])
    outputs = np.arange(n_outputs).reshape(-1, n_topics)[:, keep].ravel()
    pruned._encoder_weights = _cut_outputs(model._encoder_weights, outputs)
    pruned._optimizer_state = _cut_outputs(model._optimizer_state, outputs)
    del pruned.bound_
    return pruned


def _cut_outputs(arrays, outputs):
    """Weights of the encoder, or moments of their gradients, of some outputs only."""
    return {
        name: array[outputs]
        if name.startswith(("head.", "norm.")) and np.ndim(array)
        else array
        for name, array in arrays.items()
    }


def _check_keep(keep, n_topics):
    keep = np.asarray(keep)
    if keep.dtype == bool:
        if keep.shape != (n_topics,):
            raise ValueError(
                f"A mask of topics to keep must be of shape ({n_topics},), one a "
                f"topic, got {keep.shape}."
            )
        keep = np.flatnonzero(keep)
    if keep.ndim != 1 or not len(keep):
        raise ValueError("keep must be a list of at least one topic.")
    if keep.dtype.kind not in "iu" or keep.min() < 0 or keep.max() >= n_topics:
        raise ValueError(
            f"keep must hold indices of topics, from 0 to {n_topics - 1}, or be a "
            f"mask; got {keep}."
        )
    if len(np.unique(keep)) < len(keep):
        raise ValueError(f"keep names a topic twice: {keep}.")
    return keep


def _quality(estimator, X, y=None, *, reference):
    topics = topics_of(estimator)
    return {
        "perplexity": document_completion_perplexity(estimator, X),
        "coherence": topic_coherence(topics, reference),
        "diversity": topic_diversity(topics),
    }
