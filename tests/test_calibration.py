"""Coverage of the credible intervals of topic proportions under the true topics."""

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution
from small import planted, posterior, with_topics


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def coverage(quantiles, level):
    return np.mean(np.abs(quantiles - 0.5) <= level / 2)


def mean_field_quantiles(lda, X, theta):
    """Quantiles of the true proportions in their marginal posteriors."""
    gamma = posterior(lda, X).astype(np.float64)
    return beta_distribution.cdf(theta, gamma, gamma.sum(1, keepdims=True) - gamma)


@pytest.mark.parametrize(
    "eta, narrowest, widest", [(0.02, 0.85, 0.91), (0.1, 0.7, 0.83), (1.0, 0.35, 0.65)]
)
def test_coverage_is_near_nominal_for_distinct_topics_and_low_for_similar_ones(
    rng, eta, narrowest, widest
):
    topic_word = rng.dirichlet(np.full(300, eta), 5)
    topic_word = (topic_word + 1e-9) / (topic_word + 1e-9).sum(axis=1, keepdims=True)
    _, theta, X = planted(rng, 5, 300, [100] * 500, topic_word=topic_word)
    lda = with_topics(topic_word, 0.3).set_params(refine=100)
    assert narrowest < coverage(mean_field_quantiles(lda, X, theta), 0.9) < widest


def test_exact_posterior_has_nominal_coverage_and_mean_field_less(rng):
    topic_word, theta, X = planted(rng, 2, 20, [30] * 800, alpha=0.5)
    # The posterior of theta_0 on a grid of the prior's quantiles.
    grid = (np.arange(2000) + 0.5) / 2000
    shares = beta_distribution.ppf(grid, 0.5, 0.5)
    log_words = np.log(
        np.outer(shares, topic_word[0]) + np.outer(1 - shares, topic_word[1])
    )
    log_p = X @ log_words.T
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    prior_rank = beta_distribution.cdf(theta[:, :1], 0.5, 0.5)
    exact = (p * (grid < prior_rank)).sum(axis=1) / p.sum(axis=1)
    lda = with_topics(topic_word, 0.5).set_params(refine=100)
    mean_field = mean_field_quantiles(lda, X, theta)[:, 0]
    for level in (0.5, 0.8, 0.9):
        error = np.sqrt(level * (1 - level) / len(X))
        assert abs(coverage(exact, level) - level) < 4 * error
        assert coverage(mean_field, level) < coverage(exact, level)
