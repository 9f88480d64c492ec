"""The objectives: which expectations of theta and beta a batch's ELBO uses.

Input: the output of the encoder. Output: gamma and the posterior q(theta).

================  =====================  ===============
objective         theta                  beta
================  =====================  ===============
completion        arithmetic mean        arithmetic mean
bound             geometric mean         geometric mean
sampled           Dirichlet draw         geometric mean
logistic_normal   logistic-normal draw   geometric mean
================  =====================  ===============

`statistics` has the statistics from which the topics and alpha are learned.
"""

from __future__ import annotations

import math

import torch
from pyro.distributions import Dirichlet
from torch.nn import functional as F

from ..data.batches import Batch
from . import statistics
from .distributions import (
    DirichletPrior,
    LogisticNormal,
    PointDirichlet,
    arithmetic_mean,
    geometric_mean,
)

# exp(20) exceeds the length of any document and is far below float32's maximum.
_MAX_OUTPUT = 20.0


class Bound:
    """The evidence lower bound of Blei et al. (2003), without sampling noise.

    Jensen's inequality at the optimal q(z) gives the geometric means of theta and beta.
    """

    outputs_per_topic = 1
    splits_words = False
    theta_mean = staticmethod(geometric_mean)
    beta_mean = staticmethod(geometric_mean)
    statistics = staticmethod(statistics.bound_statistics)

    @staticmethod
    def prior(alpha):
        """p(theta)."""
        return DirichletPrior(alpha)

    @staticmethod
    def initial_output(mean_length: float, n_topics: int) -> float:
        """Output of the encoder before training: log of the words per topic.

        At most 0, because a larger initial output makes topics less coherent (20NG).
        """
        return min(math.log(mean_length / n_topics), 0.0)

    @staticmethod
    def gamma(outputs, batch: Batch, alpha):
        """Dirichlet parameters of q(theta_d), shape (n_documents, n_topics)."""
        counts = torch.exp(outputs.clamp(-_MAX_OUTPUT, _MAX_OUTPUT))
        return alpha + torch.where(batch.lengths.unsqueeze(1) > 0, counts, 0.0)

    @classmethod
    def posterior(cls, outputs, gamma):
        """q(theta), whose draw the likelihood uses."""
        return PointDirichlet(gamma, cls.theta_mean(gamma))


class Completion(Bound):
    """The likelihood at arithmetic means, with statistics from held-out words.

    In each batch the words of every document are split at random. The encoder and the
    refinement read one half. The encoder is trained on the likelihood of the whole
    document. The topics and alpha take their statistics from the other half, scaled to
    the whole document. So a word does not contribute to the posterior that assigns the
    word to topics. CVB0 removes this contribution to first order. The split is that of
    document completion (Wallach et al. 2009), a standard evaluation of topic models.
    """

    splits_words = True
    theta_mean = staticmethod(arithmetic_mean)
    beta_mean = staticmethod(arithmetic_mean)
    statistics = staticmethod(statistics.completion_statistics)


class Sampled(Bound):
    """Monte-Carlo ELBO with pathwise gradients through a Dirichlet draw of theta.

    beta is at its geometric mean, which bounds E_q(beta)[log theta . beta] from below
    for every theta. So the objective is an ELBO without the noise of draws of beta.
    """

    statistics = staticmethod(statistics.draw_statistics)

    @staticmethod
    def posterior(outputs, gamma):
        return Dirichlet(gamma, validate_args=False)


class LogisticNormalSampled(Sampled):
    """Monte-Carlo ELBO with a logistic-normal posterior (Srivastava & Sutton 2017).

    The prior is the Laplace approximation of Dirichlet(alpha).
    """

    outputs_per_topic = 2

    @staticmethod
    def initial_output(mean_length, n_topics):
        # The softmax of mu has no scale.
        return 0.0

    @staticmethod
    def prior(alpha):
        return LogisticNormal.laplace(alpha)

    @staticmethod
    def gamma(outputs, batch: Batch, alpha):
        # In the Laplace approximation of a Dirichlet mu = log gamma up to a constant.
        # The length of the document determines the constant.
        mu, _ = outputs.chunk(2, dim=1)
        total = alpha.sum(-1, keepdim=True) + batch.lengths.unsqueeze(1)
        gamma = (total * torch.softmax(mu, 1)).clamp_min(1e-6)
        return torch.where(batch.lengths.unsqueeze(1) > 0, gamma, alpha)

    @staticmethod
    def posterior(outputs, gamma):
        mu, raw_sigma = outputs.chunk(2, dim=1)
        return LogisticNormal(mu, F.softplus(raw_sigma) + 1e-3)


OBJECTIVES = {
    "completion": Completion,
    "bound": Bound,
    "sampled": Sampled,
    "logistic_normal": LogisticNormalSampled,
}
