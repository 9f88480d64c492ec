"""LDA and its mean-field guide, as a Pyro program.

    beta_k  ~ Dirichlet(eta)          k in topics
    theta_d ~ Dirichlet(alpha)        d in documents
    w_dn    ~ Categorical(theta_d . beta)

Input: a mini-batch. Output: the sample sites of `model` and `guide`, which any ELBO
of Pyro with analytic divergences takes.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass

import pyro
import torch
from pyro import poutine

from ..data.batches import SplitBatch
from .likelihood import BagOfWords
from .statistics import Statistics
from .topics import TopicRows, Topics


@dataclass(frozen=True)
class Inferred:
    """What the guide has inferred from its latest batch.

    Attributes
    ----------
    topics : TopicRows
        The topics over the batch's words; the ELBO's backward pass leaves its gradient
        in them.
    gamma : Tensor of shape (n_documents, n_topics)
        The encoder's Dirichlet parameters of the documents.
    statistics : Statistics
        Sufficient statistics for the topics and alpha.
    """

    topics: TopicRows
    gamma: torch.Tensor
    statistics: Statistics


class LDA:
    """Latent Dirichlet Allocation with amortized mean-field variational inference.

    The guide is q(beta_k) = Dirichlet(lambda_k), stored in `topics`, and q(theta_d) as
    the encoder computes it from document d. The plate of documents scales a batch to
    the corpus. All terms are divided by the number of documents, so that the encoder's
    gradient does not grow with the corpus.

    Parameters
    ----------
    topics : Topics
        q(beta) and the prior eta.
    encoder : Encoder
        From a batch to the parameters of q(theta).
    objective : type
        One of `OBJECTIVES`.
    alpha : Tensor of shape (n_topics,)
        Dirichlet prior of theta.
    n_documents : float
        Documents in the corpus.
    total_weight : float, default=n_documents
        Sum of the documents' weights.
    with_topic_kl : bool, default=False
        Whether the ELBO has the term KL(q(beta) || p(beta)). Training leaves the term
        out, because its natural gradient is known: eta - lambda.

    Attributes
    ----------
    inferred : Inferred
        Of the latest batch.
    """

    def __init__(
        self,
        topics: Topics,
        encoder,
        objective,
        alpha,
        *,
        n_documents: float,
        total_weight: float | None = None,
        with_topic_kl: bool = False,
    ):
        self.topics, self.encoder, self.objective = topics, encoder, objective
        self.alpha = alpha
        self.n_documents = n_documents
        self.total_weight = total_weight or n_documents
        self.with_topic_kl = with_topic_kl
        self.inferred: Inferred | None = None
        self._plates = {}

    def model(self, batch: SplitBatch):
        """p(beta) p(theta) p(words | theta, beta)."""
        inferred = self.inferred
        with self._topics():
            beta = pyro.sample("beta", self._masked(inferred.topics.prior))
        with self._documents(batch.whole):
            theta = pyro.sample("theta", self.objective.prior(self.alpha))
            words = BagOfWords(theta, beta, batch.whole, inferred.statistics.evidence)
            pyro.sample("words", words, obs=batch.whole.counts)

    def guide(self, batch: SplitBatch):
        """q(beta) q(theta); Pyro runs it before the model."""
        topics = self.topics.gather(batch.whole.vocabulary, self.objective.beta_mean)
        with self._topics():
            pyro.sample("beta", self._masked(topics.posterior))
        outputs = self.encoder(batch.observed)
        gamma = self.objective.gamma(outputs, batch.observed, self.alpha)
        with self._documents(batch.whole):
            pyro.sample("theta", self.objective.posterior(outputs, gamma))
        self.inferred = self._infer(topics, gamma.detach(), batch)

    @torch.no_grad()
    def _infer(self, topics, gamma, batch) -> Inferred:
        beta = topics.beta.detach()
        statistics = self.objective.statistics(gamma, batch, beta, self.alpha)
        return Inferred(topics, gamma, statistics)

    def _masked(self, distribution):
        return distribution if self.with_topic_kl else distribution.mask(False)

    @contextmanager
    def _topics(self):
        plate = self._plate("topics", self.topics.n_topics)
        with plate, poutine.scale(scale=1.0 / self.total_weight):
            yield

    @contextmanager
    def _documents(self, batch):
        plate = self._plate("documents", self.n_documents, batch.shape[0])
        weights = 1.0 if batch.weights is None else batch.weights
        with plate, poutine.scale(scale=weights / self.total_weight):
            yield

    def _plate(self, name, size, n_rows=None):
        """A plate, reused: Pyro takes 0.1 ms to make one."""
        key = name, n_rows
        if key not in self._plates:
            rows = None if n_rows is None else torch.arange(n_rows, device="cpu")
            size = size if n_rows is None else max(size, n_rows)
            # A plate is a site of its own when it is made; the traces do without it.
            with poutine.block():
                self._plates[key] = pyro.plate(name, size, subsample=rows)
        return self._plates[key]
