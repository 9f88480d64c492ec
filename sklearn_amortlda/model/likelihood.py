"""The likelihood of word counts, with the topic assignments of words summed out.

Input: theta, beta and the counts of a batch. Output: log p(w_d | theta_d, beta) of
every document, with derivatives in theta and beta.
"""

from __future__ import annotations

import torch
from pyro.distributions import TorchDistribution
from torch.distributions import constraints

from ..kernels.products import (
    at_entries,
    log_likelihood,
    pair_products,
    sum_over_documents,
    sum_over_words,
)


class BagOfWords(TorchDistribution):
    """Word counts given topics, with the topic assignment of each word summed out.

    log p(w_d | theta_d, beta) = sum_v c_dv log sum_k theta_dk beta_kv, in nats, without
    the multinomial coefficient, as in the LDA literature.

    Parameters
    ----------
    theta : Tensor of shape (n_documents, n_topics)
        Topic proportions of each document.
    beta : Tensor of shape (n_topics, n_words)
        Words of each topic.
    batch : Batch
        The documents; their counts are the observed value.
    evidence : TopicEvidence or None
        The derivative in beta is computed from this evidence instead of from `theta`
        and `batch` (see `statistics`). None computes it from `theta` and `batch`.
    """

    arg_constraints = {}
    support = constraints.nonnegative

    def __init__(self, theta, beta, batch, evidence=None):
        self.theta, self.beta = theta, beta
        self.batch, self.evidence = batch, evidence
        super().__init__(theta.shape[:1], torch.Size(), validate_args=False)

    def expand(self, batch_shape, _instance=None):
        # Pyro's plate calls this for every site.
        if torch.Size(batch_shape) != self.batch_shape:
            raise ValueError(
                f"Cannot expand batch_shape {tuple(self.batch_shape)} to "
                f"{tuple(batch_shape)}."
            )
        return self

    def log_prob(self, value):
        batch = self.batch.with_counts(value)
        return _LogLikelihood.apply(self.theta, self.beta.t(), batch, self.evidence)


class _LogLikelihood(torch.autograd.Function):
    """log p(w_d | theta_d, beta), beta as (words, topics), over the non-zeros only."""

    @staticmethod
    def forward(ctx, theta, beta, batch, evidence):
        products = pair_products(theta, beta, batch)
        ctx.batch, ctx.evidence = batch, evidence
        ctx.save_for_backward(theta, beta, products)
        return log_likelihood(products, batch)

    @staticmethod
    def backward(ctx, weights):
        theta, beta, products = ctx.saved_tensors
        batch, evidence = ctx.batch, ctx.evidence
        theta_gradient = beta_gradient = None
        ratios = at_entries(weights, batch) * batch.counts / products
        if ctx.needs_input_grad[0]:
            theta_gradient = sum_over_words(ratios, beta, batch)
        if ctx.needs_input_grad[1] and evidence is None:
            beta_gradient = sum_over_documents(ratios, theta, batch)
        elif ctx.needs_input_grad[1]:
            beta_gradient = evidence.beta_gradient(weights)
        return theta_gradient, beta_gradient, None, None
