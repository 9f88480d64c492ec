"""From the estimator's parameters and what it has fitted to what training takes."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from ._batches import n_batches
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


def fit_schedule(lda, X, continued: bool):
    """Learning rates of `fit`, which knows its number of steps."""
    if lda.learning_schedule == "power":
        return stream_schedule(lda)
    n_steps = lda.max_iter * n_batches(X.shape[0], _batch_size(lda, X))
    if continued:
        return Cosine(lda.n_batch_iter_, n_steps, _WARM_TOP)
    return Cosine(0, n_steps)


def stream_schedule(lda):
    """Learning rates of `partial_fit`, which does not."""
    return Power(lda.learning_offset, lda.learning_decay)


def hold_out(lda, X, continued: bool):
    """X without the documents of early stopping, and those."""
    if not lda.early_stopping:
        return X, None
    n_held_out = round(lda.validation_fraction * X.shape[0])
    if not 0 < n_held_out < X.shape[0]:
        raise ValueError(
            f"validation_fraction={lda.validation_fraction} leaves nothing to train or "
            f"to validate on with n_samples={X.shape[0]}; change it or early_stopping."
        )
    # Those of the first fit, or a warm start would validate on what it was trained on.
    rng = np.random.default_rng(lda._seed if continued else _integer_seed(lda))
    rows = rng.permutation(X.shape[0])
    return X[rows[n_held_out:]], HeldOut(X[rows[:n_held_out]], rng)


def make_learner(lda, X, device, schedule, continued: bool) -> Learner:
    """A learner of X, at its beginning or where the last fit ended."""
    n_topics, n_features = lda.n_components, X.shape[1]
    learn_alpha = isinstance(lda.doc_topic_prior, str)  # 'auto'
    alpha = _initial_alpha(n_topics) if learn_alpha else lda.doc_topic_prior
    alpha = check_prior(alpha, [(n_topics,)], "doc_topic_prior")
    alpha = np.broadcast_to(alpha, (n_topics,))
    eta_shapes = [(n_features,), (n_topics, n_features)]
    config = Config(
        objective=lda.objective,
        eta=check_prior(lda.topic_word_prior, eta_shapes, "topic_word_prior"),
        learn_alpha=learn_alpha,
        learning_rate=lda.learning_rate_init,
        schedule=schedule,
        n_refine=lda.refine_fit,
        batch_size=_batch_size(lda, X),
        device=device,
    )
    if continued:
        state = _fitted_state(lda, lda.doc_topic_prior_ if learn_alpha else alpha)
    else:
        state = _initial_state(lda, n_features, alpha)
    return Learner(config, state)


def check_objective(lda) -> None:
    """Refuse an objective whose encoder is of another form than the fitted one."""
    expected = len(lda.components_) * OBJECTIVES[lda.objective].outputs_per_topic
    if len(lda._encoder_weights["norm.shift"]) != expected:
        raise ValueError(
            f"objective={lda.objective!r} does not go with the encoder fitted before: "
            "set it back, or fit again with warm_start=False."
        )


def _initial_state(lda, n_features, alpha) -> State:
    seed = _integer_seed(lda)
    rng = np.random.default_rng(seed)
    n_outputs = lda.n_components * OBJECTIVES[lda.objective].outputs_per_topic
    return State(
        components=rng.gamma(100.0, 0.01, (lda.n_components, n_features)),
        alpha=alpha,
        encoder=initial_weights(n_features, lda.hidden_layer_sizes, n_outputs, rng),
        seed=seed,
    )


def _fitted_state(lda, alpha) -> State:
    if len(lda.components_) != lda.n_components:
        raise ValueError(
            f"n_components={lda.n_components} cannot continue a fit of "
            f"{len(lda.components_)} topics; fit with warm_start=False first."
        )
    check_objective(lda)
    return State(
        components=lda.components_,
        alpha=alpha,
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
