"""What is learned, and one step of learning it. Knows nothing of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from ._batches import BatchMaker, SplitBatch
from ._corpus import Corpus
from ._distributed import Alone, Peers
from ._distributions import arithmetic_mean, geometric_mean
from ._encoder import load_encoder
from ._inference import Inference, document_bound
from ._model import LDAProgram, topic_distributions
from ._objectives import OBJECTIVES
from ._schedules import Schedule
from ._topics import Topics
from ._word_table import WordTable

# A topic whose alpha is learned to zero could never come back.
_ALPHA_RANGE = (1e-3, 5.0)
# The training bound is a report, not a gradient: an eighth of the steps will do.
_STEPS_A_BOUND = 8


@dataclass(frozen=True)
class Config:
    """What does not change during training.

    Attributes
    ----------
    objective : str
        A key of `OBJECTIVES`.
    learn_alpha, learn_eta : bool
        Whether the priors are learned, from where `State` has them; eta as one number.
    learning_rate : float
        Of the encoder.
    schedule : Schedule
        Rates of the topics, the encoder and alpha.
    n_refine : int
        E-step refinements before the topics' statistics are taken.
    batch_size : int
        Documents a batch.
    device : torch.device
    encoder : 'mlp', 'transformer' or callable
        See `load_encoder`.
    several_at_once : bool
        Whether late steps take several batches at once.
    """

    objective: str
    learn_alpha: bool
    learn_eta: bool
    learning_rate: float
    schedule: Schedule
    n_refine: int
    batch_size: int
    device: torch.device
    encoder: str | Callable = "mlp"
    dtype: torch.dtype = torch.float32
    several_at_once: bool = False


@dataclass(frozen=True)
class State:
    """Everything that training changes, as NumPy arrays and numbers.

    Attributes
    ----------
    components : ndarray of shape (n_topics, n_features)
        lambda, the topics' Dirichlet parameters.
    alpha : ndarray of shape (n_topics,)
        Dirichlet prior of theta, as learned so far.
    eta : ndarray broadcastable to (n_topics, n_features)
        Dirichlet prior of the topics, as learned so far.
    encoder : dict of ndarray
        Weights of the encoder.
    optimizer : dict of ndarray
        Moments and step counts of Adam and of the word table; may be empty.
    seed : int
        All randomness is drawn from (seed, n_batch_iter).
    n_batch_iter : int
        Steps taken.
    time : int
        Batches that they took.
    tried : tuple of int
        Topics that recycling has split in this training.
    """

    components: np.ndarray
    alpha: np.ndarray
    eta: np.ndarray
    encoder: dict
    seed: int
    optimizer: dict = field(default_factory=dict)
    n_batch_iter: int = 0
    time: int = 0
    tried: tuple = ()


class Learner:
    """A `State` brought to life on a device.

    Parameters
    ----------
    config : Config
    state : State
    peers : Peers or None
        Other processes that train the same, on documents of their own.
    """

    def __init__(self, config: Config, state: State, peers: Peers | None = None):
        self.config = config
        self.peers = peers or Alone()
        self.generator = torch.Generator(config.device)
        self.objective = OBJECTIVES[config.objective](config.n_refine, self.generator)
        self.restore(self.peers.broadcast(state))

    def restore(self, state: State) -> None:
        """Take up a state."""
        factory = {"dtype": self.config.dtype, "device": self.config.device}
        self.seed, self.n_batch_iter = state.seed, state.n_batch_iter
        self.time = state.time
        self.alpha = torch.tensor(state.alpha, **factory)
        self.topics = Topics(state.components, state.eta, tried=state.tried, **factory)
        self.encoder = load_encoder(
            state.encoder,
            kind=self.config.encoder,
            training=True,
            generator=self.generator,
            **factory,
        )
        self.peers.join(self.encoder)
        self.table = WordTable(state.encoder["words"], state.optimizer, **factory)
        self.adam = torch.optim.Adam(
            self.encoder.parameters(), self.config.learning_rate, fused=True
        )
        self._restore_adam(state.optimizer)

    def epoch(self, corpus: Corpus, total_samples: float) -> float:
        """One pass over the documents in random order.

        Parameters
        ----------
        corpus : Corpus
            The documents.
        total_samples : float
            Documents they stand for, each as often as it counts.

        Returns
        -------
        bound : float
            Lower bound on log p(w_d | alpha, beta) in nats per word, at the encoder's
            gamma, each batch under the topics it came upon; measured on every eighth
            batch. An objective that splits documents infers gamma from one half of
            the words only, so its bound is looser than that of `score`.
        """
        rng = np.random.default_rng([self.seed, self.n_batch_iter])
        own_rng = self.peers.own_rng(rng)
        self.generator.manual_seed(int(own_rng.integers(2**62)))
        steps = self._steps(corpus.n_batches(self.config.batch_size))
        batches = BatchMaker(corpus, self.config.dtype, self.config.device)
        batches = batches.shuffled(steps, own_rng, split=self.objective.splits)
        plate_size = total_samples * corpus.n_documents / corpus.total()
        self.encoder.train()
        total, n_words = 0.0, 0.0
        for i, (at_once, batch) in enumerate(zip(steps, batches)):
            measured = i % _STEPS_A_BOUND == 0
            bound = self.step(batch, total_samples, plate_size, measured, at_once)
            if measured:
                total += bound
                lengths = batch.whole.weighted(batch.whole.lengths)
                n_words += float(lengths.cpu().sum(dtype=torch.float64))
            if self.config.schedule.recycles(self.time - at_once, self.time):
                self._recycle(rng)
        if self.config.learn_eta:
            self.topics.learn_eta()
        self.topics.settle()
        self.peers.synchronize(self.encoder)
        total, n_words = self.peers.sum(total, n_words)
        return total / max(n_words, 1.0)

    def _steps(self, n_batches):
        """Batches that each step of an epoch takes at once."""
        if not self.config.several_at_once:
            return [1] * n_batches
        return self.config.schedule.steps(self.time, n_batches)

    def step(
        self,
        batch: SplitBatch,
        total_samples: float,
        plate_size: float | None = None,
        measured=False,
        at_once: int = 1,
    ):
        """One step of the encoder, the topics and alpha on the same ELBO.

        Parameters
        ----------
        batch : SplitBatch
            Some documents.
        total_samples : float
            Documents in the corpus, each as often as it counts.
        plate_size : float, default=total_samples
            The same with each once.
        measured : bool
            Whether to return the bound.
        at_once : int
            Batches that this one stands for: it takes the way of so many steps.

        Returns
        -------
        bound : float or None
            If `measured`, the sum over the documents of what `epoch` averages.
        """
        objective, alpha = self.objective, self.alpha
        whole, observed = batch.whole, batch.observed
        meeting = self.peers.meet(whole)
        excess, total = self.topics.excess(whole.vocabulary), self.topics.total
        lam = excess + self.topics.eta(whole.vocabulary)
        beta = objective.beta_mean(lam, total).requires_grad_()
        rows = self.table.rows(whole.vocabulary).requires_grad_()

        outputs = self.encoder(observed, rows)
        gamma = objective.concentration(outputs, observed, alpha)
        q_theta = objective.posterior(outputs, gamma)
        gamma, bound = gamma.detach(), None
        with torch.no_grad():
            lesson = objective.lesson(gamma, batch, beta, alpha)
            if measured:
                mean = arithmetic_mean(lam, total)
                bounds = document_bound(gamma, whole, mean, alpha)
                bound = float(whole.weighted(bounds).sum())

        p_beta, q_beta = topic_distributions(
            self.topics, whole, lam, beta, with_kl=False
        )
        program = LDAProgram(
            batch=whole,
            p_beta=p_beta,
            q_beta=q_beta,
            p_theta=objective.prior(alpha),
            q_theta=q_theta,
            plate_size=(plate_size or total_samples) * meeting.share,
            beta_derivative=lesson.beta_derivative,
        )
        # Per document, so that the encoder's gradient does not grow with the corpus.
        (program.loss() / total_samples).backward()
        # dELBO / dE[log beta] = beta dELBO / dbeta: expected counts in each topic.
        statistics = (beta.detach() * beta.grad).mul_(-float(total_samples))
        words, rows, excess, statistics, alpha_ratio = meeting.pool(
            self, whole.vocabulary, rows, excess, statistics, lesson.alpha_ratio
        )
        self._step_encoder(words, rows, at_once)
        rate = self.config.schedule.topics(self.time, at_once)
        self.topics.natural_gradient_step(words, excess, statistics, rate)
        self._step_alpha(alpha_ratio, at_once)
        self.n_batch_iter += 1
        self.time += at_once
        return bound

    def _step_encoder(self, words, rows, at_once):
        rate = self.config.schedule.encoder(self.time, at_once)
        rate *= self.config.learning_rate
        self.table.step(words, rows, rate)
        self.adam.param_groups[0]["lr"] = rate
        self.adam.step()
        self.adam.zero_grad()

    def _step_alpha(self, ratio, at_once):
        if self.config.learn_alpha:
            rate = self.config.schedule.alpha(self.time, at_once)
            self.alpha = (self.alpha * ratio**rate).clamp(*_ALPHA_RANGE)

    def _recycle(self, rng):
        moves = self.topics.recycle(rng)
        self.encoder.recycle(moves, self.topics.n_topics)
        if self.config.learn_alpha:
            for freed, twin, split in moves:
                self.alpha[twin] += self.alpha[freed]
                self.alpha[[freed, split]] = self.alpha[split] / 2

    def inference(self, n_refine: int) -> Inference:
        """Inference of documents under what is learned so far."""
        return Inference(
            self.encoder.eval(),
            self.table.rows,
            self.objective,
            lambda words: arithmetic_mean(
                self.topics.concentration(words), self.topics.total
            ),
            self.alpha,
            n_refine,
        )

    def evidence_bound(self, corpus: Corpus, n_refine: int) -> float:
        """The ELBO of a corpus, in nats.

        sum_d E_q[log p(w_d, z_d, theta_d | beta)] + entropies - KL(q(beta) || p(beta)),
        with geometric means of theta and beta (Hoffman et al. 2010, eq. 4).
        """
        documents = self.inference(n_refine).bound(
            corpus.counts,
            lambda words: geometric_mean(
                self.topics.concentration(words), self.topics.total
            ),
        )
        return corpus.total(documents) - self.topics.kl()

    def state(self) -> State:
        """A copy of all that was learned."""
        words, moments = self.table.state()
        weights = self.encoder.state_dict().items()
        adam = {
            f"{name}.{key}": _to_numpy(value)
            for name, parameter in self.encoder.named_parameters()
            for key, value in self.adam.state[parameter].items()
        }
        return State(
            components=self.topics.components(),
            alpha=_to_numpy(self.alpha),
            eta=self.topics.prior,
            encoder={"words": words} | {k: _to_numpy(value) for k, value in weights},
            optimizer=moments | adam,
            seed=self.seed,
            n_batch_iter=self.n_batch_iter,
            time=self.time,
            tried=tuple(sorted(self.topics.tried)),
        )

    def _restore_adam(self, arrays):
        # From zeros where there is nothing, as Adam itself would at its first step:
        # an interrupt there could leave some moments without the others.
        device = self.config.device
        for name, parameter in self.encoder.named_parameters():
            zeros = np.zeros(parameter.shape, np.float32)
            initial = {"step": np.float32(0.0), "exp_avg": zeros, "exp_avg_sq": zeros}
            for key, value in initial.items():
                value = torch.tensor(arrays.get(f"{name}.{key}", value), device=device)
                dtype = torch.float32 if key == "step" else parameter.dtype
                self.adam.state[parameter][key] = value.to(dtype)


def _to_numpy(value: torch.Tensor) -> np.ndarray:
    return value.cpu().numpy().copy()
