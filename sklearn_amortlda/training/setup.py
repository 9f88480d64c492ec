"""From a configuration and a corpus to a training.

Input: the configuration, the corpus and, where training continues, an earlier state.
Output: a `Training` with initial topics and encoder, batch size and schedule.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..data.corpus import Corpus
from ..encoder.weights import initial_weights
from ..model.objectives import OBJECTIVES
from .communicator import SingleProcess, Totals
from .config import Config
from .early_stopping import hold_out
from .loop import Training
from .schedules import Cosine, Power
from .state import State
from .svi import SVI

# First step size of a warm start; 1 would forget the topics.
_WARM_TOP = 0.3
# batch_size='auto': non-zeros and documents in a batch. The noise of a step follows its
# words; more documents cost topic diversity (20NG: .79 with 256, .75 with 512).
_ENTRIES_PER_BATCH = 20_000
_MIN_AUTO_BATCH, MAX_AUTO_BATCH = 64, 256
# Small corpora have at least so many batches, of at least so many documents.
_MIN_BATCHES, _MIN_BATCH = 20, 16
_WORDS_PER_CHUNK = 8192


def fit_training(
    config: Config,
    corpus: Corpus,
    seed: int,
    previous: State | None = None,
    history=(),
    communicator=None,
) -> Training:
    """The training of `fit`.

    Parameters
    ----------
    config : Config
    corpus : Corpus
    seed : int
        Of the first fit, if this one continues it.
    previous : State, default=None
        The state that a warm start continues.
    history : sequence of dict
        Records of earlier fits.
    communicator : SingleProcess or Communicator, default=SingleProcess()
    """
    communicator = communicator or SingleProcess()
    held_out = None
    if config.early_stopping:
        corpus, held_out = hold_out(corpus, config.validation_fraction, seed)
    totals = communicator.totals(corpus)
    n_batches = _n_batches(config, totals, totals.n_documents)
    communicator.check_shards(len(corpus), n_batches)
    if config.learning_schedule == "power":
        schedule = Power(config.learning_offset, config.learning_decay)
    else:
        start, top = (previous.time, _WARM_TOP) if previous else (0, 1.0)
        schedule = Cosine(start, config.max_iter * n_batches, top)
    svi = SVI(
        config,
        _start(config, previous, corpus, seed, communicator),
        schedule,
        communicator,
        n_documents=totals.n_documents,
        total_weight=totals.weight,
    )
    return Training(
        svi,
        corpus,
        n_batches=n_batches,
        n_epochs=config.max_iter,
        held_out=held_out,
        history=history,
    )


def stream_training(
    config: Config,
    corpus: Corpus,
    seed: int,
    previous: State | None = None,
    history=(),
    communicator=None,
) -> Training:
    """The training of `partial_fit`: one epoch over a chunk of a stream.

    The parameters are those of `fit_training`.
    """
    communicator = communicator or SingleProcess()
    totals = communicator.totals(corpus)
    # The batches of a chunk have the size of the whole stream's batches.
    n_stream = max(config.total_samples, totals.n_documents)
    batch_size = _batch_size(config, totals, n_stream)
    n_batches = _divided(totals.n_documents, batch_size)
    communicator.check_shards(len(corpus), n_batches)
    # Only a stream whose length is known has an end.
    if config.learning_schedule == "cosine":
        schedule = Cosine(0, config.max_iter * _divided(n_stream, batch_size))
    else:
        schedule = Power(config.learning_offset, config.learning_decay)
    total_weight = max(float(config.total_samples), totals.weight)
    svi = SVI(
        config,
        _start(config, previous, corpus, seed, communicator),
        schedule,
        communicator,
        n_documents=total_weight * totals.n_documents / totals.weight,
        total_weight=total_weight,
    )
    return Training(
        svi,
        corpus,
        n_batches=n_batches,
        n_epochs=1,
        measures_bound=False,
        history=history,
    )


def _n_batches(config, totals, n_documents):
    return _divided(totals.n_documents, _batch_size(config, totals, n_documents))


def _divided(n_documents, batch_size) -> int:
    return max(1, round(n_documents / batch_size))


def _batch_size(config, totals: Totals, n_total) -> int:
    """Documents in a batch; `n_total` are in the corpus or stream."""
    if config.batch_size is not None:
        return config.batch_size
    documents = _ENTRIES_PER_BATCH * totals.n_documents / max(totals.n_entries, 1)
    documents = np.clip(documents, _MIN_AUTO_BATCH, MAX_AUTO_BATCH)
    return max(int(min(documents, n_total / _MIN_BATCHES)), _MIN_BATCH)


def _start(config, previous, corpus, seed, communicator) -> State:
    """The state that training starts from."""
    if previous is None:
        return initial_state(config, communicator.word_counts(corpus) > 0, seed)
    check_continuation(config, previous)
    return replace(
        previous,
        alpha=previous.alpha if config.learn_alpha else config.alpha,
        eta=previous.eta if config.learn_eta else config.eta,
    )


def check_continuation(config: Config, state: State) -> None:
    """Refuse a state of another number of topics or another kind of objective."""
    if len(state.components) != config.n_topics:
        raise ValueError(
            f"n_components={config.n_topics} cannot continue a fit of "
            f"{len(state.components)} topics; fit with warm_start=False first."
        )
    check_objective(config.objective, config.n_topics, state.encoder)


def check_objective(objective: str, n_topics: int, encoder: dict) -> None:
    """Refuse an objective that needs another number of encoder outputs."""
    expected = n_topics * OBJECTIVES[objective].outputs_per_topic
    if len(encoder["norm.shift"]) != expected:
        raise ValueError(
            f"objective={objective!r} does not fit the encoder of the earlier fit: set "
            "it back, or fit again with warm_start=False."
        )


def initial_state(config: Config, occurs, seed: int) -> State:
    """Random topics and encoder.

    Parameters
    ----------
    config : Config
    occurs : ndarray of bool of shape (n_features,)
        Words that occur in the corpus.
    seed : int
    """
    rng = np.random.default_rng(seed)
    n_outputs = config.n_topics * OBJECTIVES[config.objective].outputs_per_topic
    return State(
        components=_initial_components(config, occurs, rng),
        alpha=config.alpha,
        eta=config.eta,
        encoder=initial_weights(
            occurs,
            config.hidden_layer_sizes,
            n_outputs,
            rng,
            kind=config.encoder,
            word_vectors=config.word_vectors,
        ),
        seed=seed,
    )


def _initial_components(config, occurs, rng):
    """lambda: noise about the prior's mean where a word occurs, else the prior."""
    # Relative to the mean, so that a seeded topic starts from its seed words.
    eta = np.atleast_2d(config.eta).T
    mean = eta.mean(axis=0)
    eta = np.broadcast_to(eta, (len(occurs), config.n_topics))
    rows = eta.astype(np.float32, order="C")
    occurring = np.flatnonzero(occurs)
    # In chunks, because the float64 draws are twice as large as the result.
    for start in range(0, len(occurring), _WORDS_PER_CHUNK):
        words = occurring[start : start + _WORDS_PER_CHUNK]
        noise = rng.gamma(100.0, 0.01, (len(words), config.n_topics))
        rows[words] = noise * (eta[words] / mean)
    return rows.T
