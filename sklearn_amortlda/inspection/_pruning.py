"""A fitted AmortizedLDA and indices of topics go in; a smaller model comes out."""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from ..data.types import Model
from ..metrics._models import model_of

# Parameters and attributes that have one row per topic, with the number of dimensions
# that they then have. A prior may also be a number, or one value per word. Only models
# of labels or covariates have the last four.
_BY_TOPIC = {
    "components_": 2,
    "topic_word_": 2,
    "doc_topic_prior": 1,
    "doc_topic_prior_": 1,
    "topic_word_prior": 2,
    "topic_word_prior_": 2,
    "topic_label_": 2,
    "_label_components": 2,
    "covariate_intercept_": 1,
    "covariate_coef_": 2,
}


def prune_topics(model: Model, keep: ArrayLike) -> Model:
    """Return a copy of a fitted AmortizedLDA that has only some of its topics.

    The kept topics do not change and nothing is fitted again. `transform` of the copy
    distributes the words of each document over the kept topics. `partial_fit`, and
    `fit` with `warm_start`, continue the training of the copy.

    Parameters
    ----------
    model : AmortizedLDA or Pipeline that ends in one
        The fitted model, which is not changed.
    keep : array-like of int or of bool
        Indices of the topics to keep, in the order of the new model, or a mask of all
        topics, such as ``topic_sizes(model, X) > 0.01``.

    Returns
    -------
    pruned : AmortizedLDA or Pipeline
        `n_components` is the number of kept topics. `doc_topic_prior` and
        `topic_word_prior` have only the kept rows if they had one row per topic.
        `bound_` is NaN, because the bound of the whole model does not hold for a part
        of it.

    Raises
    ------
    TypeError
        If the model is not an AmortizedLDA.
    ValueError
        If `keep` is empty, holds an index twice or an index that does not exist, or is
        a mask of a different length.

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
    fitted = amortized(model, "prune_topics")
    keep = _check_keep(keep, len(fitted.components_))
    # The steps of a Pipeline are copied too, so that fitting the copy cannot change
    # the original.
    pruned = copy.deepcopy(model)
    _keep_topics(model_of(pruned), keep)
    return pruned


def amortized(model, caller):
    """Return the AmortizedLDA of a fitted model; raise a TypeError for other models."""
    fitted = model_of(model)
    if not hasattr(fitted, "_encoder_weights"):
        check_is_fitted(fitted)
        raise TypeError(f"{caller} needs an AmortizedLDA, got {type(fitted).__name__}.")
    return fitted


def values_by_topic(model):
    """Return the parameters and attributes of a model that have one row per topic."""
    values = {name: getattr(model, name, None) for name in _BY_TOPIC}
    return {
        name: np.asarray(value)
        for name, value in values.items()
        if np.ndim(value) == _BY_TOPIC[name]
    }


def is_of_outputs(name, array):
    """Whether an array of weights or moments has one row per output of the encoder."""
    return name.startswith(("head.", "norm.")) and np.ndim(array) > 0


def without_coefficients(moments):
    """Moments without those of covariates' coefficients, which start again at zero."""
    return {
        name: array
        for name, array in moments.items()
        if not name.startswith("coefficients.")
    }


def _keep_topics(model, keep):
    """Remove all other topics from a model, in place."""
    n_topics = len(model.components_)
    model.n_components = len(keep)
    for name, value in values_by_topic(model).items():
        setattr(model, name, value[keep])
    # The encoder has one block of outputs, or two (mean and spread), of n_topics each.
    n_outputs = len(model._encoder_weights["head.bias"])
    outputs = np.arange(n_outputs).reshape(-1, n_topics)[:, keep].ravel()
    model._encoder_weights = _select_outputs(model._encoder_weights, outputs)
    model._optimizer_state = _select_outputs(model._optimizer_state, outputs)
    model.bound_ = np.nan


def _select_outputs(arrays, outputs):
    """Select outputs of the encoder, from its weights or from Adam's moments."""
    return {
        name: array[outputs] if is_of_outputs(name, array) else array
        for name, array in without_coefficients(arrays).items()
    }


def _check_keep(keep, n_topics):
    keep = np.asarray(keep)
    if keep.dtype == bool:
        if keep.shape != (n_topics,):
            raise ValueError(
                f"keep is a mask of shape {keep.shape}. A mask must have shape "
                f"({n_topics},), one value per topic."
            )
        keep = np.flatnonzero(keep)
    if keep.ndim != 1 or not len(keep):
        raise ValueError(
            f"keep must be a list of at least one topic, got shape {keep.shape}."
        )
    if keep.dtype.kind not in "iu" or keep.min() < 0 or keep.max() >= n_topics:
        raise ValueError(
            f"keep must hold indices of topics, from 0 to {n_topics - 1}, or be a "
            f"mask, got {keep}."
        )
    if len(np.unique(keep)) < len(keep):
        raise ValueError(f"keep must not hold a topic twice, got {keep}.")
    return keep
