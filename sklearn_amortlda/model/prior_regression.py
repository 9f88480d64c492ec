"""alpha of each document by its covariates: Dirichlet-multinomial regression.

    alpha_dk = alpha_k exp(c_d . w_k)

(Mimno & McCallum 2008, section 3). Input: standardized covariates c, and posteriors or
held-out words of a batch. Output: alpha of the documents, the factor from alpha to the
alpha that fits the batch, and the gradient of the coefficients w.
"""

from __future__ import annotations

import torch

from ..kernels.products import sum_over_words
from .doc_topic_prior import clip_around

# Standard deviation of the coefficients' Gaussian prior, for covariates of standard
# deviation 1: exp(1) is a factor of 2.7 on alpha.
PRIOR_SCALE = 1.0
# Bounds of the logarithm of the factor, because its curvature may be nearly zero.
_MAX_LOG_FACTOR = 2.0


def alpha_of_documents(alpha, coefficients, covariates):
    """alpha of each document, shape (n_documents, n_topics).

    It is within alpha's range, or between the range and an alpha that was given.

    Parameters
    ----------
    alpha : Tensor of shape (n_topics,)
        alpha at the mean of the covariates.
    coefficients : Tensor of shape (n_covariates, n_topics)
        The coefficients w.
    covariates : Tensor of shape (n_documents, n_covariates)
    """
    return clip_around(alpha * torch.exp(covariates @ coefficients), alpha)


def moment_sums(alpha, weights=None):
    """Weighted sums over documents, from which `marginal_alpha` is computed.

    Parameters
    ----------
    alpha : Tensor of shape (n_documents, n_topics)
    weights : Tensor of shape (n_documents,), default=None

    Returns
    -------
    sums : Tensor of shape (2 n_topics + 3,), of float64
        The weights, E[theta_k], E[theta_k]^2, the sum over topics of alpha_k, and that
        of the variances of theta_k.
    """
    alpha = alpha.double()
    total = alpha.sum(1, keepdim=True)
    mean = alpha / total
    variance = (mean * (1.0 - mean) / (total + 1.0)).sum(1, keepdim=True)
    values = torch.cat([torch.ones_like(total), mean, mean**2, total, variance], 1)
    return values.sum(0) if weights is None else weights.double() @ values


def marginal_alpha(sums):
    """The prior of a document without covariates, shape (n_topics,).

    The Dirichlet with the mean, and the sum of variances, of the mixture of the
    documents' priors. The variances of one topic are 0, and it has the mean alpha.
    """
    weight, *moments = sums
    *moments, total, within = torch.stack(moments) / weight
    mean, mean_square = torch.stack(moments).chunk(2)
    if len(mean) == 1:
        return mean * total
    between = (mean_square - mean**2).sum()
    precision = (mean * (1.0 - mean)).sum() / (within + between) - 1.0
    return mean * precision


def posterior_derivatives(gamma, alpha):
    """Derivatives of the bound in log alpha_dk, and their negative curvatures.

    The bound has the term E_q[log Dirichlet(theta_d | alpha_d)].
    """
    expected_log = torch.digamma(gamma) - torch.digamma(gamma.sum(1, keepdim=True))
    total = alpha.sum(1, keepdim=True)
    slope = torch.digamma(total) - torch.digamma(alpha) + expected_log
    return alpha * slope, alpha.square() * torch.polygamma(1, alpha)


def held_out_derivatives(gamma, evidence, beta, alpha):
    """Derivatives of log p(held out | observed) in log alpha_dk, and curvatures.

    The derivative is alpha_dk [m_dk / gamma_dk - m_d / sum_j gamma_dj], where m_dk is
    the expected number of held-out words of topic k. The curvature is that of the
    second term, as in the multiplicative step of `doc_topic_prior.held_out_ratio`.
    """
    words, totals = evidence.words, gamma.sum(1, keepdim=True)
    per_gamma = sum_over_words(evidence.ratios, beta, words) / totals
    curvature = alpha * words.lengths.unsqueeze(1) / totals
    return alpha * per_gamma - curvature, curvature


def changes(derivatives, curvatures, batch):
    """The factor from alpha to the alpha that fits the batch, and a gradient.

    Parameters
    ----------
    derivatives, curvatures : Tensor of shape (n_documents, n_topics)
        From one of the functions above.
    batch : Batch
        The documents.

    Returns
    -------
    factor : Tensor of shape (n_topics,)
        exp of a Newton step in log alpha.
    gradient : Tensor of shape (n_covariates, n_topics)
        Derivative of the objective in the coefficients, for a mean document.
    """
    derivatives = batch.weighted(derivatives)
    slope, curvature = derivatives.sum(0), batch.weighted(curvatures).sum(0)
    step = slope / curvature.clamp_min(torch.finfo(slope.dtype).tiny)
    factor = torch.exp(step.clamp(-_MAX_LOG_FACTOR, _MAX_LOG_FACTOR))
    n_documents = batch.weighted(torch.ones_like(batch.lengths)).sum()
    return factor, batch.covariates.T @ derivatives / n_documents


def loss_gradient(gradient, coefficients, total_weight: float):
    """Gradient of the loss of a mean document, with the coefficients' prior."""
    return coefficients / (PRIOR_SCALE**2 * total_weight) - gradient


def merge_and_split(coefficients, moves) -> None:
    """Apply the moves of `merge_split.merge_and_split`, in place.

    A split topic gives its coefficients to the topic that is freed.
    """
    for freed, _, split in moves:
        coefficients[:, freed] = coefficients[:, split]
