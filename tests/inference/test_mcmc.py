"""Markov chains against exact posteriors, and the posterior that holds their draws."""

import joblib
import numpy as np
import pytest
from conftest import small_estimator
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, vstack
from scipy.stats import beta as beta_distribution
from small import planted, with_topics

from sklearn_amortlda import DirichletPosterior, SampledPosterior
from sklearn_amortlda.inference import mcmc
from sklearn_amortlda.runtime.compiled import has_numba


@pytest.fixture(params=["compiled", "arrays"])
def sweeps(request, monkeypatch):
    """Both implementations of the sweeps."""
    if request.param == "compiled" and not has_numba():
        pytest.skip("needs the fast extra")
    monkeypatch.setattr(mcmc, "has_numba", lambda: request.param == "compiled")


def topics(rng, eta, n_topics, n_words=60):
    drawn = rng.dirichlet(np.full(n_words, eta), n_topics) + 1e-9
    return drawn / drawn.sum(axis=1, keepdims=True)


def exact_cdf(topic_word, alpha, X):
    """Values of theta_1 of two topics, and P(theta_1 <= value | words)."""
    # At quantiles of the prior, which resolve values near 0.
    grid = (np.arange(2000) + 0.5) / 2000
    shares = beta_distribution.ppf(grid, alpha[1], alpha[0])
    words = np.outer(1 - shares, topic_word[0]) + np.outer(shares, topic_word[1])
    log_p = X @ np.log(words).T
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return shares, np.cumsum(p, axis=1) / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("eta", [0.1, 10.0])
@pytest.mark.parametrize("alpha", [(0.3, 0.3), (1.0, 0.1)])
def test_draws_of_two_topics_have_the_exact_distribution(eta, alpha, sweeps):
    rng = np.random.default_rng(0)
    topic_word = topics(rng, eta, 2)
    lengths = [0, 3, 30, 200]
    _, _, X = planted(rng, 2, 60, lengths, topic_word=topic_word)
    lda = with_topics(topic_word, np.array(alpha))
    posterior = lda.doc_topic_posterior(
        X, method="mcmc", n_samples=1000, random_state=0
    )
    shares, cdf = exact_cdf(topic_word, alpha, X)
    size = posterior.effective_sample_size[:, 1]
    assert size.min() > 30
    for row in range(len(X)):
        for level in (0.1, 0.5, 0.9):
            quantile = shares[np.searchsorted(cdf[row], level)]
            expected = cdf[row, np.searchsorted(cdf[row], level)]
            found = np.mean(posterior.samples[:, row, 1] <= quantile)
            error = np.sqrt(expected * (1 - expected) / size[row])
            assert abs(found - expected) < 4 * error + 2e-3


def test_mean_of_four_topics_is_that_of_importance_sampling(sweeps):
    rng = np.random.default_rng(1)
    topic_word, alpha = topics(rng, 0.5, 4), np.array([0.8, 0.4, 0.2, 0.6])
    _, _, X = planted(rng, 4, 60, [12] * 6, topic_word=topic_word)
    draws = rng.dirichlet(alpha, 400_000)
    weights = np.exp(np.log(draws @ topic_word) @ X.T)
    expected = (weights.T @ draws) / weights.sum(axis=0)[:, np.newaxis]
    lda = with_topics(topic_word, alpha)
    posterior = lda.doc_topic_posterior(
        X, method="mcmc", n_samples=1500, random_state=0
    )
    error = posterior.std / np.sqrt(posterior.effective_sample_size)
    assert (error < 0.04).all()
    assert (np.abs(posterior.mean - expected) < 4 * error + 0.002).all()


@pytest.mark.parametrize("eta", [0.02, 1.0, 10.0])
def test_intervals_have_their_nominal_coverage(eta, sweeps):
    rng = np.random.default_rng(2)
    topic_word = topics(rng, eta, 5, 300)
    _, theta, X = planted(rng, 5, 300, [100] * 300, topic_word=topic_word)
    lda = with_topics(topic_word, 0.3)
    posterior = lda.doc_topic_posterior(X, method="mcmc", random_state=0)
    lower, upper = posterior.interval(0.9)
    # The standard error is about 0.01: entries of a row depend on each other.
    assert 0.87 < np.mean((lower <= theta) & (theta <= upper)) < 0.93


@pytest.fixture(scope="module")
def lda(corpus):
    return small_estimator().fit(corpus)


def test_draws_do_not_depend_on_the_batch(lda, corpus, sweeps):
    empty = csr_array((1, 60))
    X = csr_array(vstack([corpus[:5], empty, corpus[5:], corpus[::-1]] * 3))
    options = {"method": "mcmc", "n_samples": 4, "random_state": 0}
    expected = lda.doc_topic_posterior(X, **options).samples
    for rows in (slice(0, 1), slice(5, 6), slice(500, 530), slice(1000, 1800)):
        found = lda.doc_topic_posterior(X[rows], **options).samples
        assert_array_equal(found, expected[:, rows])


def test_draws_follow_the_random_state(lda, corpus, sweeps):
    options = {"method": "mcmc", "n_samples": 4}
    one, again, other = (
        lda.doc_topic_posterior(corpus, random_state=seed, **options).samples
        for seed in (0, 0, 1)
    )
    assert_array_equal(one, again)
    assert (one != other).any()
    assert one.shape == (4, 300, 5) and one.dtype == np.float32
    assert_allclose(one.sum(axis=2), 1.0, atol=1e-5)


def test_draws_do_not_depend_on_the_number_of_threads(lda, corpus, sweeps):
    X = csr_array(vstack([corpus] * 4))
    options = {"method": "mcmc", "n_samples": 4, "random_state": 0}
    expected = lda.doc_topic_posterior(X, **options).samples
    with joblib.parallel_config(n_jobs=3):
        found = lda.doc_topic_posterior(X, **options).samples
    assert_array_equal(found, expected)


def test_documents_of_similar_topics_get_more_sweeps():
    rng = np.random.default_rng(3)
    sizes = {}
    for eta in (0.02, 10.0):
        topic_word = topics(rng, eta, 5, 300)
        _, _, X = planted(rng, 5, 300, [200] * 50, topic_word=topic_word)
        X, alpha = csr_array(X.astype(np.float32)), np.full(5, 0.3)
        gamma = np.full((50, 5), 40.3)
        for maximum in (1, 8):
            mcmc_options = {"n_samples": 100, "seed": 0}
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(mcmc, "_MAX_THIN", maximum)
                draws = mcmc.draw_posterior(
                    X, [topic_word], alpha, gamma, **mcmc_options
                )
            sizes[eta, maximum] = draws, np.median(mcmc._size(draws))
    assert_array_equal(sizes[0.02, 1][0], sizes[0.02, 8][0])
    assert sizes[10.0, 1][1] < 25 and sizes[10.0, 8][1] > 30


def test_variational_posterior_is_the_default(lda, corpus):
    assert isinstance(lda.doc_topic_posterior(corpus), DirichletPosterior)
    assert_array_equal(lda.doc_topic_posterior(corpus).mean, lda.transform(corpus))


def test_single_topic(corpus, sweeps):
    lda = small_estimator(n_components=1).fit(corpus)
    posterior = lda.doc_topic_posterior(corpus, method="mcmc", n_samples=4)
    assert_array_equal(posterior.samples, 1.0)
    assert_array_equal(posterior.r_hat, 1.0)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"method": "gibbs"}, "method must be 'variational' or 'mcmc', got 'gibbs'"),
        ({"method": "mcmc", "n_samples": 3}, "n_samples must be an integer from 4 on"),
        ({"method": "mcmc", "n_samples": 9.0}, "n_samples must be an integer from 4"),
    ],
)
def test_invalid_options_raise(lda, corpus, options, message):
    with pytest.raises(ValueError, match=message):
        lda.doc_topic_posterior(corpus, **options)


def test_fractions_raise(lda, corpus):
    with pytest.raises(ValueError, match="X has fractions"):
        lda.doc_topic_posterior(corpus * 0.5, method="mcmc")


# -- the posterior of draws --------------------------------------------------------


@pytest.fixture
def independent():
    concentration = np.array([[8.0, 1.0, 1.0], [0.3, 0.4, 0.5]])
    dirichlet = DirichletPosterior(concentration)
    return dirichlet, SampledPosterior(dirichlet.sample(20_000, random_state=0))


def test_summaries_agree_with_the_distribution(independent):
    dirichlet, sampled = independent
    assert_allclose(sampled.mean, dirichlet.mean, atol=0.01)
    assert_allclose(sampled.std, dirichlet.std, atol=0.01)
    for found, expected in zip(sampled.interval(0.8), dirichlet.interval(0.8)):
        assert_allclose(found, expected, atol=0.02)
    draws = sampled.sample(5000, random_state=0)
    assert draws.shape == (5000, 2, 3)
    assert_allclose(draws.sum(axis=2), 1.0)
    assert_allclose(draws.mean(axis=0), dirichlet.mean, atol=0.02)


def test_independent_draws_count_fully(independent):
    _, sampled = independent
    assert_allclose(sampled.effective_sample_size, 20_000, rtol=0.1)
    assert_allclose(sampled.r_hat, 1.0, atol=0.01)


def test_size_of_an_autoregressive_chain():
    # The size of such a chain is (1 - r) / (1 + r) times its length.
    rng, r = np.random.default_rng(0), 0.9
    chain = np.zeros((50_000, 1, 2))
    for state in range(1, len(chain)):
        chain[state] = r * chain[state - 1] + rng.normal(size=(1, 2))
    size = SampledPosterior(chain).effective_sample_size
    assert_allclose(size, 50_000 * 0.1 / 1.9, rtol=0.15)


def test_chain_that_drifts_has_a_large_r_hat():
    chain = np.linspace(0, 1, 100)[:, np.newaxis, np.newaxis]
    chain = np.concatenate([chain, 1 - chain], axis=2)
    assert (SampledPosterior(chain).r_hat > 1.2).all()


@pytest.mark.parametrize("level", [0, 1, np.nan])
def test_invalid_level_raises(independent, level):
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        independent[1].interval(level)
