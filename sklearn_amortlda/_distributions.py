"""Pyro distributions over the simplex: Dirichlets with a chosen draw, and kin."""

from __future__ import annotations

import math

import torch
from pyro.distributions import Dirichlet, TorchDistribution
from torch.distributions import constraints, kl_divergence, register_kl


def arithmetic_mean(concentration, total=None):
    """E[p] of Dirichlet(concentration), over the last axis unless its sum is given."""
    if total is None:
        total = concentration.sum(-1, keepdim=True)
    return concentration / total


def unnormalized_mean(concentration):
    """The arithmetic mean times the sum, for where the sum cancels."""
    return concentration


def geometric_mean(concentration, total=None):
    """exp(E[log p]) of Dirichlet(concentration), over the last axis; sums to < 1."""
    if total is None:
        total = concentration.sum(-1, keepdim=True)
    log_mean = torch.digamma(concentration) - torch.digamma(total)
    # digamma(0.01) is -100: float32 would make it an exact zero, which has no log.
    floor = 0.9 * math.log(torch.finfo(concentration.dtype).tiny)
    return torch.exp(log_mean.clamp_min(floor))


class PointDirichlet(Dirichlet):
    """Dirichlet whose draw is a given expectation of it.

    With the draw a differentiable function of the parameters, an ELBO has no sampling
    noise. With the geometric mean it is the bound of Blei et al. (2003).

    Parameters
    ----------
    concentration : Tensor of shape (..., n_topics)
        Parameters of the Dirichlet: gamma of theta.
    value : Tensor of the same shape
        What `rsample` returns.
    """

    def __init__(self, concentration, value):
        self.value = value
        super().__init__(concentration, validate_args=False)

    def rsample(self, sample_shape=()):
        return self.value.expand(self._extended_shape(sample_shape))

    def expand(self, batch_shape, _instance=None):
        shape = torch.Size(batch_shape) + self.event_shape
        return PointDirichlet(
            self.concentration.expand(shape), self.value.expand(shape)
        )


class _DirichletKL(torch.autograd.Function):
    """KL(Dirichlet(gamma) || Dirichlet(alpha)), differentiable in gamma.

    The derivative is written out: autograd's takes twice as many special functions,
    which made up a sixth of a training step.
    """

    @staticmethod
    def forward(ctx, gamma, alpha):
        total, excess = gamma.sum(-1, keepdim=True), gamma - alpha
        expected_log = torch.digamma(gamma) - torch.digamma(total)
        ctx.save_for_backward(gamma, total, excess)
        normalizer = torch.lgamma(total).squeeze(-1) - torch.lgamma(gamma).sum(-1)
        prior = torch.lgamma(alpha).sum(-1) - torch.lgamma(alpha.sum(-1))
        return normalizer + prior + (excess * expected_log).sum(-1)

    @staticmethod
    def backward(ctx, gradient):
        gamma, total, excess = ctx.saved_tensors
        slope = excess * torch.polygamma(1, gamma)
        slope -= excess.sum(-1, keepdim=True) * torch.polygamma(1, total)
        return gradient.unsqueeze(-1) * slope, None


def dirichlet_kl(gamma, alpha):
    """KL(Dirichlet(gamma_d) || Dirichlet(alpha)) of each document d, in nats.

    Parameters
    ----------
    gamma : Tensor of shape (n_documents, n_topics)
        Parameters of the posteriors.
    alpha : Tensor of shape (n_topics,)
        Parameters of the prior.
    """
    return _DirichletKL.apply(gamma, alpha)


class SampledDirichlet(Dirichlet):
    """Dirichlet that draws from a generator of its own, with pathwise gradients.

    torch's own `rsample` takes no generator and would draw from, and disturb, the
    global random state.
    """

    def __init__(self, concentration, generator):
        self.generator = generator
        super().__init__(concentration, validate_args=False)

    def rsample(self, sample_shape=()):
        concentration = self.concentration.expand(self._extended_shape(sample_shape))
        return _DirichletDraw.apply(concentration, self.generator)

    def expand(self, batch_shape, _instance=None):
        shape = torch.Size(batch_shape) + self.event_shape
        return SampledDirichlet(self.concentration.expand(shape), self.generator)


class _DirichletDraw(torch.autograd.Function):
    """A Dirichlet draw and its pathwise derivative (Figurnov et al. 2018)."""

    @staticmethod
    def forward(ctx, concentration, generator):
        draw = torch._sample_dirichlet(concentration.contiguous(), generator)
        ctx.save_for_backward(draw, concentration)
        return draw

    @staticmethod
    def backward(ctx, gradient):
        draw, concentration = ctx.saved_tensors
        total = concentration.sum(-1, keepdim=True).expand_as(concentration)
        derivative = torch._dirichlet_grad(draw, concentration, total)
        centred = gradient - (draw * gradient).sum(-1, keepdim=True)
        return derivative * centred, None


@register_kl(PointDirichlet, torch.distributions.Dirichlet)
@register_kl(SampledDirichlet, torch.distributions.Dirichlet)
def _kl_of_posterior(q, p):
    # A plate has repeated the prior for every document; once is enough.
    alpha = p.concentration
    repeated = alpha.dim() > 1 and alpha.stride(0) == 0
    return dirichlet_kl(q.concentration, alpha[0] if repeated else alpha)


class LogisticNormal(TorchDistribution):
    """softmax(mu + sigma * noise): the simplex's stand-in for a Dirichlet.

    Parameters
    ----------
    mu, sigma : Tensor of shape (..., n_topics)
        Mean and standard deviation of the Gaussian under the softmax.
    generator : torch.Generator or None
        Source of the noise; a distribution that is never sampled needs none.

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

    def __init__(self, mu, sigma, generator=None):
        self.mu, self.sigma, self.generator = mu, sigma, generator
        super().__init__(mu.shape[:-1], mu.shape[-1:], validate_args=False)

    @classmethod
    def laplace(cls, concentration):
        """Laplace approximation of a Dirichlet in the softmax basis."""
        n_topics = concentration.shape[-1]
        log = torch.log(concentration)
        inverse = 1.0 / concentration
        variance = inverse * (1.0 - 2.0 / n_topics)
        variance = variance + inverse.sum(-1, keepdim=True) / n_topics**2
        if n_topics == 1:  # The softmax of one number is 1 whatever its variance.
            variance = torch.ones_like(variance)
        return cls(log - log.mean(-1, keepdim=True), variance.sqrt())

    def rsample(self, sample_shape=()):
        noise = torch.empty(
            self._extended_shape(sample_shape),
            dtype=self.mu.dtype,
            device=self.mu.device,
        ).normal_(generator=self.generator)
        return torch.softmax(self.mu + self.sigma * noise, -1)

    def log_prob(self, value):
        """Density of the Gaussian at the centred log of a point of the simplex."""
        log = torch.log(value)
        basis = log - log.mean(-1, keepdim=True)
        return torch.distributions.Normal(self.mu, self.sigma).log_prob(basis).sum(-1)

    def expand(self, batch_shape, _instance=None):
        shape = torch.Size(batch_shape) + self.event_shape
        return LogisticNormal(
            self.mu.expand(shape), self.sigma.expand(shape), self.generator
        )


@register_kl(LogisticNormal, LogisticNormal)
def _kl_logistic_normal(q, p):
    # The softmax is common to both, so the divergence is that of the Gaussians.
    ratio = (q.sigma / p.sigma) ** 2
    distance = ((q.mu - p.mu) / p.sigma) ** 2
    return 0.5 * (ratio + distance - 1.0 - torch.log(ratio)).sum(-1)


class TopicWords(TorchDistribution):
    """A topic's Dirichlet, as far as the words of one batch can see it.

    The marginal of Dirichlet(lambda_k) over some words and one bucket for all the
    others is a Dirichlet again, so a batch's ELBO needs nothing of size vocabulary.

    Parameters
    ----------
    concentration : Tensor of shape (n_topics, n_words)
        Parameters of the batch's words.
    total : Tensor of shape (n_topics,)
        Sum of the parameters over the whole vocabulary.
    value : Tensor of shape (n_topics, n_words) or None
        What `rsample` returns: an expectation of beta over the batch's words.
    n_features : int
        Size of the whole vocabulary.
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
        # Pyro's plate expands every site; topics come with their own shape.
        if torch.Size(batch_shape) != self.batch_shape:
            raise ValueError(f"{tuple(self.batch_shape)} topics are no {batch_shape}.")
        return self

    def dirichlet(self):
        """The marginal with its bucket; none where the batch has every word."""
        concentration = self.concentration
        if concentration.shape[-1] < self.n_features:
            rest = self.total - concentration.sum(-1)
            concentration = torch.cat([concentration, rest.unsqueeze(-1)], -1)
        return torch.distributions.Dirichlet(concentration, validate_args=False)

    def rsample(self, sample_shape=()):
        return self.value.expand(self._extended_shape(sample_shape))

    def log_prob(self, value):
        """Density of the words' probabilities, the bucket holding what they leave."""
        if value.shape[-1] < self.n_features:
            rest = (1.0 - value.sum(-1, keepdim=True)).clamp_min(0.0)
            value = torch.cat([value, rest], -1)
        return self.dirichlet().log_prob(value)


@register_kl(TopicWords, TopicWords)
def _kl_topic_words(q, p):
    return kl_divergence(q.dirichlet(), p.dirichlet())
