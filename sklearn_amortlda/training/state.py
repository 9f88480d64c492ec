"""The state of training as NumPy arrays, and its conversion to fitted attributes.

Input: a state. Output: the estimator's fitted attributes; and from these the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..data.covariates import Standardization
from ..data.labels import with_label_prior
from ..data.vocabulary import quoted


@dataclass(frozen=True)
class State:
    """Everything that training changes.

    Attributes
    ----------
    components : ndarray of shape (n_topics, n_features)
        lambda, the topics' Dirichlet parameters.
    alpha : ndarray of shape (n_topics,)
        Dirichlet prior of theta, as learned so far.
    eta : ndarray broadcastable to (n_topics, n_features)
        Dirichlet prior of the topics, as learned so far.
    encoder : dict of ndarray
        Weights of the encoder.
    seed : int
        Each epoch draws its randomness from (seed, n_batch_iter).
    optimizer : dict of ndarray
        Moments and step counts of the encoder's optimizers; may be empty.
    n_batch_iter : int
        Number of steps.
    time : int
        Number of batches in these steps.
    n_seen : int
        Documents in all epochs, each document once for each epoch.
    already_split : tuple of int
        Topics that were split in this training.
    n_labels : int
        Number of classes, whose columns are the last of `components`. The encoder's
        embedding has rows of zeros for them.
    coefficients : ndarray of shape (n_covariates, n_topics) or None
        Coefficients of standardized covariates in log alpha; None without covariates.
    """

    components: np.ndarray
    alpha: np.ndarray
    eta: np.ndarray
    encoder: dict
    seed: int
    optimizer: dict = field(default_factory=dict)
    n_batch_iter: int = 0
    time: int = 0
    n_seen: int = 0
    already_split: tuple = ()
    n_labels: int = 0
    coefficients: np.ndarray | None = None


def fitted_attributes(state: State, history, dtype, bound: float = np.nan) -> dict:
    """The estimator's attributes after training.

    Parameters
    ----------
    state : State
    history : list of dict
    dtype : numpy.dtype
        Type of the topics, which is that of the caller's X.
    bound : float, default=nan
        `bound_`.
    """
    words, labels = _without_labels(state)
    components = words.components.astype(dtype, copy=False)
    attributes = {
        "components_": components,
        "topic_word_": components / components.sum(axis=1, keepdims=True),
        "doc_topic_prior_": state.alpha,
        "topic_word_prior_": words.eta if words.eta.ndim else float(words.eta),
        "bound_": bound,
        "history_": [record.copy() for record in history],
        "n_iter_": len(history),
        "n_batch_iter_": state.n_batch_iter,
        "_time": state.time,
        "_n_seen": state.n_seen,
        "_encoder_weights": words.encoder,
        "_optimizer_state": words.optimizer,
        "_seed": state.seed,
    }
    if state.n_labels:
        attributes["_label_components"] = labels
        attributes["topic_label_"] = labels / labels.sum(axis=1, keepdims=True)
    return attributes


def state_from(fitted: Mapping, new_words=(), n_labels: int = 0) -> State:
    """The state of fitted attributes, with an empty `already_split`.

    Parameters
    ----------
    fitted : dict
    new_words : array-like of str, default=()
        Words to append to those of the model, see `with_new_words`.
    n_labels : int, default=0
        Number of classes, if the model has none; their topics start at the prior.
    """
    alpha, coefficients = regression_of(fitted) or (fitted["doc_topic_prior_"], None)
    state = State(
        components=fitted["components_"],
        alpha=alpha,
        eta=np.asarray(fitted["topic_word_prior_"]),
        encoder=fitted["_encoder_weights"],
        optimizer=fitted["_optimizer_state"],
        seed=fitted["_seed"],
        n_batch_iter=fitted["n_batch_iter_"],
        time=fitted["_time"],
        n_seen=fitted["_n_seen"],
        coefficients=coefficients,
    )
    if len(new_words):
        state = with_new_words(state, new_words)
    if "_label_components" in fitted:
        return _with_labels(state, fitted["_label_components"])
    return _with_labels(state, _label_prior(state, n_labels)) if n_labels else state


def regression_of(fitted: Mapping):
    """alpha at the mean of the covariates, and the coefficients of a `State`.

    None if the model has no covariates.
    """
    if "covariate_coef_" not in fitted:
        return None
    scales = Standardization.of_model(fitted)
    return scales.from_raw(fitted["covariate_intercept_"], fitted["covariate_coef_"])


def with_new_words(state: State, words) -> State:
    """The state with new words, whose topics are at the prior and embedding is zero.

    Raises
    ------
    ValueError
        If the encoder has no embedding, or eta is an array.
    """
    if "embedding" not in state.encoder:
        raise ValueError(
            f"{quoted(words)} are new, and a module of your own (encoder) has a fixed "
            "vocabulary: leave the new words out, or use encoder='mlp'."
        )
    if state.eta.ndim:
        raise ValueError(
            f"{quoted(words)} are new, and topic_word_prior is an array without values "
            "for them: leave the new words out, or make the prior a number."
        )
    n_new = len(words)
    shape = len(state.components), n_new
    prior = np.full(shape, state.eta, dtype=state.components.dtype)
    return replace(
        state,
        components=np.concatenate([state.components, prior], axis=1),
        encoder=with_zeros(state.encoder, "embedding", n_new),
        optimizer=with_zeros(state.optimizer, "embedding.square", n_new),
    )


def _label_prior(state, n_labels):
    eta = with_label_prior(state.eta, n_labels)
    eta = eta[..., -n_labels:] if eta.ndim else eta
    shape = len(state.components), n_labels
    return np.broadcast_to(eta, shape).astype(state.components.dtype)


def _with_labels(state, labels):
    """The state with the parameters of labels after those of the words."""
    n_labels = labels.shape[1]
    return replace(
        state,
        components=np.concatenate([state.components, labels], axis=1),
        eta=with_label_prior(state.eta, n_labels),
        encoder=with_zeros(state.encoder, "embedding", n_labels),
        optimizer=with_zeros(state.optimizer, "embedding.square", n_labels),
        n_labels=n_labels,
    )


def _without_labels(state):
    """The state of the words, and the parameters of the labels."""
    if not state.n_labels:
        return state, None
    n_words = state.components.shape[1] - state.n_labels

    def words_of(arrays, name):
        rows = arrays.get(name)
        return arrays if rows is None else {**arrays, name: rows[:n_words]}

    words = replace(
        state,
        components=state.components[:, :n_words],
        eta=state.eta[..., :n_words] if state.eta.ndim else state.eta,
        encoder=words_of(state.encoder, "embedding"),
        optimizer=words_of(state.optimizer, "embedding.square"),
        n_labels=0,
    )
    return words, state.components[:, n_words:]


def with_zeros(arrays, name, n_new):
    """A copy of a dict of arrays, with `n_new` rows of zeros appended to one array."""
    if name not in arrays:
        return arrays
    array = arrays[name]
    zeros = np.zeros((n_new, *array.shape[1:]), array.dtype)
    return {**arrays, name: np.concatenate([array, zeros])}
