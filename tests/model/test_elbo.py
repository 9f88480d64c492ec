"""The evidence lower bound against closed forms, exact integrals and scikit-learn."""

import numpy as np
import pytest
import torch
from exact import by_importance_sampling, by_integration
from numpy.testing import assert_allclose
from scipy.special import digamma
from sklearn.decomposition import LatentDirichletAllocation
from small import (
    F64,
    Small,
    dense,
    planted,
    posterior,
    relaxed,
    split_batches,
    with_topics,
)
from torch.distributions import Dirichlet, kl_divergence

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inference.inference import _BOUND_STEPS
from sklearn_amortlda.metrics import held_out_log_likelihood
from sklearn_amortlda.model.objectives import OBJECTIVES
from sklearn_amortlda.model.statistics import draw_statistics
from sklearn_amortlda.model.topics import Topics

N_WORDS = 40


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# -- documents under given topics -----------------------------------------------------


def scores(lda, X):
    """`score` of each document."""
    return np.array([lda.score(row) for row in X[:, np.newaxis]])


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["bound", "completion"])
@pytest.mark.parametrize("alpha", [0.1, 1.0])
def test_score_is_just_below_the_exact_integral(rng, alpha, objective):
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


@pytest.mark.slow
@pytest.mark.parametrize("n_topics", [3, 5])
def test_score_is_just_below_importance_sampling_and_left_to_right(rng, n_topics):
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
    # The error of importance sampling is 0.005.
    assert gap.min() > -0.02
    assert gap.mean() < 1.5


# -- the corpus -----------------------------------------------------------------------


def elbo(X, gamma, lam, alpha, eta):
    """The ELBO of a corpus, dense, in NumPy (Hoffman et al. 2010, eq. 4)."""
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


def test_elbo_of_the_program_is_the_formula_and_the_bound_of_scikit_learn(rng):
    small = Small.random(rng, n_words=7, n_documents=20)
    X, alpha = dense(small.batch.whole), 0.3
    assert X.shape[1] == small.topics.n_features
    small.alpha = torch.full((3,), alpha, dtype=torch.float64)
    small.topics = Topics(small.topics.components(), 0.2, **F64)
    lam, gamma = small.topics.components(), small.gamma().detach().numpy()
    ours = -float(small.loss().detach()) * len(X)
    assert_allclose(ours, elbo(X, gamma, lam, np.full(3, alpha), np.full(7, 0.2)))
    assert_allclose(ours, sklearn_bound(X, gamma, lam, alpha, 0.2))


@pytest.mark.parametrize("objective", ["bound", "completion"])
def test_bound_attribute_is_the_bound_of_scikit_learn(rng, objective):
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
    """Relaxed steps of the classical E-step, dense, in NumPy."""

    def expectation(concentration):
        total = concentration.sum(axis=1, keepdims=True)
        return np.exp(digamma(concentration) - digamma(total))

    beta = expectation(components)

    def step(gamma):
        theta = expectation(gamma)
        return alpha + theta * ((X / (theta @ beta)) @ beta.T)

    return relaxed(gamma, step, n_steps)


def test_losses_of_the_batches_average_to_the_loss_of_the_corpus(rng):
    small = Small.random(rng, n_documents=12)
    # In training mode the batch norm would mix the documents of a batch.
    small.encoder.eval()
    X = dense(small.batch.whole)
    # Without the topics' divergence, which is not scaled to the corpus.
    lda = small.lda(n_documents=12, with_topic_kl=False)
    losses = [
        small.loss(lda, batch=batch).detach()
        for batch in split_batches(X, batch_size=4)
    ]
    assert len(losses) == 3
    whole = small.loss(lda, batch=next(split_batches(X)))
    assert_allclose(np.mean(losses), whole.detach())


# -- gradients ------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["bound", "completion", "sampled"])
@pytest.mark.parametrize("with_topic_kl", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_loss_and_gradients_are_those_of_the_dense_formula(
    rng, objective, with_topic_kl, weighted
):
    weights = rng.uniform(0.1, 3.0, 9) if weighted else None
    small = Small.random(rng, objective=objective, document_weights=weights)
    # No evidence: the gradient in beta is the derivative of the likelihood.
    small.objective = type(
        "Plain", (small.objective,), {"statistics": staticmethod(draw_statistics)}
    )
    lda = small.lda(n_documents=40, total_weight=55.0, with_topic_kl=with_topic_kl)
    loss = small.loss(lda)
    loss.backward()
    embedding, parameters = small.encoder.embedding, list(small.encoder.parameters())
    ours = [p.grad for p in (lda.inferred.topics.beta, embedding.gathered[1])]
    ours += [p.grad.clone() for p in parameters]

    beta, gamma = small.beta().requires_grad_(), small.gamma()
    expected = dense_loss(small, gamma, beta, with_topic_kl)
    leaves = [beta, embedding.gathered[1], *parameters]
    theirs = torch.autograd.grad(expected, leaves)
    for value, reference in zip([loss, *ours], [expected, *theirs]):
        assert_allclose(value.detach(), reference.detach(), rtol=1e-9, atol=1e-12)


def dense_loss(small, gamma, beta, with_topic_kl):
    """Minus the ELBO of 40 documents over a weight of 55, by dense products."""
    batch = small.batch.whole
    if small.objective.__base__ is OBJECTIVES["sampled"]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            theta = Dirichlet(gamma).rsample()
    else:
        theta = small.objective.theta_mean(gamma)
    log_p = (torch.tensor(dense(batch)) * torch.log(theta @ beta.T)).sum(1)
    alpha = Dirichlet(small.alpha.expand_as(gamma))
    terms = log_p - kl_divergence(Dirichlet(gamma), alpha)
    weights = 1.0 if batch.weights is None else batch.weights
    elbo = 40 / len(gamma) * (weights * terms).sum()
    if with_topic_kl:
        lam, eta = small.topics.components(), small.topics.prior
        elbo = elbo - marginal_kl(lam, eta, batch.vocabulary.numpy())
    return -elbo / 55.0


def marginal_kl(lam, eta, words):
    """KL of the topics over some words and one entry for all other words."""
    merged = []
    for concentration in (lam, np.broadcast_to(eta, lam.shape)):
        rest = np.delete(concentration, words, axis=1).sum(axis=1, keepdims=True)
        parts = [concentration[:, words]] + [rest] * bool(rest.any())
        merged.append(Dirichlet(torch.tensor(np.hstack(parts))))
    return kl_divergence(*merged).sum()


@pytest.mark.parametrize("objective", ["bound", "completion", "logistic_normal"])
def test_gradients_of_the_encoder_are_finite_differences(rng, objective):
    small = Small.random(rng, objective=objective)
    lda, embedding = small.lda(n_documents=50), small.encoder.embedding
    small.loss(lda).backward()
    words, rows = embedding.gathered
    start = rows.detach().clone()
    parameters = list(small.encoder.parameters())
    gradients = [p.grad.clone() for p in parameters]

    def difference(move, step=1e-5):
        move(step)
        above = small.loss(lda).detach()
        move(-2 * step)
        below = small.loss(lda).detach()
        move(step)
        return (above - below) / (2 * step)

    def move_rows(amount):
        start.add_(amount * direction)
        embedding.scatter(words, start)

    direction = torch.tensor(rng.normal(size=start.shape))
    slope = (rows.grad * direction).sum()
    assert_allclose(difference(move_rows), slope, rtol=1e-5, atol=1e-6)
    for parameter, gradient in zip(parameters, gradients):
        direction = torch.tensor(rng.normal(size=parameter.shape))
        slope = (gradient * direction).sum()

        def move(amount, parameter=parameter, direction=direction):
            parameter.data.add_(amount * direction)

        assert_allclose(difference(move), slope, rtol=1e-5, atol=1e-6)
