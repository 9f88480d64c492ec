"""The training loop: epochs of SVI steps, and what is measured after each.

Input: a training that `setup` has built. Output: its state and a record of every
epoch, at any time between two epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.batches import BatchMaker
from ..data.corpus import Corpus
from ..inference.bounds import topics_kl
from ..inference.inference import Inference
from .early_stopping import EarlyStopping, HeldOutDocuments
from .state import State
from .svi import SVI

# Steps per measurement of the training bound, which is a report and no gradient.
_STEPS_PER_BOUND = 8


@dataclass(frozen=True)
class Progress:
    """Where training stands between two epochs: all that is needed to continue.

    Attributes
    ----------
    state : State
        After the last epoch.
    history : list of dict
        A record of each epoch, earlier fits included.
    epoch : int
        Epochs of this fit.
    early_stopping : EarlyStopping
    """

    state: State
    history: list
    epoch: int
    early_stopping: EarlyStopping


class Training:
    """A fit in progress.

    Parameters
    ----------
    svi : SVI
    corpus : Corpus
        The training documents of this process, without those held out.
    n_batches : int
        Batches of an epoch.
    n_epochs : int
        Most epochs.
    held_out : HeldOutDocuments or None
        For early stopping.
    measures_bound : bool, default=True
        Whether `finish` computes the evidence bound of the corpus, which takes about as
        long as an epoch.
    history : sequence of dict
        Records of earlier fits.
    """

    def __init__(
        self,
        svi: SVI,
        corpus: Corpus,
        *,
        n_batches: int,
        n_epochs: int,
        held_out: HeldOutDocuments | None = None,
        measures_bound: bool = True,
        history=(),
    ):
        self.svi, self.corpus = svi, corpus
        self.n_batches, self.n_epochs = n_batches, n_epochs
        self.held_out, self.measures_bound = held_out, measures_bound
        self.history, self.epoch = list(history), 0
        self.early_stopping = EarlyStopping(svi.config.n_iter_no_change)
        self._first_step = svi.optimizer.n_steps

    def resume(self, progress: Progress) -> None:
        """Continue from the progress of the same training."""
        self.svi.restore(progress.state)
        self.history, self.epoch = progress.history, progress.epoch
        self.early_stopping = progress.early_stopping

    def progress(self) -> Progress:
        """The present progress."""
        history = [record.copy() for record in self.history]
        return Progress(self.svi.state(), history, self.epoch, self.early_stopping)

    @property
    def finished(self) -> bool:
        """Whether no epoch is left."""
        return self.epoch >= self.n_epochs or self.early_stopping.stops

    @property
    def started(self) -> bool:
        """Whether a step has been taken."""
        return self.svi.optimizer.n_steps > self._first_step

    def next_epoch(self) -> dict:
        """Train for an epoch and measure.

        Returns
        -------
        record : dict
            'epoch', 'bound' and, with early stopping, 'validation_score'.
        """
        record = {"epoch": len(self.history) + 1, "bound": self._train()}
        self._check_finite(record)
        self.epoch += 1
        self.history.append(record)
        if self.held_out is not None:
            totals = self.held_out.log_likelihood(self.inference())
            log_p, n_words = self.svi.communicator.add(*totals)
            score = record["validation_score"] = log_p / max(n_words, 1.0)
            self.early_stopping.update(score, self.svi.state)
        return record

    def best_state(self) -> State:
        """The present state; with early stopping that of the best epoch."""
        return self.early_stopping.best or self.svi.state()

    def repair(self) -> None:
        """Make the state valid after an interrupt in the middle of a step."""
        # All else that a step changes is valid at any moment.
        self.svi.lda.topics.apply_decay()

    def finish(self) -> float:
        """Return to the best state; its evidence bound, or NaN if not measured."""
        if self.early_stopping.best is not None:
            self.svi.restore(self.early_stopping.best)
        return self._evidence_bound() if self.measures_bound else np.nan

    def inference(self) -> Inference:
        """Inference of documents under the present model."""
        lda, config = self.svi.lda, self.svi.config
        return Inference(
            lda.encoder.eval(), lda.topics, config.objective, lda.alpha, config.n_refine
        )

    def _train(self) -> float:
        """One epoch; the training bound in nats per word.

        The bound is measured on every eighth batch, at the encoder's gamma and under
        the topics before the step. An objective that splits words infers gamma from one
        half of the words, so the bound is looser than `score`.
        """
        svi = self.svi
        rng = np.random.default_rng([svi.seed, svi.optimizer.n_steps])
        own_rng = svi.communicator.own_rng(rng)
        seed = int(own_rng.integers(2**62))
        steps = self._steps()
        batches = BatchMaker(self.corpus, svi.config.dtype, svi.config.device)
        batches = batches.shuffled(steps, own_rng, split=svi.lda.objective.splits_words)
        svi.lda.encoder.train()
        bound, n_words = 0.0, 0.0
        for i, (n_merged, batch) in enumerate(zip(steps, batches)):
            measured = i % _STEPS_PER_BOUND == 0
            before = svi.optimizer.time
            value = svi.step(batch, seed + i, n_merged, measured)
            if measured:
                bound += value
                lengths = batch.whole.weighted(batch.whole.lengths)
                n_words += float(lengths.cpu().double().sum())
            if svi.schedule.searches_duplicates(before, svi.optimizer.time):
                svi.merge_and_split(rng)
        svi.end_epoch()
        bound, n_words = svi.communicator.add(bound, n_words)
        return bound / max(n_words, 1.0)

    def _steps(self):
        """Number of batches that each step of an epoch merges."""
        if self.svi.config.batch_size is not None:
            return [1] * self.n_batches
        return self.svi.schedule.steps(self.svi.optimizer.time, self.n_batches)

    def _check_finite(self, record):
        # The bound sees an eighth of the batches; the model itself may be NaN already.
        if np.isfinite(record["bound"]) and self.svi.is_finite():
            return
        raise FloatingPointError(
            f"Training diverged in epoch {record['epoch']}: the bound is "
            f"{record['bound']}, and the model must be finite. Lower "
            "learning_rate_init, raise batch_size, or scale X down."
        )

    def _evidence_bound(self) -> float:
        """The ELBO of the corpus, in nats.

        sum_d E_q[log p(w_d, z_d, theta_d | beta)] + entropies - KL(q(beta) || p(beta)),
        with geometric means of theta and beta (Hoffman et al. 2010, eq. 4).
        """
        topics = self.svi.lda.topics
        bounds = self.inference().bound(self.corpus.counts, topics.geometric_mean)
        (total,) = self.svi.communicator.add(self.corpus.total(bounds))
        return total - topics_kl(topics)


def run(training: Training, observers=()) -> None:
    """Train until the last epoch, or until an observer stops the training.

    Parameters
    ----------
    training : Training
    observers : sequence of Observer
    """
    while not training.finished:
        for observer in observers:
            observer.epoch_begins()
        record = training.next_epoch()
        stops = [observer.epoch_ends(training, record) for observer in observers]
        # Summed over ranks, so that no rank continues alone.
        if any(training.svi.communicator.add(any(stops))):
            break
