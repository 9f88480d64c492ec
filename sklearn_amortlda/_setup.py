"""From the estimator's parameters and what it has fitted to what training takes."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from ._corpus import LARGEST_BATCH, Corpus, n_batches
from ._encoder import initial_weights
from ._learner import Config, Learner, State
from ._objectives import OBJECTIVES
from ._schedules import Cosine, Power
from ._training import HeldOut, Plan, Training
from ._validation import check_prior

# First step of a warm start: a full one would forget the topics.
_WARM_TOP = 0.3
# Non-zeros of X in a batch whose size is up to us.
_ENTRIES_A_BATCH = 20_000
# Where eta starts if it is learned.
_INITIAL_ETA = 0.03
_WORDS_PER_CHUNK = 8192


def fit_training(lda, corpus: Corpus, device, continued: bool, saved=None) -> Training:
    """What `fit` does, at its beginning or from where it was saved (a `Progress`)."""
    seed = saved.state.seed if saved else _starting_seed(lda, continued)
    corpus, held_out = _hold_out(lda, corpus, seed)
    batch_size = _batch_size(lda, corpus, corpus.n_documents)
    schedule = _fit_schedule(lda, corpus, continued, batch_size)
    plan = Plan(
        n_epochs=lda.max_iter,
        total_samples=corpus.total(),
        n_refine=lda.refine,
        evaluate_every=lda.evaluate_every,
        held_out=held_out,
        tol=lda.tol,
        patience=lda.n_iter_no_change,
    )
    learner = _make_learner(lda, corpus, device, schedule, continued, seed, batch_size)
    training = Training(learner, corpus, plan, lda.history_ if continued else ())
    if saved:
        training.resume(saved)
    return training


def stream_training(lda, corpus: Corpus, device, continued: bool) -> Training:
    """What `partial_fit` does: one epoch, at rates of a stream without a known end."""
    seed = _starting_seed(lda, continued)
    # A chunk's batches are those that the whole stream would be cut into.
    n_documents = max(lda.total_samples, corpus.n_documents)
    batch_size = _batch_size(lda, corpus, n_documents)
    schedule = _stream_schedule(lda, n_documents, batch_size)
    learner = _make_learner(lda, corpus, device, schedule, continued, seed, batch_size)
    total_samples = max(float(lda.total_samples), corpus.total())
    plan = Plan(
        n_epochs=1, total_samples=total_samples, n_refine=lda.refine, bounded=False
    )
    return Training(learner, corpus, plan, lda.history_ if continued else ())


def fitted_attributes(state: State, history, dtype, bound: float = np.nan) -> dict:
    """What the estimator keeps of training: `_training` and back.

    Parameters
    ----------
    state : State
    history : list of dict
    dtype : numpy.dtype
        Of the topics, as of the caller's X.
    bound : float, default=nan
        `bound_`, which takes a pass over the data.
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
        "_encoder_weights": state.encoder,
        "_optimizer_state": state.optimizer,
        "_seed": state.seed,
    }


def _fit_schedule(lda, corpus, continued, batch_size):
    # `fit` knows its number of batches.
    if lda.learning_schedule == "power":
        return _power(lda)
    length = lda.max_iter * corpus.n_batches(batch_size)
    if continued:
        return Cosine(_time(lda), length, _WARM_TOP)
    return Cosine(0, length)


def _stream_schedule(lda, n_documents, batch_size):
    # A stream has an end only where one was asked for.
    if lda.learning_schedule != "cosine":
        return _power(lda)
    return Cosine(0, lda.max_iter * n_batches(n_documents, batch_size))


def _power(lda):
    return Power(lda.learning_offset, lda.learning_decay)


def _hold_out(lda, corpus, seed):
    """The corpus without the documents of early stopping, and those."""
    if not lda.early_stopping:
        return corpus, None
    n_samples = len(corpus)
    n_held_out = round(lda.validation_fraction * n_samples)
    if not 0 < n_held_out < n_samples:
        raise ValueError(
            f"validation_fraction={lda.validation_fraction} leaves nothing to train or "
            f"to validate on with n_samples={n_samples}; change it or early_stopping."
        )
    # By the seed of the first fit: a warm start is not to validate on what it was
    # trained on.
    rng = np.random.default_rng(seed)
    rows = rng.permutation(n_samples)
    return corpus[rows[n_held_out:]], HeldOut(corpus[rows[:n_held_out]], rng)


def _make_learner(
    lda, corpus, device, schedule, continued, seed, batch_size
) -> Learner:
    """A learner of a corpus, at its beginning or where the last fit ended."""
    n_topics, n_features = lda.n_components, corpus.counts.shape[1]
    learn_alpha, learn_eta = (
        isinstance(prior, str)  # 'auto'
        for prior in (lda.doc_topic_prior, lda.topic_word_prior)
    )
    eta_shapes = [(n_features,), (n_topics, n_features)]
    eta = _INITIAL_ETA if learn_eta else lda.topic_word_prior
    eta = check_prior(eta, eta_shapes, "topic_word_prior")
    alpha = _initial_alpha(n_topics, eta) if learn_alpha else lda.doc_topic_prior
    alpha = check_prior(alpha, [(n_topics,)], "doc_topic_prior")
    alpha = np.broadcast_to(alpha, (n_topics,))
    config = Config(
        objective=lda.objective,
        learn_alpha=learn_alpha,
        learn_eta=learn_eta,
        learning_rate=lda.learning_rate_init,
        schedule=schedule,
        n_refine=lda.refine_fit,
        batch_size=batch_size,
        several_at_once=lda.batch_size == "auto",
        device=device,
        encoder=lda.encoder,
    )
    if continued:
        alpha = lda.doc_topic_prior_ if learn_alpha else alpha
        eta = np.asarray(lda.topic_word_prior_) if learn_eta else eta
        state = _fitted_state(lda, alpha, eta)
    else:
        state = _initial_state(lda, corpus.word_counts > 0, alpha, eta, seed)
    return Learner(config, state, corpus.peers)


def check_objective(lda) -> None:
    """Refuse an objective whose encoder is of another form than the fitted one."""
    expected = len(lda.components_) * OBJECTIVES[lda.objective].outputs_per_topic
    if len(lda._encoder_weights["norm.shift"]) != expected:
        raise ValueError(
            f"objective={lda.objective!r} does not go with the encoder fitted before: "
            "set it back, or fit again with warm_start=False."
        )


def _initial_state(lda, occurs, alpha, eta, seed) -> State:
    rng = np.random.default_rng(seed)
    n_outputs = lda.n_components * OBJECTIVES[lda.objective].outputs_per_topic
    return State(
        components=_initial_components(lda, occurs, eta, rng),
        alpha=alpha,
        eta=eta,
        encoder=initial_weights(
            occurs,
            lda.hidden_layer_sizes,
            n_outputs,
            rng,
            kind=lda.encoder,
            word_vectors=lda.word_vectors,
        ),
        seed=seed,
    )


def _initial_components(lda, occurs, eta, rng):
    """lambda: noise about the prior's mean where a word occurs, elsewhere the prior."""
    # The mean makes a topic whose words the prior names begin with them.
    eta = np.atleast_2d(eta).T
    mean = eta.mean(axis=0)
    eta = np.broadcast_to(eta, (len(occurs), lda.n_components))
    rows = eta.astype(np.float32, order="C")
    occurring = np.flatnonzero(occurs)
    # In chunks, for float64 is twice as large as all of the result.
    for start in range(0, len(occurring), _WORDS_PER_CHUNK):
        words = occurring[start : start + _WORDS_PER_CHUNK]
        noise = rng.gamma(100.0, 0.01, (len(words), lda.n_components))
        rows[words] = noise * (eta[words] / mean)
    return rows.T


def _fitted_state(lda, alpha, eta) -> State:
    if len(lda.components_) != lda.n_components:
        raise ValueError(
            f"n_components={lda.n_components} cannot continue a fit of "
            f"{len(lda.components_)} topics; fit with warm_start=False first."
        )
    check_objective(lda)
    return State(
        components=lda.components_,
        alpha=alpha,
        eta=eta,
        encoder=lda._encoder_weights,
        optimizer=lda._optimizer_state,
        seed=lda._seed,
        n_batch_iter=lda.n_batch_iter_,
        time=_time(lda),
    )


def _time(lda) -> int:
    # Models saved before steps took several batches do not have it.
    return getattr(lda, "_time", lda.n_batch_iter_)


def _batch_size(lda, corpus: Corpus, n_total) -> int:
    if lda.batch_size != "auto":
        return lda.batch_size
    # The noise of a step's statistics follows its words, not its documents.
    documents = _ENTRIES_A_BATCH * corpus.n_documents / max(corpus.n_entries, 1)
    # Small corpora need steps more than they need quiet ones.
    documents = min(np.clip(documents, 64, LARGEST_BATCH), n_total / 20)
    return max(int(documents), 16)


def _initial_alpha(n_topics, eta):
    # 0.1 on average, unequal from the start: so the common words of a corpus find a
    # topic that is in every document, rather than a place in every topic. Topics whose
    # words the prior names are no such place: they come last.
    shares = 1.0 / np.arange(1, n_topics + 1)
    named = np.broadcast_to(np.atleast_2d(eta).sum(axis=1), n_topics)
    alpha = np.empty(n_topics)
    alpha[np.argsort(named, kind="stable")] = 0.1 * n_topics * shares / shares.sum()
    return alpha


def _starting_seed(lda, continued) -> int:
    if continued:
        return lda._seed
    return int(check_random_state(lda.random_state).randint(2**31 - 1))
