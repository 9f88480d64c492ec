"""Pyro distributions over the simplex: Dirichlets and the logistic normal.

Input: the parameters of a posterior or prior. Output: draws for the likelihood, and
analytic divergences, which are registered with torch for pairs of types.
"""

from __future__ import annotations

import math

import torch
from pyro.distributions import Dirichlet, TorchDistribution
from torch.distributions import constraints, kl_divergence, register_kl


def arithmetic_mean(concentration, total=None):
    """E[p] of Dirichlet(concentration).

    `total` is the sum over the last axis; None computes the sum.
    """
    if total is None:
        total = concentration.sum(-1, keepdim=True)
    return concentration / total


def geometric_mean(concentration, total=None):
    """exp(E[log p]) of Dirichlet(concentration), over the last axis; sums to < 1."""
    if total is None:
        total = concentration.sum(-1, keepdim=True)
    log_mean = torch.digamma(concentration) - torch.digamma(total)
    # digamma(0.01) is -100, and float32 would round exp(-100) to zero.
    floor = 0.9 * math.log(torch.finfo(concentration.dtype).tiny)
    return torch.exp(log_mean.clamp_min(floor))


class _DirichletKL(torch.autograd.Function):
    """KL(Dirichlet(gamma) || Dirichlet(alpha)), differentiable in gamma.

    The derivative is explicit: autograd would evaluate twice as many special functions.
    """

    @staticmethod
    def forward(ctx, gamma, alpha):
        total, difference = gamma.sum(-1, keepdim=True), gamma - alpha
        expected_log = torch.digamma(gamma) - torch.digamma(total)
        ctx.save_for_backward(gamma, total, difference)
        divergence = (difference * expected_log).sum(-1)
        return divergence + log_normalizer(gamma) - log_normalizer(alpha)

    @staticmethod
    def backward(ctx, gradient):
        gamma, total, difference = ctx.saved_tensors
        slope = difference * torch.polygamma(1, gamma)
        slope -= difference.sum(-1, keepdim=True) * torch.polygamma(1, total)
        return gradient.unsqueeze(-1) * slope, None


def log_normalizer(concentration):
    """log Gamma(sum_k a_k) - sum_k log Gamma(a_k) over the last axis."""
    return torch.lgamma(concentration.sum(-1)) - torch.lgamma(concentration).sum(-1)


def dirichlet_kl(gamma, alpha):
    """KL(Dirichlet(gamma_d) || Dirichlet(alpha)) of each document d, in nats.

    Parameters
    ----------
    gamma : Tensor of shape (n_documents, n_topics)
        Parameters of the posteriors.
    alpha : Tensor of shape (n_topics,) or (n_documents, n_topics)
        Parameters of the prior.
    """
    return _DirichletKL.apply(gamma, alpha)


class DirichletPrior(Dirichlet):
    """One Dirichlet for all documents, whose normalizer is computed once.

    With covariates each document has its own.

    Parameters
    ----------
    alpha : Tensor of shape (n_topics,) or (n_documents, n_topics)
    """

    def __init__(self, alpha, batch_shape=None):
        self.alpha = alpha
        batch_shape = alpha.shape[:-1] if batch_shape is None else batch_shape
        super().__init__(alpha.expand(*batch_shape, -1), validate_args=False)

    def expand(self, batch_shape, _instance=None):
        return DirichletPrior(self.alpha, batch_shape)

    def log_prob(self, value):
        # The base class would compute the normalizer for every document.
        if self.alpha.dim() == 1:
            density = torch.log(value) @ (self.alpha - 1.0)
        else:
            density = (torch.log(value) * (self.alpha - 1.0)).sum(-1)
        return density + log_normalizer(self.alpha)


class PointDirichlet(Dirichlet):
    """Dirichlet whose draw is one of its expectations.

    The draw is a deterministic function of the parameters, so the ELBO has no sampling
    noise. With the geometric mean as the draw, the ELBO is the bound of Blei et al.
    (2003). The draw is a point mass, so its log density is 0, as that of Pyro's Delta.

    Parameters
    ----------
    concentration : Tensor of shape (..., n_topics)
        gamma, the parameters of the Dirichlet.
    value : Tensor of the same shape
        The draw.
    """

    def __init__(self, concentration, value):
        self.value = value
        super().__init__(concentration, validate_args=False)

    def rsample(self, sample_shape=()):
        return self.value.expand(self.shape(sample_shape))

    def log_prob(self, value):
        return value.new_zeros(()).expand(value.shape[:-1])

    def expand(self, batch_shape, _instance=None):
        if torch.Size(batch_shape) == self.batch_shape:
            return self
        shape = torch.Size(batch_shape) + self.event_shape
        return PointDirichlet(
            self.concentration.expand(shape), self.value.expand(shape)
        )


@register_kl(Dirichlet, DirichletPrior)
def _kl_dirichlet(q, p):
    return dirichlet_kl(q.concentration, p.alpha)


class LogisticNormal(TorchDistribution):
    """softmax(mu + sigma * noise), an approximation of a Dirichlet.

    Parameters
    ----------
    mu, sigma : Tensor of shape (..., n_topics)
        Mean and standard deviation of the Gaussian under the softmax.

    References
    ----------
    Srivastava & Sutton (2017), "Autoencoding Variational Inference for Topic Models",
    section 3.2; MacKay (1998), "Choice of basis for Laplace approximation".
    """

    arg_constraints = {
        "mu": constraints.real_vector,
        "sigma": constraints.independent(constraints.positive, 1),
    }
    support = constraints.simplex
    has_rsample = True

    def __init__(self, mu, sigma):
        self.mu, self.sigma = mu, sigma
        super().__init__(mu.shape[:-1], mu.shape[-1:], validate_args=False)

    @classmethod
    def laplace(cls, concentration):
        """Laplace approximation of a Dirichlet in the softmax basis."""
        n_topics = concentration.shape[-1]
        log = torch.log(concentration)
        inverse = 1.0 / concentration
        variance = inverse * (1.0 - 2.0 / n_topics)
        variance = variance + inverse.sum(-1, keepdim=True) / n_topics**2
        # With one topic the softmax is 1 for any variance.
        if n_topics == 1:
            variance = torch.ones_like(variance)
        return cls(log - log.mean(-1, keepdim=True), variance.sqrt())

    def rsample(self, sample_shape=()):
        mu = self.mu.expand(self.shape(sample_shape))
        noise = torch.randn(mu.shape, dtype=mu.dtype, device=mu.device)
        return torch.softmax(mu + self.sigma * noise, -1)

    def log_prob(self, value):
        """Density of the Gaussian at the centred log of a point of the simplex."""
        log = torch.log(value)
        basis = log - log.mean(-1, keepdim=True)
        normal = torch.distributions.Normal(self.mu, self.sigma, validate_args=False)
        return normal.log_prob(basis).sum(-1)

    def expand(self, batch_shape, _instance=None):
        shape = torch.Size(batch_shape) + self.event_shape
        return LogisticNormal(self.mu.expand(shape), self.sigma.expand(shape))


@register_kl(LogisticNormal, LogisticNormal)
def _kl_logistic_normal(q, p):
    # Both apply the softmax, so the divergence is that of the Gaussians.
    ratio = (q.sigma / p.sigma) ** 2
    distance = ((q.mu - p.mu) / p.sigma) ** 2
    return 0.5 * (ratio + distance - 1.0 - torch.log(ratio)).sum(-1)


class TopicWords(TorchDistribution):
    """The Dirichlet of each topic, restricted to the words of a batch.

    The marginal of Dirichlet(lambda_k) over some words and one entry for all other
    words is also a Dirichlet. So the ELBO of a batch needs no array of the size of the
    vocabulary.

    Parameters
    ----------
    concentration : Tensor of shape (n_topics, n_words)
        Parameters of the batch's words.
    total : Tensor of shape (n_topics,)
        Sum of the parameters over the whole vocabulary.
    n_features : int
        Size of the whole vocabulary.
    value : Tensor of shape (n_topics, n_words) or None
        The draw, an expectation of beta over the batch's words; None for a prior.
    """

    arg_constraints = {
        "concentration": constraints.independent(constraints.positive, 1),
        "total": constraints.positive,
    }
    support = constraints.independent(constraints.unit_interval, 1)
    has_rsample = True

    def __init__(self, concentration, total, n_features, value=None):
        self.concentration, self.total = concentration, total
        self.n_features, self.value = n_features, value
        super().__init__(total.shape, concentration.shape[-1:], validate_args=False)

    def expand(self, batch_shape, _instance=None):
        # Pyro's plate calls this for every site.
        if torch.Size(batch_shape) != self.batch_shape:
            raise ValueError(
                f"Cannot expand batch_shape {tuple(self.batch_shape)} to "
                f"{tuple(batch_shape)}."
            )
        return self

    def dirichlet(self):
        """The marginal; if the batch has every word, without the extra entry."""
        concentration = self.concentration
        if concentration.shape[-1] < self.n_features:
            rest = self.total - concentration.sum(-1)
            concentration = torch.cat([concentration, rest.unsqueeze(-1)], -1)
        return torch.distributions.Dirichlet(concentration, validate_args=False)

    def rsample(self, sample_shape=()):
        return self.value.expand(self.shape(sample_shape))

    def log_prob(self, value):
        """Log density; the extra entry has the probability of all other words."""
        if value.shape[-1] < self.n_features:
            rest = (1.0 - value.sum(-1, keepdim=True)).clamp_min(0.0)
            value = torch.cat([value, rest], -1)
        return self.dirichlet().log_prob(value)


@register_kl(TopicWords, TopicWords)
def _kl_topic_words(q, p):
    return kl_divergence(q.dirichlet(), p.dirichlet())
