"""log p(w | alpha, beta) of a small document, computed without the package."""

from itertools import product

import numpy as np
from scipy.integrate import quad
from scipy.special import gammaln, logsumexp, xlogy
from scipy.stats import beta as beta_distribution
from scipy.stats import dirichlet


def by_integration(topic_word, counts, alpha):
    """log p of a document under two topics, by quadrature over theta in [0, 1]."""

    def log_likelihood(theta):
        return xlogy(counts, theta * topic_word[0] + (1 - theta) * topic_word[1]).sum()

    prior = beta_distribution(*alpha)
    largest = max(log_likelihood(theta) for theta in np.linspace(0, 1, 999))
    # Over quantiles of the prior the integrand is bounded for any alpha.
    value, _ = quad(
        lambda u: np.exp(log_likelihood(prior.ppf(u)) - largest), 0, 1, limit=500
    )
    return largest + np.log(value)


def by_enumeration(topic_word, counts, alpha):
    """log p of a document of few words, by the sum over all topic assignments."""
    words = np.repeat(np.arange(len(counts)), counts)
    log_p = []
    for topics in product(range(len(alpha)), repeat=len(words)):
        n_topic = np.bincount(topics, minlength=len(alpha))
        log_prior = (
            (gammaln(alpha + n_topic) - gammaln(alpha)).sum()
            + gammaln(alpha.sum())
            - gammaln(alpha.sum() + len(words))
        )
        log_p.append(log_prior + np.log(topic_word[list(topics), words]).sum())
    return logsumexp(log_p)


def by_importance_sampling(topic_word, counts, alpha, gamma, rng, n_samples=150_000):
    """log p of a document, by draws from Dirichlet(gamma) and wider Dirichlets.

    A mean-field posterior is too narrow: the importance weights of its draws would have
    no finite variance. Draws of all widths are weighted by the mixture of their
    densities.
    """
    widths = [alpha + share * (gamma - alpha) for share in (1.0, 0.5, 0.2, 0.05)]
    draws = [rng.dirichlet(width, n_samples // len(widths)) for width in widths]
    theta = np.clip(np.vstack(draws), 1e-300, None)
    theta = (theta / theta.sum(axis=1, keepdims=True)).T
    log_q = logsumexp([dirichlet.logpdf(theta, width) for width in widths], axis=0)
    log_joint = dirichlet.logpdf(theta, alpha) + counts @ np.log(topic_word.T @ theta)
    return logsumexp(log_joint - log_q + np.log(len(widths))) - np.log(theta.shape[1])
