"""The state of training as NumPy arrays, and its conversion to fitted attributes.

Input: a state. Output: the estimator's fitted attributes; and from these the state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

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
    components = state.components.astype(dtype, copy=False)
    return {
        "components_": components,
        "topic_word_": components / components.sum(axis=1, keepdims=True),
        "doc_topic_prior_": state.alpha,
        "topic_word_prior_": state.eta if state.eta.ndim else float(state.eta),
        "bound_": bound,
        "history_": [record.copy() for record in history],
        "n_iter_": len(history),
        "n_batch_iter_": state.n_batch_iter,
        "_time": state.time,
        "_n_seen": state.n_seen,
        "_encoder_weights": state.encoder,
        "_optimizer_state": state.optimizer,
        "_seed": state.seed,
    }


def state_from(fitted: Mapping) -> State:
    """The state of fitted attributes, with an empty `already_split`."""
    return State(
        components=fitted["components_"],
        alpha=fitted["doc_topic_prior_"],
        eta=np.asarray(fitted["topic_word_prior_"]),
        encoder=fitted["_encoder_weights"],
        optimizer=fitted["_optimizer_state"],
        seed=fitted["_seed"],
        n_batch_iter=fitted["n_batch_iter_"],
        time=fitted["_time"],
        n_seen=fitted["_n_seen"],
    )


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
        encoder=_with_zeros(state.encoder, "embedding", n_new),
        optimizer=_with_zeros(state.optimizer, "embedding.square", n_new),
    )


def _with_zeros(arrays, name, n_new):
    """A copy of a dict of arrays, with `n_new` rows of zeros appended to one array."""
    array = arrays[name]
    zeros = np.zeros((n_new, *array.shape[1:]), array.dtype)
    return {**arrays, name: np.concatenate([array, zeros])}
