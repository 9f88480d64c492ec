"""One step of stochastic variational inference on Pyro's ELBO.

Input: a mini-batch. Output: changed topics, encoder and alpha. Pyro's handlers run the
guide and the model, the ELBO's backward pass stores gradients in the encoder and the
topics, and the optimizers apply the gradients.
"""

from __future__ import annotations

import numpy as np
import torch
from pyro.infer import TraceMeanField_ELBO

from ..data.batches import SplitBatch
from ..encoder.weights import encoder_arrays, load_encoder
from ..inference.bounds import document_bound
from ..model import doc_topic_prior, prior_regression
from ..model.distributions import arithmetic_mean
from ..model.lda import LDA
from ..model.merge_split import merge_and_split
from ..model.objectives import OBJECTIVES
from ..model.topics import Topics
from ..runtime.pyro_context import isolated_pyro
from ..runtime.torch_context import seeded_torch
from .communicator import SingleProcess
from .config import Config
from .optimizers import Optimizer
from .prior_chain import PriorChain
from .rounds import Rounds
from .schedules import Schedule
from .state import State


class SVI:
    """Stochastic variational inference of one `LDA`.

    Parameters
    ----------
    config : Config
    state : State
        The initial state.
    schedule : Schedule
    communicator : SingleProcess or Communicator, default=SingleProcess()
    n_documents : float
        Number of documents in the corpus.
    total_weight : float
        Sum of the documents' weights.

    Attributes
    ----------
    lda : LDA
    optimizer : Optimizer
    rounds : Rounds or None
        None with one process.
    """

    _elbo = TraceMeanField_ELBO(max_plate_nesting=1)

    def __init__(
        self,
        config: Config,
        state: State,
        schedule: Schedule,
        communicator=None,
        *,
        n_documents: float,
        total_weight: float,
    ):
        self.config, self.schedule = config, schedule
        self.communicator = communicator or SingleProcess()
        self.n_documents, self.total_weight = n_documents, total_weight
        distributed = self.communicator.size > 1
        self.rounds = Rounds(self.communicator) if distributed else None
        self.restore(self.communicator.broadcast(state))

    def restore(self, state: State) -> None:
        """Continue from a state."""
        config = self.config
        self.seed = state.seed
        self.n_seen = state.n_seen
        self.already_split = set(state.already_split)
        encoder = load_encoder(
            state.encoder,
            kind=config.encoder,
            n_features=config.n_features,
            n_labels=config.n_labels,
            training=True,
            **config.tensors,
        )
        self.lda = LDA(
            Topics(
                state.components,
                state.eta,
                n_labels=state.n_labels,
                **config.tensors,
            ),
            encoder,
            OBJECTIVES[config.objective],
            torch.tensor(state.alpha, **config.tensors),
            self._coefficients(state),
            n_documents=self.n_documents,
            total_weight=self.total_weight,
        )
        self.optimizer = Optimizer(
            self.lda,
            self.schedule,
            config.learning_rate,
            # With eta, the Markov chain learns alpha.
            learn_alpha=config.learn_alpha and not self.learns_alpha_by_chain,
            moments=state.optimizer,
            n_steps=state.n_batch_iter,
            time=state.time,
        )

    def set_schedule(self, schedule: Schedule) -> None:
        """Continue at the rates of another schedule."""
        self.schedule = self.optimizer.schedule = schedule

    def state(self) -> State:
        """A copy of all that training changes."""
        return State(
            components=self.lda.topics.components(),
            alpha=self.lda.alpha.cpu().numpy().copy(),
            coefficients=None
            if self.lda.coefficients is None
            else self.lda.coefficients.cpu().numpy().copy(),
            eta=self.lda.topics.prior,
            encoder=encoder_arrays(self.lda.encoder),
            optimizer=self.optimizer.moments(),
            seed=self.seed,
            n_batch_iter=self.optimizer.n_steps,
            time=self.optimizer.time,
            n_seen=self.n_seen,
            n_labels=self.config.n_labels,
            already_split=tuple(sorted(self.already_split)),
        )

    def step(
        self, batch: SplitBatch, seed: int, n_merged: int = 1, measured: bool = False
    ) -> float | None:
        """One step of the encoder, the topics and alpha.

        Parameters
        ----------
        batch : SplitBatch
        seed : int
            Seed of draws of theta and of draws in a user's module.
        n_merged : int, default=1
            Number of batches that were merged into this batch.
        measured : bool, default=False
            Whether to return the bound.

        Returns
        -------
        bound : float or None
            If `measured`, the sum over the documents of `document_bound` before the
            step, at the encoder's gamma.
        """
        n_batches = n_merged * self.communicator.size
        # Not around the backward pass, so that other threads wait for the trace only.
        with isolated_pyro(), seeded_torch(seed, self.config.device):
            loss = self._elbo.differentiable_loss(self.lda.model, self.lda.guide, batch)
        loss.backward()
        bound = self._bound(batch.whole) if measured else None
        rate = self.schedule.topics(self.optimizer.time, n_batches)
        self.optimizer.step(n_batches)
        if self.rounds is not None:
            self.rounds.add(batch.whole.vocabulary, rate)
        return bound

    def end_round(self, required: bool = False) -> None:
        """Average the models of the ranks, if it is required or the round is over."""
        if self.rounds is not None and (required or self.rounds.is_over):
            self.rounds.average(self.lda, self.optimizer)

    def merge_and_split(self, rng: np.random.Generator) -> list:
        """Merge duplicate topics and split others, in lambda, encoder and alpha.

        Returns
        -------
        moves : list
            From `merge_split.merge_and_split`.
        """
        moves = merge_and_split(self.lda.topics, self.already_split, rng)
        self.lda.encoder.merge_and_split(moves, self.config.n_topics)
        if self.config.learn_alpha:
            doc_topic_prior.merge_and_split(self.lda.alpha, moves)
        if self.lda.coefficients is not None:
            prior_regression.merge_and_split(self.lda.coefficients, moves)
        return moves

    def learn_priors(self, chain: PriorChain, rng: np.random.Generator) -> None:
        """Learn eta by a run of a Markov chain; alpha too, if steps do not learn it.

        Parameters
        ----------
        chain : PriorChain
            With the documents of this process.
        rng : numpy.random.Generator
        """
        topics, alpha = self.lda.topics, self.lda.alpha.cpu().double().numpy()
        coefficients = self.lda.coefficients
        if coefficients is not None:
            coefficients = coefficients.cpu().double().numpy()
        present = np.log([*alpha, topics.prior])
        learned = chain.run(topics, alpha, rng, coefficients)
        logs = present + self.schedule.prior_rate * (learned - present)
        (logs,) = self.communicator.average([torch.from_numpy(logs)])
        *alpha, eta = np.exp(logs.numpy())
        if self.learns_alpha_by_chain:
            self.lda.alpha = torch.tensor(alpha, **self.config.tensors)
        topics.set_prior(np.asarray(eta))

    def end_epoch(self, n_documents: int) -> None:
        """End a round, and apply the topics' decay.

        Parameters
        ----------
        n_documents : int
            Number of documents of the epoch on all ranks.
        """
        self.end_round(required=True)
        self.n_seen += n_documents
        self.lda.topics.apply_decay()

    def is_finite(self) -> bool:
        """Whether topics, alpha and encoder are finite."""
        tensors = [self.lda.topics.sizes, self.lda.alpha]
        if self.lda.coefficients is not None:
            tensors.append(self.lda.coefficients)
        tensors += self.lda.encoder.state_dict().values()
        return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)

    @property
    def learns_alpha_by_chain(self):
        """Whether `learn_priors` learns alpha; with covariates the steps learn it."""
        config = self.config
        return config.learn_alpha and config.learn_eta and not config.n_covariates

    def _coefficients(self, state):
        if state.coefficients is None:
            return None
        return torch.tensor(state.coefficients, **self.config.tensors)

    @torch.no_grad()
    def _bound(self, batch) -> float:
        inferred = self.lda.inferred
        posterior = inferred.topics.posterior
        mean = arithmetic_mean(posterior.concentration.t(), posterior.total)
        bounds = document_bound(inferred.gamma, batch, mean, inferred.alpha)
        return float(batch.weighted(bounds).sum())
