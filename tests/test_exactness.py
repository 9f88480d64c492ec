"""Bounds, divergences and moments against independent computation."""

import numpy as np
import pytest
import torch
from exact import by_importance_sampling, by_integration
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import digamma, polygamma
from scipy.stats import beta as beta_distribution
from scipy.stats import dirichlet
from sklearn.decomposition import LatentDirichletAllocation
from small import F64, Small, dense, one_batch, planted, relaxed, split_batches
from torch.distributions import Dirichlet, kl_divergence

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda._distributions import (
    LogisticNormal,
    PointDirichlet,
    TopicWords,
    geometric_mean,
)
from sklearn_amortlda._inference import _BOUND_STEPS, document_bound, refine
from sklearn_amortlda._topics import Topics
from sklearn_amortlda.metrics import held_out_log_likelihood

N_WORDS = 40


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def with_topics(topic_word, alpha, *, lengths=(40,) * 400, objective="bound"):
    """A model whose encoder is trained, and whose topics then are the given ones."""
    X = planted(
        np.random.default_rng(1), *topic_word.shape, lengths, topic_word=topic_word
    )[2]
    lda = AmortizedLDA(
        len(topic_word),
        doc_topic_prior=alpha,
        objective=objective,
        batch_size=64,
        max_iter=5,
        random_state=0,
        device="cpu",
    ).fit(X)
    # Close to the end of a fit to endless data.
    lda.components_ = topic_word * 1e6
    lda.topic_word_ = topic_word
    return lda


def scores(lda, X):
    """`score` of each document."""
    return np.array([lda.score(row) for row in X[:, np.newaxis]])


def posterior(lda, X):
    """gamma of each document."""
    return lda.doc_topic_posterior(X.astype(np.float32)).concentration


# -- the bound on a document's likelihood ---------------------------------------------


@pytest.mark.parametrize("objective", ["bound", "completion"])
@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_score_is_just_below_the_integral(rng, alpha, objective):
    topic_word, _, _ = planted(rng, 2, N_WORDS, [1])
    lda = with_topics(topic_word, alpha, objective=objective)
    _, _, X = planted(
        rng, 2, N_WORDS, [1, 3, 10, 40, 200] * 4, alpha=alpha, topic_word=topic_word
    )
    exact = [by_integration(topic_word, counts, [alpha] * 2) for counts in X]
    for n_refine, mean_gap in ((0, np.inf), (3, 3.0), (30, 0.6)):
        gap = exact - scores(lda.set_params(refine=n_refine), X)
        assert gap.min() > -1e-6 * np.abs(exact).max()
        assert gap.mean() < mean_gap


@pytest.mark.parametrize("n_topics", [3, 5])
def test_score_is_below_importance_sampling_which_equals_left_to_right(rng, n_topics):
    alpha = np.full(n_topics, 0.5)
    topic_word, _, X = planted(rng, n_topics, N_WORDS, [2, 10, 40] * 3, alpha=0.5)
    lda = with_topics(topic_word, 0.5).set_params(refine=20)
    gamma = posterior(lda, X)
    sampled = np.array(
        [
            by_importance_sampling(topic_word, counts, alpha, g, rng)
            for counts, g in zip(X, gamma.astype(float))
        ]
    )
    left_to_right = held_out_log_likelihood(
        topic_word, X, doc_topic_prior=alpha, n_particles=1000
    )
    assert_allclose(left_to_right, sampled, atol=0.15)
    gap = sampled - scores(lda, X)
    assert gap.min() > -0.02  # the error of importance sampling is 0.005
    assert gap.mean() < 1.5


def test_refinement_never_lowers_the_bound(rng):
    batch = one_batch(rng.poisson(0.7, (30, 20)))
    beta = torch.tensor(rng.dirichlet(np.full(batch.shape[1], 0.1), 4).T + 1e-12)
    for _ in range(50):
        alpha = torch.tensor(rng.gamma(0.5, 1.0, 4) + 1e-3)
        gamma = alpha + torch.tensor(rng.gamma(0.1, 50.0, (30, 4)))
        bounds = [document_bound(gamma, batch, beta, alpha)]
        for _ in range(5):
            gamma = refine(gamma, batch, beta, alpha, geometric_mean, 1)
            bounds.append(document_bound(gamma, batch, beta, alpha))
        rise = torch.stack(bounds).diff(dim=0)
        assert rise.min() > -1e-10
    assert rise.max() > 1e-6


def test_converged_refinement_is_stationary(rng):
    batch = one_batch(rng.poisson(0.7, (10, 20)))
    beta = torch.tensor(rng.dirichlet(np.full(batch.shape[1], 0.3), 3).T.copy())
    alpha = torch.tensor([0.3, 0.5, 1.0], dtype=torch.float64)
    start = alpha + torch.ones(10, 1).double()
    gamma = refine(start, batch, beta, alpha, geometric_mean, 2000).requires_grad_()
    log_p = torch.log(geometric_mean(gamma) @ beta.T)
    kl = kl_divergence(Dirichlet(gamma), Dirichlet(alpha.expand(10, 3)))
    bound = (torch.tensor(dense(batch)) * log_p).sum(1) - kl
    assert_allclose(document_bound(gamma.detach(), batch, beta, alpha), bound.detach())
    assert_allclose(torch.autograd.grad(bound.sum(), gamma)[0], 0.0, atol=1e-6)


# -- the evidence lower bound of the corpus -------------------------------------------


def elbo(X, gamma, lam, alpha, eta):
    """DESIGN.md section 1, after Hoffman et al. (2010), in NumPy."""
    log_theta = digamma(gamma) - digamma(gamma.sum(1, keepdims=True))
    log_beta = digamma(lam) - digamma(lam.sum(1, keepdims=True))
    likelihood = (X * np.log(np.exp(log_theta) @ np.exp(log_beta))).sum()
    return (
        likelihood
        - sum(dirichlet_kl(g, alpha) for g in gamma)
        - sum(dirichlet_kl(row, eta) for row in lam)
    )


def dirichlet_kl(q, p):
    return float(kl_divergence(*(Dirichlet(torch.as_tensor(x)) for x in (q, p))))


def sklearn_bound(X, gamma, lam, alpha, eta):
    lda = LatentDirichletAllocation(
        len(lam), doc_topic_prior=alpha, topic_word_prior=eta, total_samples=len(X)
    )
    lda._init_latent_vars(X.shape[1])
    lda.components_ = np.asarray(lam, dtype=np.float64)
    return lda._approx_bound(X, gamma.astype(np.float64), sub_sampling=False)


def test_program_is_the_formula_and_scikit_learns_bound(rng):
    small = Small.random(rng, n_words=7, n_documents=20)
    X, alpha = dense(small.batch), 0.3
    assert X.shape[1] == small.topics.n_features
    small.alpha = torch.full((3,), alpha, dtype=torch.float64)
    small.topics = Topics(small.topics.components(), 0.2, **F64)
    lam, gamma = small.topics.components(), small.gamma().detach().numpy()
    ours = -float(small.program().loss().detach())
    assert_allclose(ours, elbo(X, gamma, lam, np.full(3, alpha), np.full(7, 0.2)))
    assert_allclose(ours, sklearn_bound(X, gamma, lam, alpha, 0.2))


@pytest.mark.parametrize("objective", ["bound", "completion"])
def test_bound_attribute_is_scikit_learns(rng, objective):
    X = planted(rng, 4, 60, [50] * 200)[2]
    lda = AmortizedLDA(
        4,
        doc_topic_prior=0.2,
        topic_word_prior=0.1,
        objective=objective,
        max_iter=3,
        batch_size=50,
        random_state=0,
        device="cpu",
    ).fit(X)
    gamma = geometric_steps(posterior(lda, X), X, lda.components_, 0.2, _BOUND_STEPS)
    theirs = sklearn_bound(X, gamma, lda.components_, 0.2, 0.1)
    assert_allclose(lda.bound_, theirs, rtol=1e-6)


def geometric_steps(gamma, X, components, alpha, n_steps):
    """The textbook's E-step, over-relaxed but for the last, dense, in NumPy."""

    def expectation(concentration):
        total = concentration.sum(axis=1, keepdims=True)
        return np.exp(digamma(concentration) - digamma(total))

    beta = expectation(components)

    def step(gamma):
        theta = expectation(gamma)
        return alpha + theta * ((X / (theta @ beta)) @ beta.T)

    return relaxed(gamma, step, n_steps)


def test_batches_of_an_epoch_average_to_the_corpus(rng):
    small = Small.random(rng, n_documents=12)
    small.encoder.eval()  # batch norm would mix the documents of a batch
    X = dense(small.batch)
    # The objective of a batch without the topics' divergence, which is not scaled.
    losses = [
        small.program(batch=b.whole, with_kl=False, total_samples=12).loss().detach()
        for b in split_batches(X, batch_size=4)
    ]
    assert len(losses) == 3
    whole = small.program(batch=one_batch(X), with_kl=False, total_samples=12).loss()
    assert_allclose(np.mean(losses), whole.detach())


# -- divergences ----------------------------------------------------------------------


def topic_words(rng, n_seen, n_features=8, n_topics=3, least=0.1):
    lam, eta = rng.gamma(1.0, 1.0, (2, n_topics, n_features)) + least
    q, p = (
        TopicWords(
            torch.tensor(x[:, :n_seen].copy()), torch.tensor(x.sum(1)), n_features
        )
        for x in (lam, eta)
    )
    full = kl_divergence(Dirichlet(torch.tensor(lam)), Dirichlet(torch.tensor(eta)))
    return q, p, full, lam


@pytest.mark.parametrize("n_seen", [1, 4, 6, 7, 8])
def test_marginal_divergence_is_below_the_whole_and_equal_with_all_words(rng, n_seen):
    q, p, full, _ = topic_words(rng, n_seen)
    marginal = kl_divergence(q, p)
    if n_seen >= 7:  # a bucket of one word is that word
        assert_allclose(marginal, full)
    else:
        assert (marginal < full).all() and (marginal > 0).all()


def test_marginal_density_integrates_the_unseen_words_out(rng):
    q, _, _, lam = topic_words(rng, 2, n_features=4, least=1.0)
    seen = np.array([0.2, 0.3])
    for k in range(3):

        def density(x, k=k):
            return dirichlet.pdf([*seen, x, 0.5 - x], lam[k])

        expected, _ = quad(density, 0, 0.5, epsabs=0, epsrel=1e-7)
        assert_allclose(q.log_prob(torch.tensor(seen))[k], np.log(expected), rtol=1e-5)


@pytest.mark.parametrize("eta", [0.01, np.linspace(0.1, 1, 30_000)])
def test_topics_divergence_is_torchs(rng, eta):
    lam = rng.gamma(0.5, 1.0, (3, 30_000)) + 0.01
    topics = Topics(lam, eta, **F64)
    prior = Dirichlet(torch.tensor(np.broadcast_to(eta, 30_000).copy()))
    expected = kl_divergence(Dirichlet(torch.tensor(lam)), prior).sum()
    assert_allclose(topics.kl(), expected)
    words = torch.arange(5)
    topics.natural_gradient_step(
        words, topics.excess(words), torch.ones(5, 3).double(), 0.3
    )
    expected = kl_divergence(Dirichlet(torch.tensor(topics.components())), prior)
    assert_allclose(topics.kl(), expected.sum())


def test_divergences_by_monte_carlo(rng):
    gamma, alpha = torch.tensor([[0.5, 2.0, 5.0]]), torch.tensor([[0.3, 0.3, 0.3]])
    pairs = [
        (PointDirichlet(gamma, gamma), Dirichlet(gamma), Dirichlet(alpha)),
        (LogisticNormal.laplace(gamma), None, LogisticNormal.laplace(alpha)),
    ]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for q, drawn, p in pairs:
            if drawn is None:  # Gaussians before the softmax: the same divergence
                drawn, p_drawn = (
                    torch.distributions.Normal(x.mu, x.sigma) for x in (q, p)
                )
                x = drawn.sample((200_000,))
                ratios = (drawn.log_prob(x) - p_drawn.log_prob(x)).sum(-1)
            else:
                x = drawn.sample((200_000,))
                ratios = drawn.log_prob(x) - p.log_prob(x)
            error = float(ratios.std()) / np.sqrt(len(ratios))
            assert abs(float(kl_divergence(q, p)) - float(ratios.mean())) < 4 * error


# -- moments --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "concentration, mean_error, variance_error",
    [(100.0, 0.005, 0.01), (10.0, 0.05, 0.1), (1.0, 0.6, 0.6), (0.1, 8.0, 0.95)],
)
def test_laplace_moments_against_the_dirichlets(
    concentration, mean_error, variance_error
):
    """Of the centred logarithms: the approximation is good from 10 on, not below 1."""
    alpha = concentration * np.array([0.5, 1.0, 1.5])
    laplace = LogisticNormal.laplace(torch.tensor(alpha))
    mean = digamma(alpha) - digamma(alpha).mean()
    variance = polygamma(1, alpha) / 3 + polygamma(1, alpha).sum() / 9
    off = np.abs(laplace.mu.numpy() - mean).max()
    assert mean_error / 3 < off < mean_error
    off = np.abs(laplace.sigma.numpy() ** 2 / variance - 1).max()
    assert variance_error / 3 < off < variance_error


@pytest.mark.parametrize("mass", [3.0, 30.0, 3e4])
def test_geometric_mean_is_the_expected_logarithm(mass):
    gamma = mass * np.array([0.2, 0.3, 0.5])
    # A component of a Dirichlet is Beta(gamma, total - gamma).
    expected = [beta_distribution(g, mass - g).expect(np.log) for g in gamma]
    ours = torch.log(geometric_mean(torch.tensor(gamma)))
    assert_allclose(ours, expected, rtol=1e-5)
    assert_allclose(ours, digamma(gamma) - digamma(mass), rtol=1e-9)


# -- calibration ----------------------------------------------------------------------


def coverage(quantiles, level):
    return np.mean(np.abs(quantiles - 0.5) <= level / 2)


def mean_field_quantiles(lda, X, theta):
    """Of true proportions in their marginal posteriors, which are beta."""
    gamma = posterior(lda, X).astype(np.float64)
    return beta_distribution.cdf(theta, gamma, gamma.sum(1, keepdims=True) - gamma)


@pytest.mark.parametrize(
    "eta, narrowest, widest", [(0.02, 0.85, 0.91), (0.1, 0.7, 0.83), (1.0, 0.35, 0.65)]
)
def test_coverage_of_mean_field_under_true_topics(rng, eta, narrowest, widest):
    """Of 90 % intervals: near nominal for distinct topics, not for similar ones."""
    topic_word = rng.dirichlet(np.full(300, eta), 5)
    topic_word = (topic_word + 1e-9) / (topic_word + 1e-9).sum(axis=1, keepdims=True)
    _, theta, X = planted(rng, 5, 300, [100] * 500, topic_word=topic_word)
    lda = with_topics(topic_word, 0.3).set_params(refine=100)
    assert narrowest < coverage(mean_field_quantiles(lda, X, theta), 0.9) < widest


def test_exact_posterior_covers_and_mean_field_does_not_reach_it(rng):
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


def test_bound_of_a_vast_gamma_is_that_of_float64(rng):
    # An encoder may say anything; in float32 its divergence is off by 1,000 nats.
    batch = one_batch(rng.poisson(1.0, (8, 30)))
    beta = torch.tensor(rng.dirichlet(np.ones(batch.shape[1]), 5).T.copy())
    gamma = torch.tensor(rng.gamma(1.0, 1e8, (8, 5)))
    alpha = torch.full((5,), 0.1, dtype=torch.float64)
    double = document_bound(gamma, batch, beta, alpha)
    batch = batch.with_counts(batch.counts.float())
    single = document_bound(gamma.float(), batch, beta.float(), alpha.float())
    assert_allclose(single, double, atol=0.01)
