"""Posteriors and bounds of documents, batch by batch.

Input: counts. Output: NumPy arrays with a row or a number for each document. The
results do not depend on how documents are divided into batches.
"""

from __future__ import annotations

import numpy as np
import torch

from ..data.batches import Batch, BatchMaker
from ..data.corpus import Corpus
from ..encoder.weights import load_encoder
from ..kernels.blocks import BLOCK
from ..kernels.products import log_likelihood, pair_products
from ..kernels.rows import gather_rows
from ..model.distributions import geometric_mean
from ..model.e_step import RELAXATION, refine
from ..model.objectives import OBJECTIVES
from ..model.prior_regression import alpha_of_documents
from .bounds import document_bound

# Documents per batch: many for efficient kernels, few enough to fit in the cache.
BATCH_SIZE = 1024
# Relaxed steps that raise a reported bound, about as much as ten plain steps. For
# documents of 100 words and 50 topics the bound is 41 nats below the log-likelihood at
# the posterior of 'completion', 11 after these steps, and 10 at convergence.
_BOUND_STEPS = 6
# Relaxed steps to a local optimum of the bound, which 200 more steps do not raise by
# 1e-4 nats per word (20NG, AGNews).
_OPTIMUM_STEPS = 200


class Inference:
    """Posteriors of documents under learned topics, in training and afterwards.

    Parameters
    ----------
    encoder : Encoder
        In eval mode.
    topics : Topics or FittedTopics
        ``topics.mean(words)`` is E[beta] of some words.
    objective : str
        A key of `OBJECTIVES`.
    alpha : Tensor of shape (n_topics,)
        Dirichlet prior of theta.
    n_refine : int
        Steps of `refine` after the encoder.
    regression : tuple of (Tensor, Tensor), default=None
        For documents with covariates: alpha at their mean, of shape (n_topics,), and
        the coefficients of shape (n_covariates, n_topics).
    """

    def __init__(
        self,
        encoder,
        topics,
        objective: str,
        alpha,
        n_refine: int,
        regression=None,
    ):
        self.encoder, self.topics = encoder, topics
        self.objective = OBJECTIVES[objective]
        self.alpha, self.n_refine = alpha, n_refine
        self.regression = regression

    def gamma(self, documents: Corpus, n_refine: int | None = None) -> np.ndarray:
        """Dirichlet parameters of q(theta_d), shape (n_samples, n_topics).

        `n_refine`, if not None, replaces the number of refinements.
        """
        n_refine = self.n_refine if n_refine is None else n_refine
        shape = len(documents), len(self.alpha)
        gamma = np.empty(shape, dtype=np.float32)
        for rows, batch in self._batches(documents):
            # Without refinement the topics are not needed.
            beta = self.topics.mean(batch.vocabulary) if n_refine else None
            alpha = self._alpha_of(batch.covariates)
            posterior = self._posterior(batch, beta, alpha, n_refine)
            gamma[rows] = posterior[: rows.stop - rows.start].cpu().numpy()
        return gamma

    def assign(self, documents: Corpus) -> np.ndarray:
        """The topic that each document is most about, shape (n_samples,).

        argmax_k gamma_dk / alpha_k. All topics of a document without words are equal,
        and the one with the largest prior is chosen.
        """
        alpha = self.alpha_of(documents)
        topics = (self.gamma(documents) / alpha).argmax(axis=1)
        # Not left to argmax, because gamma equals alpha up to rounding.
        empty = np.diff(documents.counts.indptr) == 0
        return np.where(empty, alpha.argmax(axis=1), topics)

    def alpha_of(self, documents: Corpus) -> np.ndarray:
        """alpha: one row for all documents, or with covariates one for each."""
        covariates = documents.covariates
        if covariates is not None:
            covariates = torch.as_tensor(covariates, device=self.alpha.device)
        return np.atleast_2d(self._alpha_of(covariates).cpu().numpy())

    def responsibilities(self, documents: Corpus) -> np.ndarray:
        """theta_dk beta_kv of every non-zero, which is q(z) up to a factor.

        theta is the expectation that the objective uses.

        Returns
        -------
        weights : ndarray of shape (nnz, n_topics)
        """
        X = documents.counts
        weights = np.empty((X.nnz, len(self.alpha)), dtype=np.float32)
        for rows, batch in self._batches(documents):
            beta = self.topics.mean(batch.vocabulary)
            gamma = self._posterior(batch, beta, self._alpha_of(batch.covariates))
            theta = self.objective.theta_mean(gamma)
            joint = gather_rows(theta, batch.documents)
            joint *= gather_rows(beta, batch.words)
            joint.clamp_min_(torch.finfo(joint.dtype).tiny)
            weights[X.indptr[rows.start] : X.indptr[rows.stop]] = joint.cpu().numpy()
        return weights

    def bound(
        self,
        documents: Corpus,
        beta_of=None,
        *,
        n_refine=None,
        n_steps=_BOUND_STEPS,
    ) -> np.ndarray:
        """`document_bound` of every document, shape (n_samples,).

        The bound is computed at the posterior after more steps that raise the bound.

        Parameters
        ----------
        documents : Corpus
        beta_of : callable, default=None
            Returns the topics over some words, for the bound and these steps. None is
            E[beta].
        n_refine : int, default=None
            E-step refinements before these steps. None is `n_refine`.
        n_steps : int, default=6
            Number of these steps.
        """
        bound = np.empty(len(documents))
        for rows, batch in self._batches(documents):
            beta = self.topics.mean(batch.vocabulary)
            alpha = self._alpha_of(batch.covariates)
            gamma = self._posterior(batch, beta, alpha, n_refine)
            if beta_of is not None:
                beta = beta_of(batch.vocabulary)
            values = self._bound_after(gamma, batch, beta, alpha, n_steps)
            bound[rows] = values[: rows.stop - rows.start].cpu().numpy()
        return bound

    def optimal_bound(self, documents: Corpus) -> np.ndarray:
        """`document_bound` at its optimum, shape (n_samples,).

        The bound has several local optima. The result is the higher of two: from the
        encoder's posterior, and from equal shares of the topics.
        """
        optimum = np.empty(len(documents))
        for rows, batch in self._batches(documents):
            beta = self.topics.mean(batch.vocabulary)
            alpha = self._alpha_of(batch.covariates)
            encoder = self._posterior(batch, beta, alpha, n_refine=0)
            even = alpha + batch.lengths.unsqueeze(1) / len(self.alpha)
            bounds = torch.stack(
                [
                    self._bound_after(start, batch, beta, alpha, _OPTIMUM_STEPS)
                    for start in (encoder, even)
                ]
            )
            best = bounds.amax(0)[: rows.stop - rows.start]
            optimum[rows] = best.cpu().numpy()
        return optimum

    def completion(self, gamma: np.ndarray, held_out: Corpus) -> np.ndarray:
        """log p(held-out words | gamma) of every document, shape (n_samples,).

        The result is sum_v c_dv log sum_k E[theta_dk] beta_kv. For a held-out score,
        gamma is inferred from other words.

        Parameters
        ----------
        gamma : ndarray of shape (n_samples, n_topics)
        held_out : Corpus
            The counts c.
        """
        theta = torch.as_tensor(gamma, dtype=self.alpha.dtype, device=self.alpha.device)
        theta = theta / theta.sum(1, keepdim=True)
        values = np.empty(len(held_out))
        for rows, batch in self._batches(held_out):
            padded = theta.new_ones(batch.shape[0], theta.shape[1])
            padded[: rows.stop - rows.start] = theta[rows]
            beta = self.topics.mean(batch.vocabulary)
            terms = log_likelihood(pair_products(padded, beta, batch), batch)
            values[rows] = terms[: rows.stop - rows.start].cpu().numpy()
        return values

    def _batches(self, documents):
        maker = BatchMaker(documents, self.alpha.dtype, self.alpha.device)
        return maker.in_order(BATCH_SIZE, BLOCK)

    @torch.no_grad()
    def _alpha_of(self, covariates):
        """alpha: one for all documents, or with covariates one for each."""
        if covariates is None:
            return self.alpha
        return alpha_of_documents(*self.regression, covariates)

    @torch.no_grad()
    def _bound_after(self, gamma, batch, beta, alpha, n_steps):
        """The bounds after steps that raise them."""
        gamma = refine(gamma, batch, beta, alpha, geometric_mean, n_steps, RELAXATION)
        return document_bound(gamma, batch, beta, alpha)

    @torch.no_grad()
    def _posterior(self, batch: Batch, beta, alpha, n_refine=None):
        n_refine = self.n_refine if n_refine is None else n_refine
        outputs = self.encoder(batch)
        gamma = self.objective.gamma(outputs, batch, alpha)
        mean = self.objective.theta_mean
        return refine(gamma, batch, beta, alpha, mean, n_refine)


def product_size(X, n_topics: int) -> float:
    """Multiply-adds of a product over the non-zeros of a batch."""
    return min(X.shape[0], BATCH_SIZE) * X.nnz / X.shape[0] * n_topics


class FittedTopics:
    """E[beta] of a fitted model.

    Parameters
    ----------
    topic_word : ndarray of shape (n_topics, n_features)
    device : torch.device
    """

    def __init__(self, topic_word: np.ndarray, device):
        self.topic_word, self._device = topic_word, device

    def mean(self, words):
        """E[beta] of some words, shape (n_words, n_topics)."""
        rows = self.topic_word.T[words.cpu().numpy()]
        return torch.as_tensor(rows, dtype=torch.float32, device=self._device)


def fitted_inference(
    weights, topic_word, alpha, regression, *, encoder, objective, n_refine, device
) -> Inference:
    """Inference of a fitted model.

    Parameters
    ----------
    weights : dict of ndarray
        Weights of the encoder.
    topic_word : ndarray of shape (n_topics, n_features)
        E[beta].
    alpha : ndarray of shape (n_topics,)
    regression : tuple of (ndarray, ndarray) or None
        As in `Inference`.
    encoder : 'mlp', 'transformer' or callable
        The kind of the encoder.
    objective : str
    n_refine : int
    device : torch.device
    """
    tensors = {"dtype": torch.float32, "device": device}
    network = load_encoder(
        weights,
        kind=encoder,
        n_features=topic_word.shape[1],
        training=False,
        **tensors,
    )
    topics, alpha = FittedTopics(topic_word, device), torch.tensor(alpha, **tensors)
    if regression is not None:
        regression = tuple(torch.tensor(values, **tensors) for values in regression)
    return Inference(network, topics, objective, alpha, n_refine, regression)
