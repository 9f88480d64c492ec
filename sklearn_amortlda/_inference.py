"""A document's posterior, its refinement, and the bound on its likelihood."""

from __future__ import annotations

import numpy as np
import torch

from ._batches import Batch, BatchMaker
from ._corpus import Corpus
from ._distributions import dirichlet_kl, geometric_mean
from ._kernels import log_likelihood, pair_products, sum_over_words, take_rows

# Where what counts is to be near the fixed point of `refine`: in training three steps
# then do what five plain ones did. Posteriors predict best some way before it.
RELAXATION = 1.8
# Such steps that tighten a reported bound, as far as ten plain ones do. With arithmetic
# means, which predict best, a posterior is far from the tightest: 41 nats for one of
# 100 words and 50 topics, 11 after these, 10 at convergence.
_BOUND_STEPS = 6


def refine(
    gamma,
    batch: Batch,
    beta,
    alpha,
    theta_weights,
    n_steps: int,
    relaxation: float = 1.0,
):
    """Fixed-point steps of the classical E-step, from the encoder's gamma.

    gamma_dk <- alpha_k + sum_v c_dv theta_dk beta_kv / sum_j theta_dj beta_jv, with
    theta an expectation of Dirichlet(gamma) (Blei et al. 2003, eq. 6 and 7).

    Parameters
    ----------
    gamma : Tensor of shape (n_documents, n_topics)
        Where to start.
    batch : Batch
        The documents.
    beta : Tensor of shape (n_words, n_topics)
        Topics over the batch's words.
    alpha : Tensor of shape (n_topics,)
        Dirichlet prior of theta.
    theta_weights : callable
        `geometric_mean`: each step raises `document_bound`. `unnormalized_mean`: the
        plug-in form of CVB0, which predicts better; a document's factor cancels.
    n_steps : int
        Number of steps; 0 returns gamma.
    relaxation : float in [1, 2), default=1.0
        All but the last step go so many times as far, and to no less than a fifth of
        where they lead: to the same fixed point, which they come upon from one side,
        in fewer steps.
    """
    for n_left in range(n_steps, 0, -1):
        theta = theta_weights(gamma)
        ratios = batch.counts / pair_products(theta, beta, batch)
        there = alpha + theta * sum_over_words(ratios, beta, batch)
        if n_left == 1 or relaxation == 1.0:
            gamma = there
        else:
            gamma = torch.maximum(torch.lerp(gamma, there, relaxation), there / 5)
    return gamma


def document_bound(gamma, batch: Batch, beta, alpha):
    """Lower bound on log p(w_d | alpha, beta) of each document, in nats.

    E_q[log p(w_d, z_d, theta_d)] + entropy with q(theta_d) = Dirichlet(gamma_d) and
    q(z_d) at its optimum: sum_v c_dv log sum_k exp(E_q[log theta_dk]) beta_kv
    - KL(q(theta_d) || Dirichlet(alpha)). A bound for any gamma.

    Returns
    -------
    bound : Tensor of shape (n_documents,)
    """
    products = pair_products(geometric_mean(gamma), beta, batch)
    # A large gamma leaves float32 no digits for the divergence; MPS has no longer type.
    longer = gamma.dtype if gamma.device.type == "mps" else torch.float64
    kl = dirichlet_kl(gamma.to(longer), alpha.to(longer))
    return log_likelihood(products, batch) - kl


class Inference:
    """Posteriors of documents under topics that are learned.

    Parameters
    ----------
    encoder : Encoder
        In eval mode.
    rows_of : callable
        Gives the encoder's rows, shape (n_words, n_row), of a tensor of words.
    objective : Bound or one of its kin
        Turns the encoder's outputs into gamma.
    beta_of : callable
        Gives the mean topics, shape (n_words, n_topics), of a tensor of words.
    alpha : Tensor of shape (n_topics,)
        Dirichlet prior of theta.
    n_refine : int
        Steps of `refine` after the encoder.
    """

    # Documents at a time: large enough to keep the kernels busy, small enough to stay
    # in cache; the answers do not depend on it.
    BATCH_SIZE = 1024

    def __init__(self, encoder, rows_of, objective, beta_of, alpha, n_refine: int):
        self.encoder, self.rows_of, self.objective = encoder, rows_of, objective
        self.beta_of, self.alpha, self.n_refine = beta_of, alpha, n_refine

    def gamma(self, X) -> np.ndarray:
        """Dirichlet parameters of q(theta_d), shape (n_samples, n_topics)."""
        gamma = np.empty((X.shape[0], len(self.alpha)), dtype=np.float32)
        for rows, batch in self._batches(X):
            # Without refinement the encoder is all there is to a posterior.
            beta = self.beta_of(batch.vocabulary) if self.n_refine else None
            posterior = self._posterior(batch, beta)
            gamma[rows] = posterior[: rows.stop - rows.start].cpu().numpy()
        return gamma

    def responsibilities(self, X) -> np.ndarray:
        """q(z) of every non-zero, up to a factor: theta_dk beta_kv.

        With the expectation of theta that the objective takes.

        Returns
        -------
        weights : ndarray of shape (nnz, n_topics)
        """
        weights = np.empty((X.nnz, len(self.alpha)), dtype=np.float32)
        for rows, batch in self._batches(X):
            beta = self.beta_of(batch.vocabulary)
            theta = self.objective.theta_mean(self._posterior(batch, beta))
            joint = take_rows(theta, batch.documents)
            joint *= take_rows(beta, batch.words)
            joint.clamp_min_(torch.finfo(joint.dtype).tiny)
            weights[X.indptr[rows.start] : X.indptr[rows.stop]] = joint.cpu().numpy()
        return weights

    def bound(self, X, beta_of=None) -> np.ndarray:
        """`document_bound` of every document, shape (n_samples,).

        At its posterior after some more steps, which raise the bound. `beta_of` gives
        other topics for the likelihood than the posterior's.
        """
        bound = np.empty(X.shape[0])
        for rows, batch in self._batches(X):
            beta = self.beta_of(batch.vocabulary)
            gamma = self._posterior(batch, beta)
            if beta_of is not None:
                beta = beta_of(batch.vocabulary)
            gamma = refine(
                gamma,
                batch,
                beta,
                self.alpha,
                geometric_mean,
                _BOUND_STEPS,
                RELAXATION,
            )
            values = document_bound(gamma, batch, beta, self.alpha)
            bound[rows] = values[: rows.stop - rows.start].cpu().numpy()
        return bound

    def completion(self, gamma: np.ndarray, held_out) -> np.ndarray:
        """log p(held-out words | gamma) of every document, shape (n_samples,).

        sum_v c_dv log sum_k E[theta_dk] beta_kv, for words that gamma has not seen.
        """
        theta = torch.as_tensor(gamma).to(self.alpha)
        theta = theta / theta.sum(1, keepdim=True)
        values = np.empty(held_out.shape[0])
        for rows, batch in self._batches(held_out):
            padded = theta.new_ones(batch.shape[0], theta.shape[1])
            padded[: rows.stop - rows.start] = theta[rows]
            beta = self.beta_of(batch.vocabulary)
            terms = log_likelihood(pair_products(padded, beta, batch), batch)
            values[rows] = terms[: rows.stop - rows.start].cpu().numpy()
        return values

    def _batches(self, X):
        maker = BatchMaker(Corpus(X), self.alpha.dtype, self.alpha.device)
        return maker.in_order(self.BATCH_SIZE)

    @torch.no_grad()
    def _posterior(self, batch: Batch, beta):
        outputs = self.encoder(batch, self.rows_of(batch.vocabulary))
        gamma = self.objective.concentration(outputs, batch, self.alpha)
        weights = self.objective.theta_weights
        return refine(gamma, batch, beta, self.alpha, weights, self.n_refine)
