"""The optimizers: natural gradient, row-wise RMSprop and Adam.

Input: the gradients that the ELBO's backward pass has stored in the topics, the word
embedding and the encoder. Output: new values of the topics, the embedding, the encoder
and alpha.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from pyro.optim import PyroOptim

from ..encoder.word_embedding import WordEmbedding
from ..kernels.rows import scatter_rows
from ..model import doc_topic_prior, prior_regression
from ..model.lda import LDA
from ..model.topics import TopicRows, Topics
from .schedules import Schedule

# Adam's learning rate of the coefficients of covariates, by the rate of alpha. Adam
# changes a number by at most its rate in a step, at first by 0.02.
_COEFFICIENT_RATE = 0.4
# torch imports a part of itself, and sympy, at the first step of an optimizer.
torch.optim.Adam([torch.zeros(1, device="cpu")]).step()


@dataclass(frozen=True)
class Gradients:
    """The gradients and statistics of a batch.

    Attributes
    ----------
    words : Tensor of shape (n_words,)
        The distinct words of the batch.
    expected_counts : Tensor of shape (n_words, n_topics)
        Statistics of the topics, scaled to the corpus.
    embedding : Tensor of shape (n_words, n_row) or None
        Gradient of the embedding's rows; None if the encoder has no embedding.
    encoder : list of Tensor
        Gradients of the encoder's parameters; summed over ranks in place.
    alpha_ratio : Tensor of shape (n_topics,)
        Factor from alpha to the alpha that fits the batch.
    coefficients : Tensor of shape (n_covariates, n_topics) or None
        Derivative of the objective in the coefficients of covariates.
    """

    words: torch.Tensor
    expected_counts: torch.Tensor
    embedding: torch.Tensor | None
    encoder: list
    alpha_ratio: torch.Tensor
    coefficients: torch.Tensor | None


class NaturalGradient:
    """Natural-gradient steps of lambda on the ELBO.

    The natural gradient is the gradient of the ELBO in lambda times the inverse Fisher
    information of q(beta). It is eta + S - lambda, where S = dELBO / dE_q[log beta] are
    the expected counts of the words (Hoffman et al. 2013, eq. 24). A step of size rho
    is lambda <- (1 - rho) lambda + rho (eta + S).

    Parameters
    ----------
    topics : Topics
    """

    def __init__(self, topics: Topics):
        self.topics = topics

    @staticmethod
    def expected_counts(rows: TopicRows, scale: float):
        """S over the words of a batch, from the gradient of the ELBO in beta.

        dELBO / dE[log beta] = beta dELBO / dbeta. `scale` is the sum of the documents'
        weights, by which the loss was divided.
        """
        beta = rows.beta
        return (beta.detach() * beta.grad).mul_(-scale)

    def step(self, rows: TopicRows, expected_counts, step_size: float) -> None:
        """Take a step; `expected_counts` is S over `rows`, and S is zero elsewhere."""
        self.topics.interpolate(rows, expected_counts, step_size)


class RowwiseRMSprop:
    """RMSprop with one second moment for each row of an embedding.

    One moment for each row takes less memory traffic than Adam's two for each number
    (as row-wise Adagrad, Naumov et al. 2019). The moment of a row decays only if its
    word occurs in the batch, so the cost of a step does not follow the vocabulary.

    Parameters
    ----------
    embedding : WordEmbedding
    moments : dict of ndarray
        'embedding.square' of shape (n_features,) and 'embedding.step' from an earlier
        training, or empty.
    """

    _DECAY, _EPSILON = 0.999, 1e-8
    # Factor of the encoder's learning rate. With this factor perplexity and accuracy
    # are equal to those of Adam or better (20NG, AGNews; 2 seeds).
    _RATE = 1.7

    def __init__(self, embedding: WordEmbedding, moments: dict, *, dtype, device):
        self.embedding = embedding
        square = moments.get("embedding.square", np.zeros(len(embedding), np.float32))
        self._square = torch.tensor(square, dtype=dtype, device=device)
        self._step = int(moments.get("embedding.step", 0))

    @torch.no_grad()
    def step(self, words, gradient, learning_rate: float) -> None:
        """Take a step for the rows of some distinct words."""
        square = self.gather(words)
        # The norm avoids a matrix of squares.
        mean_square = torch.linalg.vector_norm(gradient, dim=1).square_()
        mean_square /= gradient.shape[1]
        square = torch.lerp(mean_square, square, self._DECAY)
        self._step += 1
        unbiased = square / (1.0 - self._DECAY**self._step)
        rates = self._RATE * learning_rate / (unbiased.sqrt() + self._EPSILON)
        rows = self.embedding.gathered_rows(words)
        rows.addcmul_(gradient, rates.unsqueeze(1), value=-1.0)
        self.scatter(words, square)
        self.embedding.scatter(words, rows)

    def gather(self, words):
        """The moments of some words, shape (n_words,)."""
        return self._square.index_select(0, words)

    def scatter(self, words, moments) -> None:
        """Replace the moments of some distinct words."""
        scatter_rows(self._square, words, moments)

    def moments(self) -> dict:
        """Copies of the moments."""
        square = self._square.cpu().numpy().copy()
        return {"embedding.square": square, "embedding.step": np.asarray(self._step)}


class Optimizer(PyroOptim):
    """All optimizers of an `LDA`, at the rates of a schedule.

    Natural gradient updates the topics, row-wise RMSprop the word embedding, Adam the
    encoder and the coefficients of covariates, and a multiplicative fixed point alpha.

    `pyro.infer.SVI` accepts an `Optimizer`, with a differentiable loss:
    ``SVI(lda.model, lda.guide, optimizer, TraceMeanField_ELBO().differentiable_loss)``.

    Parameters
    ----------
    lda : LDA
    schedule : Schedule
    learning_rate : float
        Learning rate of the encoder.
    learn_alpha : bool, default=True
        Whether steps change alpha.
    moments : dict of ndarray, default=None
        From the method `moments` of an earlier training.
    n_steps, time : int, default=0
        Steps of the earlier training, and the number of batches in these steps.
    """

    def __init__(
        self,
        lda: LDA,
        schedule: Schedule,
        learning_rate: float,
        *,
        learn_alpha: bool = True,
        moments=None,
        n_steps: int = 0,
        time: int = 0,
    ):
        super().__init__(torch.optim.Adam, {"lr": learning_rate})
        moments = moments or {}
        self.lda, self.schedule, self.learning_rate = lda, schedule, learning_rate
        self.learn_alpha = learn_alpha
        self.n_steps, self.time = n_steps, time
        self.natural_gradient = NaturalGradient(lda.topics)
        self.rmsprop = None
        if lda.encoder.embedding is not None:
            tensors = {"dtype": lda.alpha.dtype, "device": lda.alpha.device}
            self.rmsprop = RowwiseRMSprop(lda.encoder.embedding, moments, **tensors)
        groups = [{"params": list(lda.encoder.parameters())}]
        if lda.coefficients is not None:
            groups.append({"params": [lda.coefficients]})
        self.adam = torch.optim.Adam(groups, learning_rate, fused=True)
        self._restore_adam(moments)

    def __call__(self, params=(), *args, **kwargs) -> None:
        """Take a step, called by `pyro.infer.SVI`."""
        self.step()

    def step(self, n_merged: int = 1) -> None:
        """Apply the gradients of the latest batch.

        Parameters
        ----------
        n_merged : int, default=1
            Number of batches that were merged into the latest batch.
            With ranks, of all ranks.
        """
        gradients = self._gradients()
        rate = self.schedule.alpha(self.time, n_merged)
        # A rate of 0 means that the topics are not yet distinct.
        if gradients.coefficients is not None and rate > 0.0:
            self._set_gradient_of_coefficients(gradients.coefficients, rate)
        self._step_encoder(gradients, n_merged)
        self._step_topics(gradients, n_merged)
        if self.learn_alpha:
            ratio = gradients.alpha_ratio
            self.lda.alpha = doc_topic_prior.update(self.lda.alpha, ratio, rate)
        self.n_steps += 1
        self.time += n_merged

    def moments(self) -> dict:
        """Copies of the moments and step counts, by the names of the parameters."""
        moments = self.rmsprop.moments() if self.rmsprop else {}
        for name, parameter in self._of_adam().items():
            for key, value in self.adam.state[parameter].items():
                moments[f"{name}.{key}"] = value.cpu().numpy().copy()
        return moments

    def averaged(self) -> list:
        """Tensors that ranks average: encoder, coefficients, and moments of Adam."""
        tensors = list(self.lda.encoder.state_dict().values())
        if self.lda.coefficients is not None:
            tensors.append(self.lda.coefficients)
        for parameter in self._of_adam().values():
            moments = self.adam.state[parameter]
            tensors += [moments["exp_avg"], moments["exp_avg_sq"]]
        return [tensor for tensor in tensors if tensor.is_floating_point()]

    def _gradients(self) -> Gradients:
        inferred, encoder = self.lda.inferred, self.lda.encoder
        embedding = None
        if encoder.embedding is not None:
            embedding = encoder.embedding.gathered[1].grad
        return Gradients(
            words=inferred.topics.words,
            expected_counts=self.natural_gradient.expected_counts(
                inferred.topics, self.lda.total_weight
            ),
            embedding=embedding,
            encoder=[p.grad for p in encoder.parameters() if p.grad is not None],
            alpha_ratio=inferred.statistics.alpha_ratio,
            coefficients=inferred.statistics.coefficients,
        )

    def _of_adam(self) -> dict:
        """The parameters that Adam changes, by name."""
        parameters = dict(self.lda.encoder.named_parameters())
        if self.lda.coefficients is not None:
            parameters["coefficients"] = self.lda.coefficients
        return parameters

    def _set_gradient_of_coefficients(self, gradient, rate):
        coefficients = self.lda.coefficients
        coefficients.grad = prior_regression.loss_gradient(
            gradient, coefficients, self.lda.total_weight
        )
        self.adam.param_groups[1]["lr"] = _COEFFICIENT_RATE * rate

    def _step_encoder(self, gradients, n_merged):
        rate = self.learning_rate * self.schedule.encoder(self.time, n_merged)
        if self.rmsprop is not None:
            self.rmsprop.step(gradients.words, gradients.embedding, rate)
        self.adam.param_groups[0]["lr"] = rate
        self.adam.step()
        self.adam.zero_grad()

    def _step_topics(self, gradients, n_merged):
        rows = self.lda.inferred.topics
        rho = self.schedule.topics(self.time, n_merged)
        self.natural_gradient.step(rows, gradients.expected_counts, rho)

    def _restore_adam(self, moments):
        # Zeros for missing moments, which are Adam's initial values: after an interrupt
        # in the first step some parameters may have no moments.
        for name, parameter in self._of_adam().items():
            zeros = np.zeros(parameter.shape, np.float32)
            initial = {"step": np.float32(0.0), "exp_avg": zeros, "exp_avg_sq": zeros}
            for key, value in initial.items():
                value = torch.tensor(
                    moments.get(f"{name}.{key}", value), device=parameter.device
                )
                dtype = torch.float32 if key == "step" else parameter.dtype
                self.adam.state[parameter][key] = value.to(dtype)
