"""The likelihood of word counts, with the word assignments summed out."""

from __future__ import annotations

import torch
from pyro.distributions import TorchDistribution
from torch.distributions import constraints

from ._kernels import (
    log_likelihood,
    pair_products,
    sum_over_documents,
    sum_over_words,
)


class BagOfWords(TorchDistribution):
    """Word counts given topics, every word's topic assignment summed out.

    log p(w_d | theta_d, beta) = sum_v c_dv log sum_k theta_dk beta_kv, in nats, without
    the multinomial coefficient, as everywhere in the LDA literature.

    Parameters
    ----------
    theta : Tensor of shape (n_documents, n_topics)
        Topics of each document.
    beta : Tensor of shape (n_topics, n_words)
        Words of each topic.
    batch : Batch
        The documents; their counts are the observed value.
    beta_derivative : callable or None
        Given each document's weight in the loss, of shape (n_documents,), returns what
        the topics learn by in place of the derivative of the weighted sum in beta, of
        shape (n_words, n_topics). None is the derivative itself.
    """

    arg_constraints = {}
    support = constraints.nonnegative

    def __init__(self, theta, beta, batch, beta_derivative=None):
        self.theta, self.beta = theta, beta
        self.batch, self.beta_derivative = batch, beta_derivative
        super().__init__(theta.shape[:1], torch.Size(), validate_args=False)

    def expand(self, batch_shape, _instance=None):
        # Pyro's plate expands every site; documents come with their own shape.
        if torch.Size(batch_shape) != self.batch_shape:
            raise ValueError(
                f"{tuple(self.batch_shape)} documents are no {batch_shape}."
            )
        return self

    def log_prob(self, value):
        batch = self.batch.with_counts(value)
        return _LogLikelihood.apply(
            self.theta, self.beta.t(), batch, self.beta_derivative
        )


class _LogLikelihood(torch.autograd.Function):
    """log p(w_d | theta_d, beta), beta as (words, topics), over the non-zeros only."""

    @staticmethod
    def forward(ctx, theta, beta, batch, beta_derivative):
        products = pair_products(theta, beta, batch)
        ctx.batch, ctx.beta_derivative = batch, beta_derivative
        ctx.save_for_backward(theta, beta, products)
        return log_likelihood(products, batch)

    @staticmethod
    def backward(ctx, weights):
        theta, beta, products = ctx.saved_tensors
        batch = ctx.batch
        theta_gradient = beta_gradient = None
        ratios = weights.index_select(0, batch.documents) * batch.counts / products
        if ctx.needs_input_grad[0]:
            theta_gradient = sum_over_words(ratios, beta, batch)
        if ctx.needs_input_grad[1]:
            if ctx.beta_derivative is None:
                beta_gradient = sum_over_documents(ratios, theta, batch)
            else:
                beta_gradient = ctx.beta_derivative(weights)
        return theta_gradient, beta_gradient, None, None
