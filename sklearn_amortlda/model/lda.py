"""LDA and its mean-field guide, as a Pyro program.

    beta_k  ~ Dirichlet(eta)          k in topics
    theta_d ~ Dirichlet(alpha_d)      d in documents
    w_dn    ~ Categorical(theta_d . beta)

alpha_d is alpha, or with covariates that of `prior_regression`.

Input: a mini-batch. Output: the sample sites of `model` and `guide`, for any ELBO of
Pyro with analytic divergences.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyro
import torch
from pyro import poutine

from ..data.batches import SplitBatch
from .likelihood import BagOfWords
from .prior_regression import alpha_of_documents
from .statistics import Statistics
from .topics import TopicRows, Topics


@dataclass(frozen=True)
class Inferred:
    """The guide's results for its latest batch.

    Attributes
    ----------
    topics : TopicRows
        The topics over the batch's words. The ELBO's backward pass stores its gradient
        in `topics.beta`.
    gamma : Tensor of shape (n_documents, n_topics)
        Dirichlet parameters of the documents from the encoder, before refinement.
    statistics : Statistics
        Sufficient statistics for the topics and alpha.
    alpha : Tensor of shape (n_topics,) or (n_documents, n_topics)
        Prior of the documents.
    """

    topics: TopicRows
    gamma: torch.Tensor
    statistics: Statistics
    alpha: torch.Tensor


class LDA:
    """Latent Dirichlet Allocation with amortized mean-field variational inference.

    The guide has two factors: q(beta_k) = Dirichlet(lambda_k), stored in `topics`, and
    q(theta_d), whose parameters the encoder computes from document d. The plate of
    documents scales a batch to the corpus. All terms are divided by the sum of the
    documents' weights, so that the encoder's gradient does not grow with the corpus.

    Parameters
    ----------
    topics : Topics
        q(beta) and the prior eta.
    encoder : Encoder
        Computes the parameters of q(theta) from a batch.
    objective : type
        One of `OBJECTIVES`.
    alpha : Tensor of shape (n_topics,)
        Dirichlet prior of theta.
    coefficients : Tensor of shape (n_covariates, n_topics), default=None
        Coefficients of the documents' covariates; None without covariates.
    n_documents : float
        Documents in the corpus.
    total_weight : float, default=n_documents
        Sum of the documents' weights.
    with_topic_kl : bool, default=False
        Whether the ELBO has the term KL(q(beta) || p(beta)). Training omits the term,
        because its natural gradient is known: eta - lambda.

    Attributes
    ----------
    inferred : Inferred or None
        Results for the latest batch; None before the first batch.
    """

    def __init__(
        self,
        topics: Topics,
        encoder,
        objective,
        alpha,
        coefficients=None,
        *,
        n_documents: float,
        total_weight: float | None = None,
        with_topic_kl: bool = False,
    ):
        self.topics, self.encoder, self.objective = topics, encoder, objective
        self.alpha, self.coefficients = alpha, coefficients
        self.n_documents = n_documents
        self.total_weight = total_weight or n_documents
        self.with_topic_kl = with_topic_kl
        self.inferred: Inferred | None = None
        self._handlers = {}

    def model(self, batch: SplitBatch):
        """p(beta) p(theta) p(words | theta, beta)."""
        inferred = self.inferred
        with self._topics_plate(), self._scale():
            beta = pyro.sample("beta", self._masked(inferred.topics.prior))
        with self._documents_plate(batch.whole), self._scale(batch.whole.weights):
            prior = self.objective.prior(inferred.alpha)
            theta = pyro.sample("theta", prior)
            words = BagOfWords(theta, beta, batch.whole, inferred.statistics.evidence)
            pyro.sample("words", words, obs=batch.whole.counts)

    def guide(self, batch: SplitBatch):
        """q(beta) q(theta); Pyro runs it before the model."""
        topics = self.topics.gather(batch.whole.vocabulary, self.objective.beta_mean)
        with self._topics_plate(), self._scale():
            pyro.sample("beta", self._masked(topics.posterior))
        outputs, alpha = self.encoder(batch.read), self.prior_of(batch.whole)
        gamma = self.objective.gamma(outputs, batch.read, alpha)
        with self._documents_plate(batch.whole), self._scale(batch.whole.weights):
            pyro.sample("theta", self.objective.posterior(outputs, gamma))
        self.inferred = self._infer(topics, gamma.detach(), batch, alpha)

    @torch.no_grad()
    def prior_of(self, batch):
        """alpha of the documents: one for all, or with covariates one for each."""
        if self.coefficients is None:
            return self.alpha
        return alpha_of_documents(self.alpha, self.coefficients, batch.covariates)

    @torch.no_grad()
    def _infer(self, topics, gamma, batch, alpha) -> Inferred:
        beta = topics.beta.detach()
        statistics = self.objective.statistics(gamma, batch, beta, alpha)
        return Inferred(topics, gamma, statistics, alpha)

    def _masked(self, distribution):
        return distribution if self.with_topic_kl else distribution.mask(False)

    def _topics_plate(self):
        return self._plate("topics", self.topics.n_topics)

    def _documents_plate(self, batch):
        return self._plate("documents", self.n_documents, batch.shape[0])

    def _plate(self, name, size, n_rows=None):
        """A plate, created once for each name and size, because creation is slow."""
        key = name, n_rows
        if key not in self._handlers:
            rows = None if n_rows is None else torch.arange(n_rows, device="cpu")
            size = size if n_rows is None else max(size, n_rows)
            # Creating a plate adds a site to the trace, unless the plate is blocked.
            with poutine.block():
                self._handlers[key] = pyro.plate(name, size, subsample=rows)
        return self._handlers[key]

    def _scale(self, weights=None):
        """A handler that divides by the total weight, and applies document weights."""
        if weights is not None:
            return poutine.scale(scale=weights / self.total_weight)
        if "scale" not in self._handlers:
            self._handlers["scale"] = poutine.scale(scale=1.0 / self.total_weight)
        return self._handlers["scale"]
