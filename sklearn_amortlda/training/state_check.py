"""Checks of a state that was read from a file.

Input: a state, or the fitted attributes of an estimator. Output: nothing, or a
ValueError that names the first value that cannot be right. torch's kernels do not
compare the shapes of parameters and moments, so a wrong shape would crash the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np

from .state import State, state_from

# Arrays that every encoder has. The shape of an output's array starts with the number
# of outputs.
_OUTPUTS = (
    "head.weight",
    "head.bias",
    "norm.shift",
    "norm.running_mean",
    "norm.running_var",
)
# Attributes of a model with covariates, which may have names too.
COVARIATES = (
    "covariate_coef_",
    "covariate_intercept_",
    "_covariate_mean",
    "_covariate_scale",
)
# Attributes of a model with labels.
LABELS = ("classes_", "topic_label_", "label_exponent_", "_label_components")
_COUNTER = "norm.num_batches_tracked"
# Prefix of the arrays of a user's module, which may have any type and shape.
_USERS = "body.module."


def check_attributes(fitted: Mapping) -> None:
    """Raise a ValueError if fitted attributes do not belong together.

    Parameters
    ----------
    fitted : dict
        Values by the names of `serialization.FITTED`. All are required, except the
        names of columns. The attributes of labels, and those of covariates, are all
        present or all absent.
    """
    _check_covariates(fitted)
    state = state_from(fitted)
    check_state(state)
    shape = fitted["components_"].shape
    alpha = fitted["doc_topic_prior_"]
    _check_array(alpha, "doc_topic_prior_", shape[:1], lowest=0.0, positive=True)
    topics = fitted["topic_word_"]
    _check_array(topics, "topic_word_", shape, state.components.dtype, lowest=0.0)
    _require((abs(topics.sum(axis=1) - 1) < 1e-3).all(), "topic_word_ is no simplex")
    _check_count(fitted["n_features_in_"], "n_features_in_")
    _require(fitted["n_features_in_"] == shape[1], "n_features_in_ is another width")
    _check_labels(fitted, state)
    names = fitted.get("feature_names_in_")
    if names is not None:
        _require(
            isinstance(names, np.ndarray) and names.shape == shape[1:],
            "feature_names_in_ has another shape",
        )
    _require(isinstance(fitted["bound_"], Real), "bound_ is no number")
    check_history(fitted["history_"])
    n_records = len(fitted["history_"])
    _require(fitted["n_iter_"] == n_records, "n_iter_ is not the length of history_")


def check_state(state: State) -> None:
    """Raise a ValueError if the parts of a state do not belong together."""
    components = state.components
    _require(
        isinstance(components, np.ndarray) and components.ndim == 2,
        "the topics are no matrix",
    )
    n_topics, n_features = shape = components.shape
    _require(min(shape) > 0, "the topics are empty")
    _check_array(components, "components", shape, lowest=0.0, positive=True)
    _check_array(state.alpha, "alpha", (n_topics,), lowest=0.0, positive=True)
    _require(np.shape(state.eta) in ((), (n_features,), shape), "eta has another shape")
    _check_array(state.eta, "eta", np.shape(state.eta), lowest=0.0, positive=True)
    _check_encoder(state.encoder, n_topics, n_features)
    owners = state.encoder
    if state.coefficients is not None:
        shape = (*np.shape(state.coefficients)[:1], n_topics)
        _check_array(state.coefficients, "coefficients", shape, lowest=-np.inf)
        owners = {**owners, "coefficients": state.coefficients}
    _check_moments(state.optimizer, owners)
    for name in ("seed", "n_batch_iter", "time", "n_seen", "n_labels"):
        _check_count(getattr(state, name), name)
    _require(
        set(state.already_split) <= set(range(n_topics)),
        "a topic that was split does not exist",
    )


def check_history(history) -> None:
    """Raise a ValueError if a history is no list of dicts of numbers."""
    _require(isinstance(history, list), "the history is no list")
    for record in history:
        _require(isinstance(record, dict), "a record of the history is no dict")
        numbers = all(isinstance(value, Real) for value in record.values())
        _require(numbers, "a record of the history has more than numbers")


def _check_encoder(encoder, n_topics, n_features):
    """Check the arrays that do not depend on the architecture.

    `load_encoder` compares the other arrays with the network.
    """
    _check_names(encoder, "the encoder", required={*_OUTPUTS, _COUNTER})
    n_outputs = len(np.atleast_1d(encoder["norm.shift"]))
    _require(
        n_outputs in (n_topics, 2 * n_topics),
        f"the encoder has {n_outputs} outputs for {n_topics} topics",
    )
    for name, array in encoder.items():
        if name.startswith(_USERS):
            _require(array.dtype.kind in "biufc", f"{name} has type {array.dtype}")
        elif name == _COUNTER:
            _require(array.shape == () and array.dtype.kind == "i", f"{name} is no int")
        else:
            lowest = 0.0 if name == "norm.running_var" else -np.inf
            _check_array(array, name, array.shape, np.float32, lowest=lowest)
            _require(array.ndim and array.size, f"{name} is empty")
    n_hidden = encoder["head.weight"].shape[-1:]
    for name in _OUTPUTS:
        expected = (n_outputs, *n_hidden) if name == "head.weight" else (n_outputs,)
        _require(encoder[name].shape == expected, f"{name} has another shape")
    if "embedding" in encoder:
        rows = encoder["embedding"]
        _require(
            rows.ndim == 2 and len(rows) == n_features, "embedding has another shape"
        )


def _has_all(fitted, names):
    """Whether attributes are all present, and not all absent."""
    missing = [name for name in names if name not in fitted]
    absent = len(missing) == len(names)
    _require(absent or not missing, f"it lacks {', '.join(missing)}")
    return not absent


def _check_covariates(fitted):
    names = fitted.get("covariate_names_in_")
    if not _has_all(fitted, COVARIATES):
        _require(names is None, "it has names of covariates that are absent")
        return
    n_topics, scale = len(fitted["components_"]), fitted["_covariate_scale"]
    shape = np.shape(scale)
    _require(len(shape) == 1 and shape[0] > 0, "_covariate_scale has another shape")
    _check_array(scale, "_covariate_scale", shape, lowest=0.0, positive=True)
    for name, expected in (
        ("_covariate_mean", shape),
        ("covariate_intercept_", (n_topics,)),
        ("covariate_coef_", (n_topics, *shape)),
    ):
        _check_array(fitted[name], name, expected, lowest=-np.inf)
    _require(
        names is None or (isinstance(names, np.ndarray) and names.shape == shape),
        "covariate_names_in_ has another shape",
    )


def _check_labels(fitted, state):
    """Check the attributes of labels."""
    if not _has_all(fitted, LABELS):
        return
    shape = len(state.components), state.n_labels
    _check_array(fitted["_label_components"], "_label_components", shape, lowest=0.0)
    labels, classes = fitted["topic_label_"], fitted["classes_"]
    _check_array(labels, "topic_label_", shape, lowest=0.0)
    _require((abs(labels.sum(axis=1) - 1) < 1e-3).all(), "topic_label_ is no simplex")
    _require(
        isinstance(classes, np.ndarray)
        and classes.shape == shape[1:]
        and classes.dtype.kind in "biufUO",
        "classes_ has another shape or type",
    )
    exponent = fitted["label_exponent_"]
    _require(
        isinstance(exponent, Real) and 0.0 < exponent < np.inf,
        "label_exponent_ is out of range",
    )


def _check_moments(moments, encoder):
    """Compare the moments and step counts of the optimizers with their parameters."""
    _check_names(moments, "the optimizer")
    for name, array in moments.items():
        owner, _, kind = name.rpartition(".")
        _require(owner in encoder, f"{name} belongs to no parameter")
        if kind == "step":
            _check_array(array, name, (), array.dtype, lowest=0.0)
        elif kind == "square" and owner == "embedding":
            _check_array(array, name, encoder[owner].shape[:1], np.float32, lowest=0.0)
        else:
            known = kind in ("exp_avg", "exp_avg_sq") and owner != "embedding"
            _require(known, f"{name} is unknown")
            lowest = 0.0 if kind == "exp_avg_sq" else -np.inf
            shape, dtype = encoder[owner].shape, encoder[owner].dtype
            _check_array(array, name, shape, dtype, lowest=lowest)


def _check_names(arrays, owner, required=frozenset()):
    _require(isinstance(arrays, dict), f"{owner} is no dict")
    for name, array in arrays.items():
        named = isinstance(name, str) and isinstance(array, np.ndarray)
        _require(named, f"{owner} has more than arrays with names")
    missing = sorted(required - arrays.keys())
    _require(not missing, f"{owner} lacks {', '.join(missing)}")


def _check_array(array, name, shape, dtype=None, *, lowest, positive=False):
    """Require a shape, a type and finite values; `dtype` None is single or double."""
    _require(isinstance(array, np.ndarray), f"{name} is no array")
    _require(array.shape == shape, f"{name} has shape {array.shape} and not {shape}")
    typed = array.dtype in ((np.float32, np.float64) if dtype is None else (dtype,))
    _require(typed and array.dtype.kind in "iuf", f"{name} has type {array.dtype}")
    if not array.size:
        return
    # The minimum of an array with NaN is NaN, which fails both comparisons.
    smallest, largest = array.min(), array.max()
    high_enough = smallest > lowest if positive else smallest >= lowest
    finite = bool(np.isfinite(smallest) and np.isfinite(largest))
    _require(finite and high_enough, f"{name} has values out of range")


def _check_count(value, name):
    counts = isinstance(value, Integral) and not isinstance(value, bool)
    _require(counts and value >= 0, f"{name} is no count")


def _require(condition, problem):
    if not condition:
        raise ValueError(problem)
