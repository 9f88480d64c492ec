"""The estimator's parameters as one frozen configuration.

Input: parameters that scikit-learn has validated one by one. Output: a `Config` of
parameters that are validated together, with resolved defaults. Training reads this
configuration and not the estimator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ..data.labels import with_label_prior
from ..data.validation import check_prior
from ..model.doc_topic_prior import initial_alpha
from ..model.topic_word_prior import INITIAL_ETA


@dataclass(frozen=True)
class Config:
    """The settings of a training, which do not change during training.

    Attributes
    ----------
    n_topics : int
    n_features : int
        Columns of words and of labels.
    n_labels : int
        Columns of labels, the last ones.
    n_covariates : int
        Covariates of the documents; 0 is one prior for all documents.
    objective : str
        A key of `OBJECTIVES`.
    alpha : ndarray of shape (n_topics,)
        Prior of theta; its initial value if alpha is learned.
    eta : ndarray of shape (), (n_features,) or (n_topics, n_features)
        Prior of beta; its initial value if eta is learned.
    learn_alpha, learn_eta : bool
        Whether training changes alpha and eta.
    encoder : 'mlp', 'transformer' or callable
    hidden_layer_sizes : tuple of int
    word_vectors : array-like or None
    n_refine : int
        E-step refinements of `transform`, early stopping and `bound_`.
    learning_rate : float
        Learning rate of the encoder.
    learning_schedule : 'auto', 'cosine' or 'power'
    learning_decay, learning_offset : float
        Parameters of the 'power' schedule.
    mean_length : float or None
        Mean number of words of the documents.
    max_iter : int
        Epochs.
    batch_size : int or None
        Documents in a batch. With None the size follows the corpus, and late steps
        merge batches.
    total_samples : float
        Documents in a stream.
    early_stopping : bool
    validation_fraction : float
    n_iter_no_change : int
    device : torch.device
    dtype : torch.dtype
    """

    n_topics: int
    n_features: int
    n_labels: int
    n_covariates: int
    objective: str
    alpha: np.ndarray
    eta: np.ndarray
    learn_alpha: bool
    learn_eta: bool
    encoder: str | Callable
    hidden_layer_sizes: tuple
    word_vectors: object
    n_refine: int
    learning_rate: float
    learning_schedule: str
    learning_decay: float
    learning_offset: float
    mean_length: float | None
    max_iter: int
    batch_size: int | None
    total_samples: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    device: torch.device
    dtype: torch.dtype = torch.float32

    @property
    def tensors(self) -> dict:
        """dtype and device of the tensors."""
        return {"dtype": self.dtype, "device": self.device}


def make_config(
    params: Mapping,
    n_features: int,
    device: torch.device,
    mean_length: float | None = None,
    n_labels: int = 0,
    n_covariates: int = 0,
) -> Config:
    """The configuration of a fit.

    Parameters
    ----------
    params : dict
        From ``estimator.get_params(deep=False)``.
    n_features : int
        Columns of words and of labels.
    device : torch.device
    mean_length : float, default=None
        Mean number of words of the documents, for the initial alpha and encoder.
    n_labels : int, default=0
        Columns of labels, the last ones.
    n_covariates : int, default=0
        Covariates of the documents.

    Raises
    ------
    ValueError
        If parameters have a wrong shape or contradict each other.
    """
    _check_together(params)
    n_topics, n_words = params["n_components"], n_features - n_labels
    eta, learn_eta = _prior(
        params["topic_word_prior"],
        "topic_word_prior",
        n_topics,
        [(n_words,), (n_topics, n_words)],
        INITIAL_ETA,
    )
    alpha, learn_alpha = _prior(
        params["doc_topic_prior"],
        "doc_topic_prior",
        n_topics,
        [(n_topics,)],
        initial_alpha(n_topics, eta, mean_length),
    )
    batch_size = params["batch_size"]
    return Config(
        n_topics=n_topics,
        n_features=n_features,
        n_labels=n_labels,
        n_covariates=n_covariates,
        objective=params["objective"],
        alpha=np.broadcast_to(alpha, (n_topics,)),
        eta=with_label_prior(eta, n_labels),
        learn_alpha=learn_alpha,
        learn_eta=learn_eta,
        encoder=params["encoder"],
        hidden_layer_sizes=check_sizes(params["hidden_layer_sizes"]),
        word_vectors=params["word_vectors"],
        n_refine=params["refine"],
        learning_rate=params["learning_rate_init"],
        learning_schedule=params["learning_schedule"],
        learning_decay=params["learning_decay"],
        learning_offset=params["learning_offset"],
        mean_length=mean_length,
        max_iter=params["max_iter"],
        batch_size=None if batch_size == "auto" else batch_size,
        total_samples=params["total_samples"],
        early_stopping=params["early_stopping"],
        validation_fraction=params["validation_fraction"],
        n_iter_no_change=params["n_iter_no_change"],
        device=device,
    )


def _prior(value, name, n_topics, shapes, start):
    """A prior as an array, and whether it is learned."""
    if isinstance(value, str):
        return np.asarray(start), True
    # As in scikit-learn's LatentDirichletAllocation.
    value = 1.0 / n_topics if value is None else value
    return check_prior(value, shapes, name), False


def check_sizes(hidden_layer_sizes) -> tuple:
    """The widths of the hidden layers, validated."""
    sizes = np.asarray(hidden_layer_sizes)
    if sizes.ndim != 1 or not len(sizes) or sizes.dtype.kind != "i" or sizes.min() < 1:
        raise ValueError(
            "hidden_layer_sizes must be one or more positive integers, got "
            f"{hidden_layer_sizes!r}."
        )
    return tuple(sizes.tolist())


def _check_together(params) -> None:
    if isinstance(params["n_components"], bool):
        raise ValueError(
            f"n_components={params['n_components']} is a bool; pass a number of topics."
        )
    if params["distributed"] and params["checkpoint"] is not None:
        raise ValueError(
            "checkpoint cannot be combined with distributed=True, because ranks could "
            "be killed after different epochs: set checkpoint=None or "
            "distributed=False."
        )
    if callable(params["encoder"]) and params["word_vectors"] is not None:
        raise ValueError(
            "word_vectors apply to encoder='mlp' and 'transformer' only: pass the "
            "vectors to your own module, or choose one of these encoders."
        )
