"""From the estimator's parameters and what it has fitted to what training takes."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from ._batches import n_batches
from ._corpus import Corpus
from ._encoder import initial_weights
from ._learner import Config, Learner, State
from ._objectives import OBJECTIVES
from ._schedules import Cosine, Power
from ._training import HeldOut
from ._validation import check_prior

# First step of a warm start: a full one would forget the topics.
_WARM_TOP = 0.3
# Non-zeros of X in a batch whose size is up to us.
_ENTRIES_A_BATCH = 20_000
# Where eta starts if it is learned.
_INITIAL_ETA = 0.03


def fit_schedule(lda, corpus: Corpus, continued: bool):
    """Learning rates of `fit`, which knows its number of steps."""
    if lda.learning_schedule == "power":
        return stream_schedule(lda)
    n_steps = lda.max_iter * n_batches(len(corpus), _batch_size(lda, corpus.counts))
    if continued:
        return Cosine(lda.n_batch_iter_, n_steps, _WARM_TOP)
    return Cosine(0, n_steps)


def stream_schedule(lda):
    """Learning rates of `partial_fit`, which does not."""
    return Power(lda.learning_offset, lda.learning_decay)


def hold_out(lda, corpus: Corpus, continued: bool):
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
    # Those of the first fit, or a warm start would validate on what it was trained on.
    rng = np.random.default_rng(lda._seed if continued else _integer_seed(lda))
    rows = rng.permutation(n_samples)
    return corpus[rows[n_held_out:]], HeldOut(corpus[rows[:n_held_out]], rng)


def make_learner(lda, corpus: Corpus, device, schedule, continued: bool) -> Learner:
    """A learner of a corpus, at its beginning or where the last fit ended."""
    n_topics, n_features = lda.n_components, corpus.counts.shape[1]
    learn_alpha, learn_eta = (
        isinstance(prior, str)  # 'auto'
        for prior in (lda.doc_topic_prior, lda.topic_word_prior)
    )
    alpha = _initial_alpha(n_topics) if learn_alpha else lda.doc_topic_prior
    alpha = check_prior(alpha, [(n_topics,)], "doc_topic_prior")
    alpha = np.broadcast_to(alpha, (n_topics,))
    eta_shapes = [(n_features,), (n_topics, n_features)]
    eta = _INITIAL_ETA if learn_eta else lda.topic_word_prior
    eta = check_prior(eta, eta_shapes, "topic_word_prior")
    config = Config(
        objective=lda.objective,
        learn_alpha=learn_alpha,
        learn_eta=learn_eta,
        learning_rate=lda.learning_rate_init,
        schedule=schedule,
        n_refine=lda.refine_fit,
        batch_size=_batch_size(lda, corpus.counts),
        device=device,
    )
    if continued:
        alpha = lda.doc_topic_prior_ if learn_alpha else alpha
        eta = np.asarray(lda.topic_word_prior_) if learn_eta else eta
        state = _fitted_state(lda, alpha, eta)
    else:
        state = _initial_state(lda, n_features, alpha, eta)
    return Learner(config, state)


def check_objective(lda) -> None:
    """Refuse an objective whose encoder is of another form than the fitted one."""
    expected = len(lda.components_) * OBJECTIVES[lda.objective].outputs_per_topic
    if len(lda._encoder_weights["norm.shift"]) != expected:
        raise ValueError(
            f"objective={lda.objective!r} does not go with the encoder fitted before: "
            "set it back, or fit again with warm_start=False."
        )


def _initial_state(lda, n_features, alpha, eta) -> State:
    seed = _integer_seed(lda)
    rng = np.random.default_rng(seed)
    n_outputs = lda.n_components * OBJECTIVES[lda.objective].outputs_per_topic
    return State(
        components=rng.gamma(100.0, 0.01, (lda.n_components, n_features)),
        alpha=alpha,
        eta=eta,
        encoder=initial_weights(n_features, lda.hidden_layer_sizes, n_outputs, rng),
        seed=seed,
    )


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
    )


def _batch_size(lda, X) -> int:
    if lda.batch_size != "auto":
        return lda.batch_size
    # The noise of a step's statistics follows its words, not its documents.
    documents = _ENTRIES_A_BATCH * X.shape[0] / max(X.nnz, 1)
    # Small corpora need steps more than they need quiet ones.
    documents = min(np.clip(documents, 64, 256), X.shape[0] / 20)
    return max(int(documents), 16)


def _initial_alpha(n_topics):
    # 0.1 on average, unequal from the start: so the common words of a corpus find a
    # topic that is in every document, rather than a place in every topic.
    shares = 1.0 / np.arange(1, n_topics + 1)
    return 0.1 * n_topics * shares / shares.sum()


def _integer_seed(lda) -> int:
    return int(check_random_state(lda.random_state).randint(2**31 - 1))
