"""A Markov chain over the coefficients of covariates, for intervals of their effects.

Input: documents with covariates, and a fitted model to start from. Output: draws of the
coefficients from their posterior given the words. A sweep draws

1. the topic z of every word given theta and beta,
2. for each topic its intercept and coefficients given the counts of z, with theta
   summed out: the Dirichlet-multinomial regression of Mimno & McCallum (2008),
3. theta and beta given the counts.

The second step proposes from a Gaussian around a Newton step, and accepts by
Metropolis-Hastings (Gamerman 1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from scipy.special import gammaln, psi

from ..model.prior_regression import PRIOR_SCALE
from ..runtime.lazy import lazy_property
from .posterior import draw_dirichlet
from .word_topics import TopicDraws

# Mean and standard deviation of the Gaussian prior of the intercept, log alpha.
_INTERCEPT_MEAN, _INTERCEPT_SCALE = np.log(0.1), 3.0
# Range of alpha, far from the limits of float64.
_MIN_LOG, _MAX_LOG = np.log(1e-6), np.log(1e4)
# Sweeps before the first draw that is kept, as a share of the kept ones. The first half
# of them climbs, because far from the mode no proposal would be accepted.
_WARM_UP = 0.5
_MAX_HALVINGS = 8


@dataclass(frozen=True)
class Start:
    """A fitted model, from which the chain starts.

    Attributes
    ----------
    theta : ndarray of shape (n_documents, n_topics)
        Topic proportions of the documents.
    topic_word : ndarray of shape (n_topics, n_features)
    eta : ndarray broadcastable to (n_topics, n_features)
        Prior of the topics.
    alpha : ndarray of shape (n_topics,)
        alpha at the mean of the covariates.
    coefficients : ndarray of shape (n_covariates, n_topics)
        Coefficients of the standardized covariates.
    """

    theta: np.ndarray
    topic_word: np.ndarray
    eta: np.ndarray
    alpha: np.ndarray
    coefficients: np.ndarray


def draw_regression(
    X, covariates, start: Start, *, n_draws: int, rng: np.random.Generator
):
    """Draws of the coefficients of covariates.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_features)
        Counts, integers.
    covariates : ndarray of shape (n_documents, n_covariates)
        Standardized covariates.
    start : Start
    n_draws : int
    rng : numpy.random.Generator

    Returns
    -------
    draws : ndarray of shape (n_draws, n_covariates + 1, n_topics)
        log alpha at the mean of the covariates, then the coefficients.
    """
    words = TopicDraws(X, start.topic_word, start.eta)
    design = np.column_stack([np.ones(len(covariates)), covariates])
    weights = np.vstack([np.log(start.alpha), start.coefficients])
    regression = _Regression(design, weights)
    theta = start.theta.astype(np.float32)
    n_warm_up = int(np.ceil(_WARM_UP * n_draws))
    draws = np.empty((n_draws, *weights.shape))
    for sweep in range(n_warm_up + n_draws):
        counts = words.draw(theta, rng)
        if sweep < n_warm_up / 2:
            regression.climb(counts)
        else:
            regression.move(counts, rng)
        theta = draw_dirichlet(counts + regression.alpha, rng).astype(np.float32)
        if sweep >= n_warm_up:
            draws[sweep - n_warm_up] = regression.weights
    return draws


class _Regression:
    """The present intercepts and coefficients of all topics.

    Attributes
    ----------
    weights : ndarray of shape (n_covariates + 1, n_topics)
    alpha : ndarray of shape (n_documents, n_topics)
        exp(design @ weights).
    """

    def __init__(self, design, weights):
        self.design, self.weights = design, weights.astype(np.float64)
        self.alpha = _alpha(design @ self.weights)
        self._mean = np.zeros(design.shape[1])
        self._mean[0] = _INTERCEPT_MEAN
        self._precision = np.full(design.shape[1], PRIOR_SCALE**-2.0)
        self._precision[0] = _INTERCEPT_SCALE**-2.0

    def climb(self, counts) -> None:
        """A Newton step of each topic, halved until the density rises."""
        for topic, expand in self._conditionals(counts):
            old = expand(self.weights[:, topic])
            step = old.maximum - old.weights
            for _ in range(_MAX_HALVINGS):
                new = expand(old.weights + step)
                if new.log_density > old.log_density:
                    self._replace(topic, new)
                    break
                step = step / 2

    def move(self, counts, rng) -> None:
        """A Metropolis-Hastings move of each topic, one after the other."""
        for topic, expand in self._conditionals(counts):
            old = expand(self.weights[:, topic])
            new = expand(old.propose(rng))
            log_ratio = new.log_density - old.log_density
            log_ratio += new.log_proposal(old) - old.log_proposal(new)
            if np.log(rng.random()) < log_ratio:
                self._replace(topic, new)

    def _conditionals(self, counts):
        """Each topic, and a function from its weights to an `_Expansion`."""
        lengths = counts.sum(axis=1)
        for topic in range(counts.shape[1]):
            others = self.alpha.sum(axis=1) - self.alpha[:, topic]
            fixed = self.design, counts[:, topic], lengths, others
            yield topic, partial(_expand, *fixed, self._mean, self._precision)

    def _replace(self, topic, expansion):
        self.weights[:, topic] = expansion.weights
        self.alpha[:, topic] = expansion.alpha


@dataclass(frozen=True)
class _Expansion:
    """log posterior of one topic's weights, expanded to second order.

    Attributes
    ----------
    weights : ndarray of shape (n_covariates + 1,)
        Where the density is expanded.
    alpha : ndarray of shape (n_documents,)
    log_density : float
    gradient : ndarray of shape (n_covariates + 1,)
    curvature : ndarray of shape (n_covariates + 1, n_covariates + 1)
        Negative second derivative, positive definite.
    """

    weights: np.ndarray
    alpha: np.ndarray
    log_density: float
    gradient: np.ndarray
    curvature: np.ndarray

    @lazy_property
    def maximum(self):
        """The weights at the maximum of the expansion, which is a Newton step."""
        return self.weights + np.linalg.solve(self.curvature, self.gradient)

    @lazy_property
    def _factor(self):
        return np.linalg.cholesky(self.curvature)

    def propose(self, rng):
        """A draw from the Gaussian whose log density is the expansion."""
        noise = rng.standard_normal(len(self.weights))
        return self.maximum + np.linalg.solve(self._factor.T, noise)

    def log_proposal(self, other):
        """log density of a proposal of other weights, up to a constant."""
        standardized = self._factor.T @ (other.weights - self.maximum)
        log_determinant = np.log(np.diag(self._factor)).sum()
        return log_determinant - 0.5 * standardized @ standardized


def _expand(design, counts, lengths, others, mean, precision, weights) -> _Expansion:
    """The expansion of the Dirichlet-multinomial likelihood of a topic's counts."""
    alpha = _alpha(design @ weights)
    total = alpha + others
    log_density = gammaln(total) - gammaln(total + lengths)
    log_density += gammaln(alpha + counts) - gammaln(alpha)
    slope = psi(total) - psi(total + lengths) + psi(alpha + counts) - psi(alpha)
    bend = _trigamma(total) - _trigamma(total + lengths)
    bend += _trigamma(alpha + counts) - _trigamma(alpha)
    # Not negative, so that the proposal is a Gaussian.
    curvature = np.maximum(-alpha * (slope + alpha * bend), 0.0)
    deviation = weights - mean
    return _Expansion(
        weights,
        alpha,
        log_density.sum() - 0.5 * (precision * deviation**2).sum(),
        design.T @ (alpha * slope) - precision * deviation,
        (design * curvature[:, np.newaxis]).T @ design + np.diag(precision),
    )


def _trigamma(values):
    # Ten times as fast as SciPy's.
    return torch.special.polygamma(1, torch.from_numpy(values)).numpy()


def _alpha(logs):
    return np.exp(np.clip(logs, _MIN_LOG, _MAX_LOG))
