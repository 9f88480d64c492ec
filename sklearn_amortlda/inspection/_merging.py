"""A fitted AmortizedLDA and groups of topics go in; a model of merged topics comes out.

A merged topic takes the place of the first topic of its group.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, softmax

from ..data.types import Model
from ..metrics._models import model_of
from ._pruning import (
    amortized,
    is_of_outputs,
    values_by_topic,
    without_coefficients,
)

# `eps` of the encoder's batch norm (torch's default).
_EPSILON = 1e-5


def merge_topics(model: Model, groups: Sequence[ArrayLike]) -> Model:
    r"""Return a copy of a fitted AmortizedLDA in which groups of topics are one topic.

    The parameters lambda (`components_`, and those of labels) and alpha of a group are
    added, and nothing is fitted again. Other topics do not change. `partial_fit`, and
    `fit` with `warm_start`, continue the training of the copy.

    Parameters
    ----------
    model : AmortizedLDA or Pipeline that ends in one
        The fitted model, which is not changed.
    groups : list of array-like of int
        Indices of the topics to merge, one list for each merged topic, such as
        ``topic_hierarchy(model).cut(20)``. Topics that are in no group stay as they
        are. A merged topic takes the place of the smallest index of its group.

    Returns
    -------
    merged : AmortizedLDA or Pipeline
        `n_components` is the number of remaining topics. `doc_topic_prior` and
        `topic_word_prior` are added in each group if they had one row per topic.
        `bound_` is NaN, because the bound of the old model does not hold for the new
        one.

    Raises
    ------
    TypeError
        If the model is not an AmortizedLDA.
    ValueError
        If two groups have a topic in common, a group is empty, or a topic does not
        exist.

    See Also
    --------
    prune_topics : Removes topics.
    topic_hierarchy : Finds groups of similar topics.

    Notes
    -----
    `transform` of the merged model approximates the sum of the columns of a group:

    - The prior is exact: if theta has a Dirichlet prior, then the sum of some of its
      entries has the prior of the merged model. So the result for a document without
      words is exactly the sum.
    - A merged topic is the mean of its topics, weighted by their sums of `components_`.
      The E-step gives the sum at its fixed point if the topics of a group are equal, or
      if a document has the topics of a group in this proportion.
    - The encoder's output, a logarithm, is replaced by the first-order expansion of
      :math:`\log \sum_k \exp(o_k)` at the mean outputs. `refine` corrects most of
      its error.
    - With covariates, the logarithm of a group's alpha is expanded in the same way, at
      the mean of the covariates.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import merge_topics
    >>> X = np.repeat([[9, 9, 0, 0], [0, 0, 9, 9]], 20, axis=0)
    >>> lda = AmortizedLDA(4, random_state=0).fit(X)
    >>> merged = merge_topics(lda, [[0, 2], [1, 3]])
    >>> merged.transform(X).shape
    (40, 2)
    """
    fitted = amortized(model, "merge_topics")
    groups = _check_groups(groups, len(fitted.components_))
    # The steps of a Pipeline are copied too, so that fitting the copy cannot change
    # the original.
    merged = copy.deepcopy(model)
    _merge(model_of(merged), groups)
    return merged


def _check_groups(groups, n_topics):
    """Return all groups, those of one topic included, by their smallest index."""
    groups = [_check_group(group, n_topics) for group in _as_list(groups)]
    members = np.concatenate([np.empty(0, int), *groups])
    topics, n_groups = np.unique(members, return_counts=True)
    if (n_groups > 1).any():
        raise ValueError(
            f"groups must not overlap, and topic {topics[n_groups > 1][0]} is in more "
            "than one place. Put each topic into one group."
        )
    alone = np.setdiff1d(np.arange(n_topics), members)
    return sorted([*groups, *alone[:, np.newaxis]], key=lambda group: group[0])


def _as_list(groups):
    try:
        return list(groups)
    except TypeError as error:
        raise ValueError(
            f"groups must be a list of lists of topics, got {groups!r}."
        ) from error


def _check_group(group, n_topics):
    group = np.asarray(group)
    if group.ndim != 1 or not len(group):
        raise ValueError(
            "groups must be a list of lists, each of at least one topic, got the group "
            f"{group.tolist()!r}."
        )
    if group.dtype.kind not in "iu" or group.min() < 0 or group.max() >= n_topics:
        raise ValueError(
            f"groups must hold indices of topics, from 0 to {n_topics - 1}, got the "
            f"group {group.tolist()!r}."
        )
    return np.sort(group.astype(int))


def _merge(model, groups):
    """Merge the groups of a model in place."""
    n_topics = len(model.components_)
    values = values_by_topic(model)
    if "covariate_coef_" in values:
        coefficients = values.pop("covariate_coef_")
        intercepts = values.pop("covariate_intercept_")
        _merge_regression(model, intercepts, coefficients, groups)
    for name, value in values.items():
        sums = np.stack([value[group].sum(axis=0) for group in groups])
        setattr(model, name, sums)
    model.topic_word_ = _normalized(model.components_)
    if hasattr(model, "topic_label_"):
        model.topic_label_ = _normalized(model._label_components)
    model.n_components = len(groups)
    for name, merge in (
        ("_encoder_weights", _merged_outputs),
        ("_optimizer_state", _mean_moments),
    ):
        setattr(model, name, _by_group(getattr(model, name), groups, n_topics, merge))
    model.bound_ = np.nan


def _merge_regression(model, intercepts, coefficients, groups):
    """Expand the logarithm of a group's alpha to first order at the mean covariates."""
    mean = model._covariate_mean
    logs = intercepts + coefficients @ mean
    merged = np.array([softmax(logs[group]) @ coefficients[group] for group in groups])
    totals = np.array([logsumexp(logs[group]) for group in groups])
    model.covariate_coef_ = merged
    model.covariate_intercept_ = totals - merged @ mean


def _normalized(values):
    return values / values.sum(axis=1, keepdims=True)


def _by_group(arrays, groups, n_topics, merge):
    """Apply `merge` to the outputs of each group of several topics.

    The outputs of an encoder are one block of `n_topics`, or two (mean and spread).
    `merge` maps arrays of shape (n_blocks, n_group, ...) to (n_blocks, ...).
    """
    blocks = {
        name: array.reshape(-1, n_topics, *array.shape[1:])
        for name, array in arrays.items()
        if is_of_outputs(name, array)
    }
    parts = [{name: b[:, group] for name, b in blocks.items()} for group in groups]
    columns = [
        merge(part) if len(group) > 1 else {name: b[:, 0] for name, b in part.items()}
        for group, part in zip(groups, parts)
    ]
    merged = {}
    for name, block in blocks.items():
        stacked = np.stack([column[name] for column in columns], axis=1)
        merged[name] = stacked.reshape(-1, *block.shape[2:]).astype(block.dtype)
    return {**without_coefficients(arrays), **merged}


def _merged_outputs(old):
    """The output of a merged topic, log sum_k exp(o_k) to first order.

    An output is o = shift + z, where z = (head - running_mean) / scale has mean 0. So
    log sum_k exp(o_k) is about log sum_k exp(shift_k) + sum_k p_k z_k, and p is the
    softmax of the shifts. Spreads, in the second block, are averaged with weights p.
    """
    old = {name: array.astype(np.float64) for name, array in old.items()}
    shift, means = old["norm.shift"], old["norm.running_mean"]
    p = softmax(shift[0])
    scales = np.sqrt(old["norm.running_var"] + _EPSILON)
    mean, scale = means @ p, scales @ p
    shares = p * scale[:, np.newaxis] / scales
    return {
        "head.weight": np.einsum("bk,bkh->bh", shares, old["head.weight"]),
        "head.bias": mean + (shares * (old["head.bias"] - means)).sum(axis=1),
        "norm.running_mean": mean,
        "norm.running_var": np.maximum(scale**2 - _EPSILON, 0.0),
        "norm.shift": np.array([logsumexp(shift[0]), *(shift[1:] @ p)]),
    }


def _mean_moments(old):
    return {name: array.mean(axis=1) for name, array in old.items()}
