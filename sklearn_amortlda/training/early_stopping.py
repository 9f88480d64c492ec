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
    """Documents kept out of training, the words of each in two halves.

    Parameters
    ----------
    corpus : Corpus
        The documents.
    rng : numpy.random.Generator
        Assigns each distinct word of a document to either half.
    """

    def __init__(self, corpus: Corpus, rng: np.random.Generator):
        X = corpus.counts
        held_out = rng.random(X.nnz) < 0.5
        self.observed = _keep(X, ~held_out)
        self.held_out = replace(corpus, counts=_keep(X, held_out))

    def log_likelihood(self, inference: Inference) -> tuple[float, float]:
        """log p(held-out half | observed half), in nats, and the number of its words.

        Under E[theta] . E[beta].
        """
        gamma = inference.gamma(self.observed)
        log_p = inference.completion(gamma, self.held_out.counts)
        return self.held_out.total(log_p), self.held_out.n_words


@dataclass
class EarlyStopping:
    """The best epoch so far.

    Attributes
    ----------
    patience : int
        Epochs without improvement after which training stops.
    n_stale : int
        Epochs since the last improvement.
    best_score : float
        Highest held-out log-likelihood, in nats per word.
    best : State or None
        After the epoch of the highest score.
    """

    patience: int
    n_stale: int = 0
    best_score: float = -np.inf
    best: State | None = None

    @property
    def stops(self) -> bool:
        """Whether training should stop."""
        return self.n_stale >= self.patience

    def update(self, score: float, state) -> None:
        """Compare the score of an epoch.

        Parameters
        ----------
        score : float
        state : callable
            Returns the present state; called where it is the best.
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
        Of the first fit, so that a warm start does not validate on documents that it
        was trained on.
    """
    n_samples = len(corpus)
    n_held_out = round(fraction * n_samples)
    if not 0 < n_held_out < n_samples:
        raise ValueError(
            f"validation_fraction={fraction} of n_samples={n_samples} leaves no "
            "documents to train on or none to validate on; change it, or set "
            "early_stopping=False."
        )
    rng = np.random.default_rng(seed)
    rows = rng.permutation(n_samples)
    documents = HeldOutDocuments(corpus[rows[:n_held_out]], rng)
    return corpus[rows[n_held_out:]], documents


def _keep(X, mask):
    kept = X.copy()
    kept.data *= mask
    kept.eliminate_zeros()
    return kept
