"""The training loop: epochs until the last, and what they have come to at any time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ._corpus import Corpus
from ._inference import Inference
from ._learner import Learner, State


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
        self.hidden = replace(corpus, counts=_keep(X, hidden))

    def score(self, inference: Inference) -> float:
        """log p(hidden half | observed half) under theta . beta, in nats per word."""
        gamma = inference.gamma(self.observed)
        log_p = inference.completion(gamma, self.hidden.counts)
        return self.hidden.total(log_p) / max(self.hidden.n_words, 1.0)


@dataclass(frozen=True)
class Plan:
    """How long to train, and what to measure after an epoch.

    Attributes
    ----------
    n_epochs : int
        Epochs at the most.
    total_samples : float
        Documents that the corpus stands for.
    n_refine : int
        E-step refinements of measurements.
    bounded : bool, default=True
        Whether to measure the corpus's evidence bound at the end, which takes about an
        epoch's time, and more where the corpus is small and the vocabulary large.
    evaluate_every : int, default=0
        Every so many epochs the perplexity is measured; 0 or less: never.
    held_out : HeldOut or None
        Documents for early stopping.
    tol, patience : float, int
        Training stops after `patience` epochs whose score is not `tol` above the best.
    """

    n_epochs: int
    total_samples: float
    n_refine: int
    bounded: bool = True
    evaluate_every: int = 0
    held_out: HeldOut | None = None
    tol: float = 0.0
    patience: int = 1


@dataclass(frozen=True)
class Progress:
    """Where training stands between two epochs: all it takes to go on from there.

    Attributes
    ----------
    state : State
        After the last epoch.
    history : list of dict
        A record of each epoch, those of earlier fits included.
    epoch : int
        Epochs of this fit.
    n_stale : int
        Epochs since the score has last risen.
    best_score : float
        Highest score on the documents held out.
    best : State or None
        After the epoch of that score.
    """

    state: State
    history: list
    epoch: int = 0
    n_stale: int = 0
    best_score: float = -np.inf
    best: State | None = None


class Training:
    """A learner on its way through some epochs.

    Parameters
    ----------
    learner : Learner
    corpus : Corpus
        Its documents, without those held out.
    plan : Plan
    history : list of dict
        Records of earlier fits.
    """

    def __init__(self, learner: Learner, corpus: Corpus, plan: Plan, history=()):
        self.learner, self.corpus, self.plan = learner, corpus, plan
        self._first_step = learner.n_batch_iter
        self._take_up(Progress(state=None, history=list(history)))

    def resume(self, progress: Progress) -> None:
        """Go on from where another training of the same stood."""
        self.learner.restore(progress.state)
        self._take_up(progress)

    def progress(self) -> Progress:
        """Where it stands, in copies."""
        return Progress(
            state=self.learner.state(),
            history=[record.copy() for record in self.history],
            epoch=self.epoch,
            n_stale=self._n_stale,
            best_score=self._best_score,
            best=self._best,
        )

    @property
    def finished(self) -> bool:
        """Whether there is no epoch to come."""
        return self.epoch >= self.plan.n_epochs or self._n_stale >= self.plan.patience

    @property
    def learned(self) -> bool:
        """Whether there has been a step."""
        return self.learner.n_batch_iter > self._first_step

    def next_epoch(self) -> dict:
        """Train for an epoch, and measure what the plan says.

        Returns
        -------
        record : dict
            'epoch', 'bound', and where asked for 'perplexity' and 'validation_score'.
        """
        bound = self.learner.epoch(self.corpus, self.plan.total_samples)
        number = len(self.history) + 1
        if not np.isfinite(bound):
            raise FloatingPointError(
                f"Training diverged in epoch {number}: the bound is {bound}. Lower "
                "learning_rate_init or raise batch_size."
            )
        record = {"epoch": number, "bound": bound}
        self.epoch += 1
        self.history.append(record)
        self._measure(record)
        return record

    def best_state(self) -> State:
        """What is learned; with documents held out, as of the best epoch."""
        return self._best or self.learner.state()

    def mend(self) -> None:
        """Make something consistent of what an interrupt has left half done."""
        # All else that a step changes is of use at any point of it.
        self.learner.topics.settle()

    def finish(self) -> float:
        """Let the learner end with `best_state`; returns the bound, or NaN."""
        if self._best is not None:
            self.learner.restore(self._best)
        if not self.plan.bounded:
            return np.nan
        return self.learner.evidence_bound(self.corpus, self.plan.n_refine)

    def _take_up(self, progress):
        self.history, self.epoch = progress.history, progress.epoch
        self._n_stale = progress.n_stale
        self._best_score, self._best = progress.best_score, progress.best

    def _measure(self, record):
        plan, every = self.plan, self.plan.evaluate_every
        if every > 0 and self.epoch % every == 0:
            bounds = self.learner.inference(plan.n_refine).bound(self.corpus.counts)
            perplexity = np.exp(-self.corpus.total(bounds) / self.corpus.n_words)
            record["perplexity"] = float(perplexity)
        if plan.held_out is not None:
            score = plan.held_out.score(self.learner.inference(plan.n_refine))
            record["validation_score"] = score
            self._compare(score)

    def _compare(self, score):
        risen = score > self._best_score + self.plan.tol
        self._n_stale = 0 if risen else self._n_stale + 1
        if score > self._best_score:
            self._best_score, self._best = score, self.learner.state()


def run(training: Training, observers=()) -> None:
    """Train to the end, or until an observer says stop.

    Parameters
    ----------
    training : Training
    observers : sequence of Observer
        Those of `_callbacks` and `_checkpoint`.
    """
    while not training.finished:
        for observer in observers:
            observer.epoch_begins()
        record = training.next_epoch()
        stops = [observer.epoch_ends(training, record) for observer in observers]
        # Whichever rank's observer says so, for none is to go on alone.
        if any(training.learner.peers.sum(any(stops))):
            break


def _keep(X, mask):
    kept = X.copy()
    kept.data *= mask
    kept.eliminate_zeros()
    return kept
