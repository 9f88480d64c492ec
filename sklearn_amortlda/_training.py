"""The training loop: epochs in, one record an epoch out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ._corpus import Corpus
from ._inference import Inference
from ._learner import Learner


class HeldOut:
    """Documents kept from training, the words of each in two halves.

    Parameters
    ----------
    corpus : Corpus
        The documents.
    rng : numpy.random.Generator
        Sends each distinct word of a document to either half.
    """

    def __init__(self, corpus: Corpus, rng: np.random.Generator):
        X = corpus.counts
        hidden = rng.random(X.nnz) < 0.5
        self.observed = _keep(X, ~hidden)
        self.hidden = Corpus(_keep(X, hidden), corpus.weights)

    def score(self, inference: Inference) -> float:
        """log p(hidden half | observed half) under theta . beta, in nats per word."""
        gamma = inference.gamma(self.observed)
        log_p = inference.completion(gamma, self.hidden.counts)
        return self.hidden.total(log_p) / max(self.hidden.n_words, 1.0)


class Plateau:
    """Says when a score has not risen by `tol` for `patience` epochs."""

    def __init__(self, tol: float, patience: int):
        self.tol, self.patience = tol, patience
        self.best, self.n_stale = -np.inf, 0

    def update(self, score: float) -> bool:
        """Take the next score; returns whether it is the best so far."""
        self.n_stale = 0 if score > self.best + self.tol else self.n_stale + 1
        improved = score > self.best
        self.best = max(self.best, score)
        return improved

    @property
    def reached(self) -> bool:
        """Whether to stop."""
        return self.n_stale >= self.patience


def train(
    learner: Learner,
    corpus: Corpus,
    *,
    n_epochs: int,
    n_refine: int,
    evaluate_every: int = 0,
    held_out: HeldOut | None = None,
    plateau: Plateau | None = None,
) -> Iterator[dict]:
    """Train on a corpus for some epochs, or until the held-out score is on a plateau.

    With documents held out, the learner ends with the state of the best epoch.

    Yields
    ------
    record : dict
        'bound', and where asked for 'perplexity' and 'validation_score', after each
        epoch.
    """
    best = None
    for epoch in range(1, n_epochs + 1):
        record = {"bound": learner.epoch(corpus, corpus.total())}
        if evaluate_every > 0 and epoch % evaluate_every == 0:
            bounds = learner.inference(n_refine).bound(corpus.counts)
            perplexity = np.exp(-corpus.total(bounds) / corpus.n_words)
            record["perplexity"] = float(perplexity)
        if held_out is not None:
            record["validation_score"] = held_out.score(learner.inference(n_refine))
        yield record
        if held_out is not None:
            if plateau.update(record["validation_score"]):
                best = learner.state()
            if plateau.reached:
                break
    if best is not None:
        learner.restore(best)


def _keep(X, mask):
    kept = X.copy()
    kept.data *= mask
    kept.eliminate_zeros()
    return kept
