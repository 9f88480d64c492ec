"""The training loop: epochs of SVI steps, and a measurement after each epoch.

Input: a training that `setup` has built. Output: its state and a record of every
epoch, available between any two epochs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..data.batches import BatchMaker
from ..data.corpus import Corpus
from ..inference.bounds import topics_kl
from ..inference.inference import Inference
from .early_stopping import EarlyStopping, HeldOutDocuments
from .prior_chain import PriorChain
from .schedules import Plateau
from .state import State
from .svi import SVI

# Steps per measurement of the training bound, which is reported and not optimized.
_STEPS_PER_BOUND = 8


@dataclass(frozen=True)
class Progress:
    """The progress of a training between two epochs: all that is needed to continue.

    Attributes
    ----------
    state : State
        The state after the last epoch.
    history : list of dict
        A record of each epoch, including epochs of earlier fits.
    epoch : int
        Number of epochs of this fit.
    early_stopping : EarlyStopping
    prior_chain : dict of ndarray
        The draws of the chain that learns the priors.
    """

    state: State
    history: list
    epoch: int
    early_stopping: EarlyStopping
    prior_chain: dict


class Training:
    """A fit in progress.

    Parameters
    ----------
    svi : SVI
    corpus : Corpus
        The training documents of this process, without those held out.
    n_documents : int
        Documents of an epoch, of all ranks.
    n_batches : int
        Batches of an epoch.
    n_epochs : int
        Largest number of epochs.
    held_out : HeldOutDocuments, default=None
        Documents for early stopping; None trains without early stopping.
    measures_bound : bool, default=True
        Whether `finish` computes the evidence bound of the corpus, which takes about as
        long as an epoch.
    history : sequence of dict, default=()
        Records of earlier fits.
    """

    def __init__(
        self,
        svi: SVI,
        corpus: Corpus,
        *,
        n_documents: int,
        n_batches: int,
        n_epochs: int,
        held_out: HeldOutDocuments | None = None,
        measures_bound: bool = True,
        history=(),
    ):
        self.svi, self.corpus = svi, corpus
        self.n_documents, self.n_batches = n_documents, n_batches
        if svi.rounds is not None:
            svi.rounds.n_batches = n_batches
        self.n_epochs = n_epochs
        self.held_out, self.measures_bound = held_out, measures_bound
        self.history, self.epoch = list(history), 0
        self.early_stopping = EarlyStopping(svi.config.n_iter_no_change)
        self._prior_chain = PriorChain(
            corpus, svi.config.n_topics, svi.learns_alpha_by_chain, svi.seed
        )
        self._first_step = svi.optimizer.n_steps

    def resume(self, progress: Progress) -> None:
        """Continue from the progress of an equal training."""
        self.svi.restore(progress.state)
        self.history, self.epoch = progress.history, progress.epoch
        self.early_stopping = progress.early_stopping
        self._prior_chain.restore(progress.prior_chain)
        self._follow_cooldown()

    def progress(self) -> Progress:
        """The present progress."""
        history = [record.copy() for record in self.history]
        return Progress(
            self.svi.state(),
            history,
            self.epoch,
            self.early_stopping,
            self._prior_chain.draws(),
        )

    @property
    def finished(self) -> bool:
        """Whether no epoch is left."""
        stopping, n_epochs = self.early_stopping, self.n_epochs
        if stopping.cooldown is not None:
            n_epochs = min(n_epochs, stopping.cooldown[-1])
        elif stopping.is_stale and not self._has_plateau:
            return True
        return self.epoch >= n_epochs

    @property
    def started(self) -> bool:
        """Whether a step has been taken."""
        return self.svi.optimizer.n_steps > self._first_step

    def next_epoch(self) -> dict:
        """Train for an epoch, and return its measurements.

        Returns
        -------
        record : dict
            'epoch', 'bound' and, with early stopping, 'validation_score'.

        Raises
        ------
        FloatingPointError
            If the bound or the model is not finite.
        """
        self._end_plateau()
        record = {"epoch": len(self.history) + 1, "bound": self._train()}
        self._check_finite(record)
        self.epoch += 1
        self.history.append(record)
        if self.held_out is not None:
            totals = self.held_out.log_likelihood(self.inference())
            log_p, n_words = self.svi.communicator.add(*totals)
            score = record["validation_score"] = log_p / n_words
            self.early_stopping.update(score, self.svi.state)
        return record

    def best_state(self) -> State:
        """The present state; with early stopping the state of the best epoch."""
        return self.early_stopping.best or self.svi.state()

    def repair(self) -> None:
        """Make the state valid after an interrupt in the middle of a step."""
        # The other parts that a step changes are always valid.
        self.svi.lda.topics.apply_decay()

    def finish(self) -> float:
        """Restore the best state; return its evidence bound, NaN if not measured."""
        if self.early_stopping.best is not None:
            self.svi.restore(self.early_stopping.best)
        return self._evidence_bound() if self.measures_bound else np.nan

    def inference(self) -> Inference:
        """Inference of documents under the present model."""
        lda, config = self.svi.lda, self.svi.config
        regression = None if lda.coefficients is None else (lda.alpha, lda.coefficients)
        return Inference(
            lda.encoder.eval(),
            lda.topics,
            config.objective,
            lda.alpha,
            config.n_refine,
            regression,
        )

    def _train(self) -> float:
        """Train for one epoch, and return the training bound in nats per word.

        The bound is measured in every eighth step, at the encoder's gamma and the
        topics before the step. If the objective splits words, gamma is inferred from
        one half of the words, so the bound is looser than `score`.
        """
        svi = self.svi
        rng = np.random.default_rng([svi.seed, svi.optimizer.n_steps])
        own_rng = svi.communicator.own_rng(rng)
        seed = int(own_rng.integers(2**62))
        chain_rng = np.random.default_rng([seed, 1])
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
            times = before, svi.optimizer.time
            searches = svi.schedule.searches_duplicates(*times)
            learns = svi.config.learn_eta and svi.schedule.runs_chain(*times)
            svi.end_round(required=searches or learns)
            if searches:
                self._prior_chain.merge_and_split(svi.merge_and_split(rng))
            if learns:
                svi.learn_priors(self._prior_chain, chain_rng)
        svi.end_epoch(self.n_documents)
        bound, n_words = svi.communicator.add(bound, n_words)
        return bound / n_words if n_words else 0.0

    @property
    def _has_plateau(self):
        return isinstance(self.svi.schedule, Plateau)

    def _end_plateau(self):
        """Start the cooldown if the score is stale, or half of the epochs are over."""
        stopping = self.early_stopping
        if not self._has_plateau or stopping.cooldown is not None:
            return
        left = self.n_epochs - self.epoch
        if stopping.is_stale:
            # As long as the plateau: 10 + 10 epochs have the perplexity of a fit of 20
            # without a plateau (1585), 15 + 5 epochs a higher one (1593; 20NG, 3,000
            # documents, K = 20).
            left = min(self.epoch, left)
        elif self.epoch < self.n_epochs // 2:
            return
        time, n_batches = self.svi.optimizer.time, left * self.n_batches
        stopping.cooldown = time, n_batches, self.epoch + left
        self._follow_cooldown()

    def _follow_cooldown(self):
        if self.early_stopping.cooldown is not None:
            start, n_batches, _ = self.early_stopping.cooldown
            self.svi.set_schedule(self.svi.schedule.cool_down(start, n_batches))

    def _steps(self):
        """Number of batches that each step of an epoch merges."""
        svi, n_ranks = self.svi, self.svi.communicator.size
        if svi.config.batch_size is not None:
            return [1] * (self.n_batches // n_ranks)
        return svi.schedule.steps(svi.optimizer.time, self.n_batches, n_ranks)

    def _check_finite(self, record):
        # The bound covers an eighth of the steps, so the model is checked too.
        if np.isfinite(record["bound"]) and self.svi.is_finite():
            return
        raise FloatingPointError(
            f"Training diverged in epoch {record['epoch']}: the bound is "
            f"{record['bound']}, or a parameter of the model is not finite. Lower "
            "learning_rate_init, raise batch_size, or scale X down."
        )

    def _evidence_bound(self) -> float:
        """The ELBO of the corpus, in nats.

        sum_d E_q[log p(w_d, z_d, theta_d | beta)] + entropies - KL(q(beta) || p(beta)),
        with geometric means of theta and beta (Hoffman et al. 2010, eq. 4).
        """
        topics = self.svi.lda.topics
        corpus = self.corpus.without_labels()
        bounds = self.inference().bound(corpus, topics.geometric_mean)
        (total,) = self.svi.communicator.add(corpus.total(bounds))
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
        # Summed over ranks, so that all ranks stop together.
        if any(training.svi.communicator.add(any(stops))):
            break
