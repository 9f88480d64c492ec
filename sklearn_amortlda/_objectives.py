"""The objectives: what stands for theta and beta in a batch's ELBO.

================  =====================  ===============  ============================
objective         theta                  beta             topics learn from
================  =====================  ===============  ============================
collapsed         arithmetic mean        arithmetic mean  counts, each word's own
                                                          responsibility taken out
bound             geometric mean         geometric mean   the textbook's counts
sampled           Dirichlet draw         geometric mean   the derivative at the draw
logistic_normal   logistic-normal draw   geometric mean   the derivative at the draw
================  =====================  ===============  ============================
"""

from __future__ import annotations

import torch
from pyro.distributions import Dirichlet
from torch.nn import functional as F

from ._batches import Batch
from ._distributions import (
    LogisticNormal,
    PointDirichlet,
    SampledDirichlet,
    arithmetic_mean,
    geometric_mean,
)
from ._inference import refine
from ._kernels import pair_products, sum_over_documents, sum_over_words


class Bound:
    """The evidence lower bound of Blei et al. (2003), free of sampling noise.

    Jensen's inequality at the optimal q(z): the geometric means of theta and beta.
    Topics learn from gamma after `n_refine` steps of the classical E-step.
    """

    outputs_per_topic = 1
    theta_mean = staticmethod(geometric_mean)
    beta_mean = staticmethod(geometric_mean)

    def __init__(self, n_refine: int, generator: torch.Generator):
        self.n_refine, self.generator = n_refine, generator

    @staticmethod
    def prior(alpha):
        """p(theta)."""
        return Dirichlet(alpha, validate_args=False)

    @staticmethod
    def concentration(outputs, batch: Batch, alpha):
        """gamma from the encoder's outputs, shape (n_documents, n_topics).

        At the optimum gamma sums to sum(alpha) plus the document's length, so the
        encoder need only say how the length is shared out.
        """
        return alpha + batch.lengths.unsqueeze(1) * torch.softmax(outputs, 1)

    def posterior(self, outputs, batch: Batch, alpha):
        """q(theta), whose draw is what the likelihood sees."""
        gamma = self.concentration(outputs, batch, alpha)
        return PointDirichlet(gamma, self.theta_mean(gamma))

    def beta_derivative(self, gamma, batch: Batch, beta, alpha):
        """What stands for the likelihood's derivative in beta (see `BagOfWords`)."""
        gamma = refine(gamma, batch, beta, alpha, self.theta_mean, self.n_refine)
        theta = self.theta_mean(gamma)
        ratios = batch.counts / pair_products(theta, beta, batch)

        def derivative(weights):
            weighted = weights.index_select(0, batch.documents) * ratios
            return sum_over_documents(weighted, theta, batch)

        return derivative


class Collapsed(Bound):
    """The zeroth-order expansion of the collapsed bound (CVB0, Asuncion et al. 2009).

    Arithmetic means take the place of geometric ones, and topics learn from
    responsibilities that leave a word's own previous one out of its document's counts
    (stochastic form: Foulds et al. 2013). Predicts better than the bound, above all on
    short documents, and is not itself a bound.
    """

    theta_mean = staticmethod(arithmetic_mean)
    beta_mean = staticmethod(arithmetic_mean)

    def beta_derivative(self, gamma, batch: Batch, beta, alpha):
        gamma = refine(gamma, batch, beta, alpha, self.theta_mean, self.n_refine - 1)
        # The responsibility of a word is r_k = gamma_k beta_k / n. After one more step
        # its document counts are `refined`, in which r is contained once for each
        # occurrence of the word: the new one, without its own, is proportional to
        # (refined_k - r_k) beta_k. Products with beta and beta^2 give all of it
        # without an array of non-zeros x topics.
        products = pair_products(gamma, beta, batch)
        refined = alpha + gamma * sum_over_words(batch.counts / products, beta, batch)
        own = batch.counts.clamp_max(1.0) / products
        norms = pair_products(refined, beta, batch)
        norms = norms - own * pair_products(gamma, beta.square(), batch)
        ratios = batch.counts / norms.clamp_min(torch.finfo(norms.dtype).tiny)

        def derivative(weights):
            weighted = weights.index_select(0, batch.documents) * ratios
            every = sum_over_documents(weighted, refined, batch)
            return every - beta * sum_over_documents(weighted * own, gamma, batch)

        return derivative


class Sampled(Bound):
    """Monte-Carlo ELBO: theta drawn by the pathwise Dirichlet gradient.

    beta stays at its geometric mean, which bounds E_q(beta)[log theta . beta] below
    for every theta, so the objective is an ELBO without the noise of V draws a topic.
    """

    def posterior(self, outputs, batch: Batch, alpha):
        gamma = self.concentration(outputs, batch, alpha)
        return SampledDirichlet(gamma, self.generator)

    def beta_derivative(self, gamma, batch: Batch, beta, alpha):
        return None


class LogisticNormalSampled(Sampled):
    """Monte-Carlo ELBO with a logistic-normal posterior (Srivastava & Sutton 2017).

    The prior is the Laplace approximation of Dirichlet(alpha).
    """

    outputs_per_topic = 2

    @staticmethod
    def prior(alpha):
        return LogisticNormal.laplace(alpha)

    @staticmethod
    def concentration(outputs, batch: Batch, alpha):
        # A Dirichlet's Laplace approximation has mu = log gamma up to a constant; the
        # length of the document says which constant.
        mu, _ = outputs.chunk(2, dim=1)
        total = alpha.sum() + batch.lengths.unsqueeze(1)
        gamma = (total * torch.softmax(mu, 1)).clamp_min(1e-6)
        return torch.where(batch.lengths.unsqueeze(1) > 0, gamma, alpha)

    def posterior(self, outputs, batch: Batch, alpha):
        mu, raw_sigma = outputs.chunk(2, dim=1)
        return LogisticNormal(mu, F.softplus(raw_sigma) + 1e-3, self.generator)


OBJECTIVES = {
    "collapsed": Collapsed,
    "bound": Bound,
    "sampled": Sampled,
    "logistic_normal": LogisticNormalSampled,
}
