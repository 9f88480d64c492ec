"""The objectives: what stands for theta and beta in a batch's ELBO.

================  =====================  ===============  ============================
objective         theta                  beta             topics learn from
================  =====================  ===============  ============================
completion        arithmetic mean        arithmetic mean  the half of the words that
                                                          theta has not seen
collapsed         arithmetic mean        arithmetic mean  counts, each word's own
                                                          responsibility taken out
bound             geometric mean         geometric mean   the textbook's counts
sampled           Dirichlet draw         geometric mean   the derivative at the draw
logistic_normal   logistic-normal draw   geometric mean   the derivative at the draw
================  =====================  ===============  ============================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from pyro.distributions import Dirichlet
from torch.nn import functional as F

from ._batches import Batch, SplitBatch
from ._distributions import (
    LogisticNormal,
    PointDirichlet,
    SampledDirichlet,
    arithmetic_mean,
    geometric_mean,
    unnormalized_mean,
)
from ._inference import RELAXATION, refine
from ._kernels import (
    pair_products,
    sum_by_word,
    sum_over_documents,
    sum_over_words,
)

# exp(20) is more words than a document has, and far from what float32 cannot hold.
_LARGEST_OUTPUT = 20.0


@dataclass(frozen=True)
class Lesson:
    """What a batch teaches the topics and alpha.

    Attributes
    ----------
    beta_derivative : callable or None
        Stands for the likelihood's derivative in beta (see `BagOfWords`).
    alpha_ratio : Tensor of shape (n_topics,)
        Factor by which the batch would have alpha changed; 1 is no change.
    """

    beta_derivative: Callable | None
    alpha_ratio: torch.Tensor


class Bound:
    """The evidence lower bound of Blei et al. (2003), free of sampling noise.

    Jensen's inequality at the optimal q(z): the geometric means of theta and beta.
    Topics learn from gamma after `n_refine` steps of the classical E-step.
    """

    outputs_per_topic = 1
    splits = False
    theta_mean = theta_weights = staticmethod(geometric_mean)
    beta_mean = staticmethod(geometric_mean)

    def __init__(self, n_refine: int, generator: torch.Generator):
        self.n_refine, self.generator = n_refine, generator

    @staticmethod
    def prior(alpha):
        """p(theta)."""
        return Dirichlet(alpha, validate_args=False)

    @staticmethod
    def concentration(outputs, batch: Batch, alpha):
        """gamma from the encoder's outputs, shape (n_documents, n_topics)."""
        counts = torch.exp(outputs.clamp(-_LARGEST_OUTPUT, _LARGEST_OUTPUT))
        return alpha + torch.where(batch.lengths.unsqueeze(1) > 0, counts, 0.0)

    def posterior(self, outputs, gamma):
        """q(theta), whose draw is what the likelihood sees.

        Made of the encoder's outputs or of the gamma that they stand for.
        """
        return PointDirichlet(gamma, self.theta_mean(gamma))

    def lesson(self, gamma, batch: SplitBatch, beta, alpha) -> Lesson:
        """What the topics and alpha learn from a batch, given the encoder's gamma."""
        gamma = self._refined(gamma, batch.observed, beta, alpha, self.n_refine)
        theta, hidden = self.theta_mean(gamma), batch.hidden
        ratios = hidden.counts / pair_products(theta, beta, hidden)

        def beta_derivative(weights):
            weighted = weights.index_select(0, hidden.documents) * ratios
            return sum_over_documents(weighted, theta, hidden)

        return Lesson(beta_derivative, self.alpha_ratio(gamma, alpha, batch.whole))

    def _refined(self, gamma, batch: Batch, beta, alpha, n_steps):
        weights = self.theta_weights
        return refine(gamma, batch, beta, alpha, weights, n_steps, RELAXATION)

    @staticmethod
    def alpha_ratio(gamma, alpha, batch: Batch):
        """By what factor the bound's optimal alpha differs from alpha.

        The fixed point digamma(alpha_k) = digamma(sum_j alpha_j) + mean_d
        E_q[log theta_dk] (Minka 2000, eq. 9; Blei et al. 2003, A.4.2).
        """
        expected_log = torch.digamma(gamma) - torch.digamma(gamma.sum(1, keepdim=True))
        n_documents = batch.weighted(torch.ones_like(batch.lengths)).sum()
        mean = batch.weighted(expected_log).sum(0) / n_documents
        target = mean + torch.digamma(alpha.sum())
        return _inverse_digamma(target) / alpha


class Completion(Bound):
    """Topics learn from the words that their document's posterior has not seen.

    In each batch every document's words are split at random. Encoder and refinement
    read one half. The encoder is trained to explain the whole document; the topics and
    alpha take their statistics from the other half alone, scaled up to the whole. No
    word explains itself, so the statistics do not flatter the topics that a document
    already has: what the own-word correction of CVB0 does to first order, this does
    exactly. It is how topic models are evaluated, document completion.
    """

    splits = True
    theta_mean = staticmethod(arithmetic_mean)
    theta_weights = staticmethod(unnormalized_mean)
    beta_mean = staticmethod(arithmetic_mean)

    def lesson(self, gamma, batch: SplitBatch, beta, alpha) -> Lesson:
        observed, hidden = batch.observed, batch.hidden
        gamma = self._refined(gamma, observed, beta, alpha, self.n_refine)
        ratios = hidden.counts / pair_products(gamma, beta, hidden)
        hidden_lengths = hidden.weighted(hidden.lengths)
        n_hidden = hidden_lengths.sum().clamp_min(1.0)
        scale = 1.0 + observed.weighted(observed.lengths).sum() / n_hidden

        def beta_derivative(weights):
            weighted = scale * weights.index_select(0, hidden.documents) * ratios
            return sum_over_documents(weighted, gamma, hidden)

        # d/dalpha_k log p(hidden | observed) = sum_d [m_dk / gamma_dk - m_d / sum_j
        # gamma_dj], m_dk the hidden words of topic k: zero where the ratio is one, as
        # in the leave-one-out estimate of Minka (2000, section 4).
        per_gamma = sum_by_word(hidden.weighted_entries(ratios), hidden) @ beta
        expected = (hidden_lengths / gamma.sum(1)).sum()
        ratio = per_gamma / expected.clamp_min(torch.finfo(gamma.dtype).tiny)
        return Lesson(beta_derivative, ratio)


class Collapsed(Bound):
    """The zeroth-order expansion of the collapsed bound (CVB0, Asuncion et al. 2009).

    Arithmetic means take the place of geometric ones, and topics learn from
    responsibilities that leave a word's own previous one out of its document's counts
    (stochastic form: Foulds et al. 2013). Predicts better than the bound, above all on
    short documents, and is not itself a bound.
    """

    theta_mean = staticmethod(arithmetic_mean)
    theta_weights = staticmethod(unnormalized_mean)
    beta_mean = staticmethod(arithmetic_mean)

    def lesson(self, gamma, batch: SplitBatch, beta, alpha) -> Lesson:
        batch = batch.whole
        gamma = self._refined(gamma, batch, beta, alpha, self.n_refine - 1)
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

        def beta_derivative(weights):
            weighted = weights.index_select(0, batch.documents) * ratios
            every = sum_over_documents(weighted, refined, batch)
            return every - beta * sum_over_documents(weighted * own, gamma, batch)

        return Lesson(beta_derivative, self.alpha_ratio(refined, alpha, batch))


class Sampled(Bound):
    """Monte-Carlo ELBO: theta drawn by the pathwise Dirichlet gradient.

    beta stays at its geometric mean, which bounds E_q(beta)[log theta . beta] below
    for every theta, so the objective is an ELBO without the noise of V draws a topic.
    """

    def posterior(self, outputs, gamma):
        return SampledDirichlet(gamma, self.generator)

    def lesson(self, gamma, batch: SplitBatch, beta, alpha) -> Lesson:
        return Lesson(None, self.alpha_ratio(gamma, alpha, batch.whole))


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

    def posterior(self, outputs, gamma):
        mu, raw_sigma = outputs.chunk(2, dim=1)
        return LogisticNormal(mu, F.softplus(raw_sigma) + 1e-3, self.generator)


def _inverse_digamma(y):
    # Minka (2000), appendix C: a start within 0.1 % and Newton from there.
    x = torch.where(y >= -2.22, torch.exp(y) + 0.5, -1.0 / (y + 0.5772157))
    for _ in range(4):
        x = x - (torch.digamma(x) - y) / torch.polygamma(1, x)
    return x


OBJECTIVES = {
    "completion": Completion,
    "collapsed": Collapsed,
    "bound": Bound,
    "sampled": Sampled,
    "logistic_normal": LogisticNormalSampled,
}
