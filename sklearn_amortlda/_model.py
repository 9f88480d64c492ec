"""LDA as a Pyro program, and its ELBO on one mini-batch.

    beta_k  ~ Dirichlet(eta)          k in topics
    theta_d ~ Dirichlet(alpha)        d in documents
    w_dn    ~ Categorical(theta_d . beta)

The guide is mean-field: q(beta_k) = Dirichlet(lambda_k) and q(theta_d) whatever the
encoder says of document d. The plate of documents scales a batch to the corpus.
"""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pyro
import torch
from pyro import poutine
from pyro.distributions import TorchDistribution
from pyro.distributions.score_parts import ScoreParts
from pyro.infer import TraceMeanField_ELBO

from ._bag_of_words import BagOfWords
from ._batches import Batch
from ._distributions import TopicWords


class WrittenELBO(TraceMeanField_ELBO):
    """Pyro's mean-field ELBO of traces that are written down, not recorded.

    Pyro records a trace by handlers on one stack for the whole process: two threads
    inside it at once see each other's sites, and a caller's own handlers see ours. The
    program is fixed, so its traces are known without running it; that also halves what
    Pyro adds to a step. Equal bit for bit to `TraceMeanField_ELBO` on
    `LDAProgram.model` and `LDAProgram.guide`.
    """

    def _get_trace(self, model, guide, args, kwargs):
        guide_trace = guide()
        return model(guide_trace), guide_trace


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
    plate_size : float
        Documents in the corpus that the batch stands for.
    beta_derivative : callable or None
        See `BagOfWords`.
    """

    batch: Batch
    p_beta: TorchDistribution
    q_beta: TorchDistribution
    p_theta: TorchDistribution
    q_theta: TorchDistribution
    plate_size: float
    beta_derivative: object = None

    def model(self):
        """p(beta) p(theta) p(w | theta, beta)."""
        with self._topics():
            beta = pyro.sample("beta", self.p_beta)
        with self._documents():
            theta = pyro.sample("theta", self.p_theta)
            pyro.sample("words", self._words(theta, beta), obs=self.batch.counts)

    def guide(self):
        """q(beta) q(theta)."""
        with self._topics():
            pyro.sample("beta", self.q_beta)
        with self._documents():
            pyro.sample("theta", self.q_theta)

    def loss(self):
        """-ELBO of the corpus as estimated from the batch, differentiable, in nats."""
        elbo = WrittenELBO(max_plate_nesting=1)
        return elbo.differentiable_loss(self._model_trace, self._guide_trace)

    def _words(self, theta, beta):
        return BagOfWords(theta, beta, self.batch, self.beta_derivative)

    def _topics(self):
        return pyro.plate("topics", self.q_beta.batch_shape[0])

    @contextmanager
    def _documents(self):
        rows = torch.arange(self.batch.shape[0], device=self.batch.lengths.device)
        with ExitStack() as stack:
            stack.enter_context(pyro.plate("documents", self._size, subsample=rows))
            if self.batch.weights is not None:
                stack.enter_context(poutine.scale(scale=self.batch.weights))
            yield

    @property
    def _size(self):
        return max(self.plate_size, self.batch.shape[0])

    @property
    def _scale(self):
        """What the plate of documents and the weights multiply their terms by."""
        weights = 1.0 if self.batch.weights is None else self.batch.weights
        return weights * self._size / self.batch.shape[0]

    def _model_trace(self, guide_trace):
        beta, theta = (guide_trace.nodes[name]["value"] for name in ("beta", "theta"))
        scale, words = self._scale, self._words(theta, beta)
        p_theta = self.p_theta.expand(words.batch_shape)
        trace = poutine.Trace()
        _write(trace, "beta", self.p_beta, beta)
        _write(trace, "theta", p_theta, theta, scale)
        _write(trace, "words", words, self.batch.counts, scale, is_observed=True)
        # Not by `compute_log_prob`, which looks for NaN here and in the gradients:
        # an epoch whose bound is none ends training anyway.
        log_prob = words.log_prob(self.batch.counts)
        trace.nodes["words"]["log_prob_sum"] = (scale * log_prob).sum()
        return trace

    def _guide_trace(self):
        trace = poutine.Trace()
        _write(trace, "beta", self.q_beta, self.q_beta())
        _write(trace, "theta", self.q_theta, self.q_theta(), self._scale)
        return trace


def _write(trace, name, fn, value, scale=1.0, *, is_observed=False):
    trace.add_node(
        name,
        type="sample",
        name=name,
        fn=fn,
        value=value,
        scale=scale,
        mask=None,
        is_observed=is_observed,
        args=(),
        kwargs={},
        infer={},
        # Densities of latent sites are not needed: their divergences are analytic.
        # Pyro only checks that there is no score-function term; if it used the others
        # after all, the loss would say so.
        score_parts=ScoreParts(math.nan, 0, math.nan),
    )


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
