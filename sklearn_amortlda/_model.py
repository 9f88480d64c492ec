"""LDA as a Pyro program, and its ELBO on one mini-batch.

    beta_k  ~ Dirichlet(eta)          k in topics
    theta_d ~ Dirichlet(alpha)        d in documents
    w_dn    ~ Categorical(theta_d . beta)

The guide is mean-field: q(beta_k) = Dirichlet(lambda_k) and q(theta_d) whatever the
encoder says of document d. The plate of documents scales a batch to the corpus.
"""

from __future__ import annotations

import math
import os
import threading
from dataclasses import dataclass

import pyro
import torch
from pyro import poutine
from pyro.distributions import TorchDistribution
from pyro.distributions.score_parts import ScoreParts
from pyro.infer import TraceMeanField_ELBO
from pyro.poutine.util import prune_subsample_sites

from ._bag_of_words import BagOfWords
from ._batches import Batch
from ._distributions import TopicWords

# Pyro's handler stack is one list for the whole process: two threads inside it at once
# would see each other's sites.
_handlers = threading.Lock()


def _renew_lock():
    # A fork taken while another thread holds the lock would leave it locked for ever.
    global _handlers
    _handlers = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


class AnalyticELBO(TraceMeanField_ELBO):
    """Pyro's mean-field ELBO without the densities that it does not use.

    Every latent site has an analytic divergence here, yet Pyro would evaluate its
    density under model and guide as well: an eighth of a training step.
    """

    def _get_trace(self, model, guide, args, kwargs):
        guide_trace = poutine.trace(guide).get_trace(*args, **kwargs)
        for name in guide_trace.stochastic_nodes:
            # Pyro only checks that there is no score-function term; if it used the
            # densities after all, the loss would say so.
            unused = ScoreParts(math.nan, 0, math.nan)
            guide_trace.nodes[name]["score_parts"] = unused
        replayed = poutine.replay(model, trace=guide_trace)
        model_trace = poutine.trace(replayed).get_trace(*args, **kwargs)
        model_trace = prune_subsample_sites(model_trace)
        model_trace.compute_log_prob(lambda name, site: site["is_observed"])
        return model_trace, prune_subsample_sites(guide_trace)


@dataclass(frozen=True)
class LDAProgram:
    """Model and guide of one mini-batch.

    Attributes
    ----------
    batch : Batch
        The observed documents.
    p_beta, q_beta : TopicWords
        Prior and posterior of the topics over the batch's words.
    p_theta, q_theta : distribution over the simplex
        Prior, and posterior of the batch's documents.
    total_samples : int
        Size of the corpus the batch stands for.
    beta_derivative : callable or None
        See `BagOfWords`.
    """

    batch: Batch
    p_beta: TorchDistribution
    q_beta: TorchDistribution
    p_theta: TorchDistribution
    q_theta: TorchDistribution
    total_samples: int
    beta_derivative: object = None

    def model(self):
        """p(beta) p(theta) p(w | theta, beta)."""
        with self._topics():
            beta = pyro.sample("beta", self.p_beta)
        with self._documents():
            theta = pyro.sample("theta", self.p_theta)
            words = BagOfWords(theta, beta, self.batch, self.beta_derivative)
            pyro.sample("words", words, obs=self.batch.counts)

    def guide(self):
        """q(beta) q(theta)."""
        with self._topics():
            pyro.sample("beta", self.q_beta)
        with self._documents():
            pyro.sample("theta", self.q_theta)

    def _topics(self):
        return pyro.plate("topics", self.q_beta.batch_shape[0])

    def _documents(self):
        n_documents = self.batch.shape[0]
        rows = torch.arange(n_documents, device=self.batch.lengths.device)
        size = max(self.total_samples, n_documents)
        return pyro.plate("documents", size, subsample=rows)

    def loss(self):
        """-ELBO of the corpus as estimated from the batch, differentiable, in nats."""
        elbo = AnalyticELBO(max_plate_nesting=1)
        # block: a caller's own handlers must neither see nor change these sites.
        with _handlers, poutine.block():
            return elbo.differentiable_loss(self.model, self.guide)


def topic_distributions(topics, batch: Batch, lam, beta, *, with_kl: bool):
    """p(beta) and q(beta) over a batch's words, for an `LDAProgram`.

    Parameters
    ----------
    topics : Topics
        The variational posterior.
    batch : Batch
        Its words are the ones looked at.
    lam : Tensor of shape (n_words, n_topics)
        lambda of those words.
    beta : Tensor of shape (n_words, n_topics)
        What stands for beta in the likelihood.
    with_kl : bool
        False leaves KL(q(beta) || p(beta)) out of the loss. Training does: its natural
        gradient is known, eta - lambda, and needs no evaluation.
    """
    lam = lam.t()
    eta = topics.eta(batch.vocabulary).t().expand_as(lam)
    q = TopicWords(lam, topics.total, topics.n_features, beta.t())
    p = TopicWords(eta, topics.eta_total, topics.n_features)
    return (p, q) if with_kl else (p.mask(False), q.mask(False))
