"""Early stopping on documents that are held out of training.

Input: the inference of the present model after an epoch. Output: the held-out
log-likelihood, the best state so far, and whether training should stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..data.corpus import Corpus
from ..inference.inference import Inference
from .state import State

# Smallest improvement that counts, in nats per word; the held-out log-likelihood of
# 1,000 documents varies by more between epochs.
MIN_IMPROVEMENT = 1e-4


class HeldOutDocuments:
    """Held-out documents, with the words of each in two halves.

    Parameters
    ----------
    corpus : Corpus
        The documents. Each must have two or more distinct words.
    rng : numpy.random.Generator
        Draws the half of each distinct word of a document; no half is empty.
    """

    def __init__(self, corpus: Corpus, rng: np.random.Generator):
        X = corpus.counts
        held_out = rng.random(X.nnz) < 0.5
        first = X.indptr[:-1]
        held_out[first], held_out[first + 1] = True, False
        self.observed = replace(corpus, counts=_keep(X, ~held_out))
        self.held_out = replace(corpus, counts=_keep(X, held_out))

    def log_likelihood(self, inference: Inference) -> tuple[float, float]:
        """log p(held-out half | observed half) in nats, and its number of words.

        The probability of a word is E[theta] . E[beta].
        """
        gamma = inference.gamma(self.observed)
        log_p = inference.completion(gamma, self.held_out)
        return self.held_out.total(log_p), self.held_out.n_words


@dataclass
class EarlyStopping:
    """The best epoch so far, and the decision to end training.

    Attributes
    ----------
    patience : int
        Epochs without improvement after which the step sizes fall, or training stops if
        the schedule has no plateau.
    n_stale : int
        Epochs since the last improvement.
    best_score : float
        Highest held-out log-likelihood, in nats per word.
    best : State or None
        The state after the epoch of the highest score.
    cooldown : tuple of (int, int, int) or None
        None while the step sizes are constant. Then the time at which they begin to
        fall, the number of batches until they are zero, and the last epoch.
    """

    patience: int
    n_stale: int = 0
    best_score: float = -np.inf
    best: State | None = None
    cooldown: tuple | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the score has not improved for `patience` epochs."""
        return self.n_stale >= self.patience

    def update(self, score: float, state) -> None:
        """Record the score of an epoch, and its state if it is the best.

        Parameters
        ----------
        score : float
        state : callable
            Returns the present state; called if the score is the highest.
        """
        improved = score > self.best_score + MIN_IMPROVEMENT
        self.n_stale = 0 if improved else self.n_stale + 1
        if score > self.best_score:
            self.best_score, self.best = score, state()


def hold_out(
    corpus: Corpus, fraction: float, seed: int
) -> tuple[Corpus, HeldOutDocuments]:
    """The corpus without a random share of its documents, and these documents.

    Parameters
    ----------
    corpus : Corpus
    fraction : float
        Share to hold out.
    seed : int
        Seed of the first fit, so that a warm start holds out documents on which the
        model was not trained.

    Raises
    ------
    ValueError
        If no documents are left to train on, or none to validate on.
    """
    rng = np.random.default_rng(seed)
    words = corpus.without_labels()
    # A document needs two distinct words to have a word in both halves.
    eligible = np.flatnonzero(np.diff(words.counts.indptr) >= 2)
    n_held_out = round(fraction * len(eligible))
    held_out = np.zeros(len(corpus), dtype=bool)
    held_out[rng.permutation(eligible)[:n_held_out]] = True
    rest = corpus[np.flatnonzero(~held_out)]
    if not 0 < n_held_out < len(corpus) or not rest.counts.nnz:
        n_samples, n_features = corpus.counts.shape
        raise ValueError(
            f"validation_fraction={fraction} leaves no documents to train on, or none "
            f"to validate on: of n_samples={n_samples} with n_features={n_features}, "
            f"{len(eligible)} have two or more distinct words. Change "
            "validation_fraction, or set early_stopping=False."
        )
    return rest, HeldOutDocuments(words[np.flatnonzero(held_out)], rng)


def _keep(X, mask):
    kept = X.copy()
    kept.data *= mask
    kept.eliminate_zeros()
    return kept
