"""Construction of a training from a configuration and a corpus.

Input: the configuration, the corpus and, if training continues, an earlier state.
Output: a `Training` with initial topics and encoder, batch size and schedule.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..data.corpus import Corpus
from ..encoder.weights import hidden_sizes, initial_weights
from ..model.objectives import OBJECTIVES
from .communicator import SingleProcess, Totals
from .config import Config
from .early_stopping import hold_out
from .loop import Training
from .schedules import Cosine, Plateau, Power
from .state import State, with_zeros
from .svi import SVI

# First step size of a warm start; a step size of 1 would discard the earlier topics.
_WARM_TOP = 0.3
# Constant step size of the plateau with early stopping. With 0.2 perplexity is 2 %
# higher, with 1.0 equal (20NG, 3,000 documents, K = 20).
_PLATEAU_TOP = 0.5
# batch_size='auto': non-zeros and documents in a batch. The noise of a step depends on
# its words. More documents reduce topic diversity (20NG: .79 with 256, .75 with 512).
_ENTRIES_PER_BATCH = 20_000
_MIN_AUTO_BATCH, MAX_AUTO_BATCH = 64, 256
# batch_size='auto' in a small corpus: batches in an epoch, unless a batch would have
# fewer documents than the smallest batch.
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
        Seed of this fit, or of the first fit if this fit continues it.
    previous : State, default=None
        The state that a warm start continues.
    history : sequence of dict, default=()
        Records of earlier fits.
    communicator : SingleProcess or Communicator, default=SingleProcess()
    """
    communicator = communicator or SingleProcess()
    held_out = None
    if config.early_stopping:
        corpus, held_out = hold_out(corpus, config.validation_fraction, seed)
    totals = communicator.totals(corpus)
    batch_size = _batch_size(config, totals, totals.n_documents, communicator)
    n_batches = _n_batches(totals.n_documents, batch_size, communicator)
    communicator.check_shards(len(corpus), n_batches // communicator.size)
    if config.learning_schedule == "power":
        schedule = Power(config.learning_offset, config.learning_decay)
    elif config.early_stopping:
        start, top = (previous.time, _WARM_TOP) if previous else (0, _PLATEAU_TOP)
        schedule = Plateau(start, n_batches, top)
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
        n_documents=totals.n_documents,
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
    # The batch size is that of the whole stream.
    n_stream = max(config.total_samples, totals.n_documents)
    batch_size = _batch_size(config, totals, n_stream, communicator)
    n_batches = _n_batches(totals.n_documents, batch_size, communicator)
    communicator.check_shards(len(corpus), n_batches // communicator.size)
    state = _start(config, previous, corpus, seed, communicator)
    # The cosine needs the length of the stream.
    if config.learning_schedule == "cosine":
        n_pass = _divided(n_stream, batch_size)
        schedule = Cosine(0, config.max_iter * n_pass)
        # From documents, because batch sizes may differ between chunks.
        state = replace(state, time=round(state.n_seen * n_pass / n_stream))
    else:
        schedule = Power(config.learning_offset, config.learning_decay)
    total_weight = max(float(config.total_samples), totals.weight)
    svi = SVI(
        config,
        state,
        schedule,
        communicator,
        n_documents=total_weight * totals.n_documents / totals.weight,
        total_weight=total_weight,
    )
    return Training(
        svi,
        corpus,
        n_documents=totals.n_documents,
        n_batches=n_batches,
        n_epochs=1,
        measures_bound=False,
        history=history,
    )


def _n_batches(n_documents, batch_size, communicator) -> int:
    """Batches of an epoch on all ranks, equally many on each rank."""
    return communicator.size * _divided(n_documents, batch_size * communicator.size)


def _divided(n_documents, batch_size) -> int:
    return max(1, round(n_documents / batch_size))


def _batch_size(config, totals: Totals, n_total, communicator) -> int:
    """Documents in the batch of a rank; `n_total` is the number in all data."""
    if config.batch_size is not None:
        return max(config.batch_size // communicator.size, 1)
    documents = _ENTRIES_PER_BATCH * totals.n_documents / max(totals.n_entries, 1)
    documents = np.clip(documents, _MIN_AUTO_BATCH, MAX_AUTO_BATCH)
    largest = n_total / (_MIN_BATCHES * communicator.size)
    return max(int(min(documents, largest)), _MIN_BATCH)


def _start(config, previous, corpus, seed, communicator) -> State:
    """The state that training starts from."""
    if previous is None:
        return initial_state(config, communicator.word_counts(corpus) > 0, seed)
    check_continuation(config, previous)
    return replace(
        previous,
        alpha=previous.alpha if config.learn_alpha else config.alpha,
        # A learned eta is a number, but the eta of the earlier fit may be an array.
        eta=previous.eta if config.learn_eta and not previous.eta.ndim else config.eta,
    )


def check_continuation(config: Config, state: State) -> None:
    """Raise if a state has other sizes than the configuration, or another encoder."""
    if len(state.components) != config.n_topics:
        raise ValueError(
            f"n_components={config.n_topics} cannot continue a fit of "
            f"{len(state.components)} topics; fit with warm_start=False first."
        )
    check_objective(config.objective, config.n_topics, state.encoder)
    # `load_encoder` raises for the weights of another kind of encoder.
    if callable(config.encoder) == ("embedding" in state.encoder):
        return
    fitted, sizes = hidden_sizes(state.encoder), config.hidden_layer_sizes
    # A user's module has the last width only.
    if (sizes[-1:] if callable(config.encoder) else sizes) != fitted:
        raise ValueError(
            f"hidden_layer_sizes={config.hidden_layer_sizes} cannot continue a fit "
            f"with {fitted}: set hidden_layer_sizes back, or fit again with "
            "warm_start=False."
        )


def check_objective(objective: str, n_topics: int, encoder: dict) -> None:
    """Raise if an objective needs another number of encoder outputs."""
    expected = n_topics * OBJECTIVES[objective].outputs_per_topic
    if len(encoder["norm.shift"]) != expected:
        raise ValueError(
            f"objective={objective!r} does not fit the encoder of the earlier fit: set "
            "objective back, or fit again with warm_start=False."
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
    objective = OBJECTIVES[config.objective]
    components = _initial_components(config, occurs, rng)
    n_words = config.n_features - config.n_labels
    encoder = initial_weights(
        occurs[:n_words],
        config.hidden_layer_sizes,
        config.n_topics * objective.outputs_per_topic,
        rng,
        kind=config.encoder,
        word_vectors=config.word_vectors,
    )
    if config.mean_length is not None:
        start = objective.initial_output(config.mean_length, config.n_topics)
        encoder["norm.shift"][:] = start
    encoder = with_zeros(encoder, "embedding", config.n_labels)
    coefficients = None
    if config.n_covariates:
        coefficients = np.zeros((config.n_covariates, config.n_topics), np.float32)
    return State(
        components,
        config.alpha,
        config.eta,
        encoder,
        seed,
        n_labels=config.n_labels,
        coefficients=coefficients,
    )


def _initial_components(config, occurs, rng):
    """lambda: random values around 1 for words that occur, else the prior."""
    # Times eta relative to its mean, so that a seeded topic starts from its seed words.
    eta = np.atleast_2d(config.eta).T
    mean = eta.mean(axis=0)
    eta = np.broadcast_to(eta, (len(occurs), config.n_topics))
    rows = eta.astype(np.float32, order="C")
    occurring = np.flatnonzero(occurs)
    # In chunks, because all float64 draws together would need twice the memory.
    for start in range(0, len(occurring), _WORDS_PER_CHUNK):
        words = occurring[start : start + _WORDS_PER_CHUNK]
        noise = rng.gamma(100.0, 0.01, (len(words), config.n_topics))
        rows[words] = noise * (eta[words] / mean)
    return rows.T
