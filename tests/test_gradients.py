"""Every gradient against finite differences or closed forms, in float64."""

from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from pyro.infer import TraceMeanField_ELBO
from small import (
    F64,
    Small,
    dense,
    encoder_weights,
    one_batch,
    relaxed,
    split_batches,
)
from torch.autograd import gradcheck

from sklearn_amortlda._bag_of_words import BagOfWords
from sklearn_amortlda._distributions import (
    LogisticNormal,
    SampledDirichlet,
    geometric_mean,
)
from sklearn_amortlda._inference import RELAXATION, refine
from sklearn_amortlda._kernels import SparseProduct
from sklearn_amortlda._learner import Config, Learner, State
from sklearn_amortlda._objectives import Bound, Collapsed, Completion, _inverse_digamma
from sklearn_amortlda._schedules import Power


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_likelihood_in_theta_and_beta(rng):
    batch = one_batch(rng.poisson(1.0, (5, 8)))
    theta = torch.tensor(rng.dirichlet(np.ones(3), 5), requires_grad=True)
    beta = torch.tensor(rng.dirichlet(np.ones(batch.shape[1]), 3), requires_grad=True)

    def log_prob(theta, beta):
        return BagOfWords(theta, beta, batch).log_prob(batch.counts)

    assert gradcheck(log_prob, (theta, beta))
    expected = (dense(batch) * np.log((theta @ beta).detach().numpy())).sum(axis=1)
    assert_allclose(log_prob(theta, beta).detach(), expected)


def test_first_layer_has_rows_for_the_words_of_the_batch(rng):
    # Column 3 is in no document.
    X = rng.poisson(1.0, (5, 8))
    X[:, 3] = 0
    batch = one_batch(X)
    rows = torch.tensor(rng.normal(size=(7, 4)), requires_grad=True)
    values = torch.tensor(dense(batch))
    assert values.shape == (5, 7)
    out = SparseProduct.apply(rows, batch.counts, batch)
    assert_allclose(out.detach(), (values @ rows).detach())
    cotangent = torch.tensor(rng.normal(size=out.shape))
    (ours,) = torch.autograd.grad(out, rows, cotangent)
    (expected,) = torch.autograd.grad(values @ rows, rows, cotangent)
    assert_allclose(ours, expected, atol=1e-14)


@pytest.mark.parametrize("concentration", [0.05, 1.0, 30.0])
def test_dirichlet_draws_are_those_of_torch(rng, concentration):
    alpha = torch.tensor(rng.uniform(0.5, 1.5, (200, 4)) * concentration)
    cotangent = torch.tensor(rng.normal(size=(200, 4)))
    results = []
    with torch.random.fork_rng():
        for distribution in (
            SampledDirichlet(alpha.requires_grad_(), generator(3)),
            torch.distributions.Dirichlet(alpha),
        ):
            torch.manual_seed(3)
            draw = distribution.rsample()
            results.append([draw, *torch.autograd.grad(draw, alpha, cotangent)])
    for ours, theirs in zip(*results):
        assert torch.equal(ours, theirs)


def test_pathwise_gradient_of_a_dirichlet_moment():
    # d/dalpha E[sum_k w_k theta_k^2], in closed form.
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    alpha = torch.tensor([0.3, 1.0, 2.5], dtype=torch.float64, requires_grad=True)
    total = alpha.sum()
    moment = (weights * alpha * (alpha + 1) / (total * (total + 1))).sum()
    (expected,) = torch.autograd.grad(moment, alpha)
    each = alpha.detach().expand(400_000, 3).clone().requires_grad_()
    draws = SampledDirichlet(each, generator()).rsample()
    (gradients,) = torch.autograd.grad((weights * draws**2).sum(), each)
    error = gradients.std(0) / np.sqrt(len(each))
    assert (((gradients.mean(0) - expected) / error).abs() < 4).all()
    assert (error < 2e-3).all()


def test_logistic_normal_draw(rng):
    mu = torch.tensor(rng.normal(size=(4, 3)), requires_grad=True)
    sigma = torch.tensor(rng.uniform(0.2, 2, (4, 3)), requires_grad=True)

    def draw(mu, sigma):
        return LogisticNormal(mu, sigma, generator()).rsample()

    assert gradcheck(draw, (mu, sigma))


@pytest.mark.parametrize("objective", ["bound", "completion", "logistic_normal"])
def test_encoder_through_the_whole_loss(rng, objective):
    small = Small.random(rng, objective=objective)
    parameters = [small.words, *small.encoder.parameters()]

    def loss():
        small.objective.generator.manual_seed(0)
        return small.program(total_samples=50).loss()

    gradients = torch.autograd.grad(loss(), parameters)
    for parameter, gradient in zip(parameters, gradients):
        direction = torch.tensor(rng.normal(size=parameter.shape))
        slope = (gradient * direction).sum()
        with torch.no_grad():
            step = 1e-5
            parameter += step * direction
            above = loss()
            parameter -= 2 * step * direction
            below = loss()
            parameter += step * direction
        assert_allclose((above - below) / (2 * step), slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("objective", ["bound", "completion", "sampled"])
@pytest.mark.parametrize("with_kl", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_elbo_is_pyros_bit_for_bit(rng, objective, with_kl, weighted):
    weights = rng.uniform(0.1, 3.0, 9) if weighted else None
    small = Small.random(rng, objective=objective, document_weights=weights)
    beta = small.beta().requires_grad_()
    wanted = [beta, small.words, *small.encoder.parameters()]
    results = []
    for elbo in (None, TraceMeanField_ELBO(max_plate_nesting=1)):
        small.objective.generator.manual_seed(0)
        program = small.program(beta, with_kl=with_kl, total_samples=40)
        if elbo is None:
            loss = program.loss()
        else:
            loss = elbo.differentiable_loss(program.model, program.guide)
        gradients = torch.autograd.grad(loss, wanted)
        results.append([loss, *gradients])
    for ours, theirs in zip(*results):
        assert torch.equal(ours, theirs)


def learner(rng, objective, X, *, n_refine=0, n_topics=3):
    config = Config(
        objective=objective,
        learn_alpha=False,
        learn_eta=False,
        learning_rate=0.01,
        schedule=Power(10.0, 0.7),
        n_refine=n_refine,
        batch_size=X.shape[0],
        **F64,
    )
    state = State(
        components=rng.gamma(1.0, 1.0, (n_topics, X.shape[1])) + 0.05,
        alpha=rng.uniform(0.1, 1.0, n_topics),
        eta=rng.uniform(0.05, 0.5, X.shape[1]),
        encoder=encoder_weights(X.shape[1], n_topics, rng),
        seed=0,
    )
    return Learner(config, state)


def test_natural_gradient_is_the_fisher_preconditioned_one(rng):
    # Word 0 is in no document: its lambda moves towards the prior all the same.
    X = rng.poisson(1.0, (6, 9))
    X[:, 0] = 0
    batch = next(split_batches(X))
    model = learner(rng, "bound", X)
    total_samples, counts = 30, torch.tensor(dense(batch.whole))
    with torch.no_grad():
        outputs = model.encoder(batch.whole, model.table.rows(batch.whole.vocabulary))
        gamma = model.objective.concentration(outputs, batch.whole, model.alpha)
    eta = torch.tensor(model.topics.prior)
    lam = torch.tensor(model.topics.components().copy(), requires_grad=True)
    beta = geometric_mean(lam)[:, batch.whole.vocabulary]
    data = (counts * torch.log(geometric_mean(gamma) @ beta)).sum()
    Dirichlet = torch.distributions.Dirichlet
    kl = torch.distributions.kl_divergence(Dirichlet(lam), Dirichlet(eta)).sum()
    elbo = total_samples / len(X) * data - kl
    (gradient,) = torch.autograd.grad(elbo, lam)

    before = lam.detach()
    model.step(batch, total_samples)
    rate = model.config.schedule.topics(0)
    step = (torch.tensor(model.topics.components().copy()) - before) / rate
    for k in range(len(before)):
        fisher = torch.diag(torch.polygamma(1, before[k]))
        fisher = fisher - torch.polygamma(1, before[k].sum())
        assert_allclose(fisher @ step[k], gradient[k], rtol=1e-9, atol=1e-9)


def derivative(lesson, batch):
    """What the topics learn by, each document with weight 1 and 2 in turns."""
    weights = torch.tensor([1.0, 2.0] * batch.shape[0], dtype=torch.float64)
    weights = weights[: batch.shape[0]]
    return weights.numpy(), lesson.beta_derivative(weights).numpy()


def problem(rng, *, split):
    X = rng.poisson(0.8, (6, 9))
    X[2] = 0
    alpha = torch.tensor([0.2, 0.5, 1.0], dtype=torch.float64)
    batch = next(split_batches(X, split=split))
    n_words = batch.whole.shape[1]
    beta = torch.tensor(rng.dirichlet(np.ones(n_words), 3).T.copy())
    gamma = alpha + torch.tensor(rng.gamma(1.0, 2.0, (6, 3)))
    return batch, gamma, beta, alpha


def one_step(gamma, X, beta, alpha):
    """CVB0's plug-in step, word by word."""
    new = np.tile(alpha, (len(X), 1))
    for d, v in np.argwhere(X):
        new[d] += X[d, v] * gamma[d] * beta[v] / (gamma[d] @ beta[v])
    return new


def test_bound_teaches_the_derivative_of_the_likelihood(rng):
    batch, gamma, beta, alpha = problem(rng, split=False)
    whole = batch.whole
    lesson = Bound(0, None).lesson(gamma, batch, beta, alpha)
    weights, ours = derivative(lesson, whole)
    beta = beta.clone().requires_grad_()
    log_p = BagOfWords(geometric_mean(gamma), beta.t(), whole).log_prob(whole.counts)
    (expected,) = torch.autograd.grad(log_p @ torch.tensor(weights), beta)
    assert_allclose(ours, expected)


@pytest.mark.parametrize("n_refine", [1, 4])
def test_collapsed_teaches_without_the_words_own_topic(rng, n_refine):
    batch, gamma, beta, alpha = problem(rng, split=False)
    whole = batch.whole
    lesson = Collapsed(n_refine, None).lesson(gamma, batch, beta, alpha)
    weights, ours = derivative(lesson, whole)
    X, beta, gamma = dense(whole), beta.numpy(), gamma.numpy()
    step = partial(one_step, X=X, beta=beta, alpha=alpha.numpy())
    gamma = relaxed(gamma, step, n_refine - 1)
    refined = step(gamma)
    expected = np.zeros_like(ours)
    for d, v in np.argwhere(X):
        own = gamma[d] * beta[v] / (gamma[d] @ beta[v])
        without = refined[d] - min(X[d, v], 1.0) * own
        r = without * beta[v] / (without @ beta[v])
        expected[v] += weights[d] * X[d, v] * r / beta[v]
    assert_allclose(ours, expected, rtol=1e-10)


@pytest.mark.parametrize("n_refine", [0, 1, 3])
def test_completion_teaches_from_the_hidden_half(rng, n_refine):
    batch, gamma, beta, alpha = problem(rng, split=True)
    lesson = Completion(n_refine, None).lesson(gamma, batch, beta, alpha)
    weights, ours = derivative(lesson, batch.whole)
    observed, hidden = dense(batch.observed), dense(batch.hidden)
    assert_allclose(observed + hidden, dense(batch.whole))
    beta, gamma = beta.numpy(), gamma.numpy()
    step = partial(one_step, X=observed, beta=beta, alpha=alpha.numpy())
    gamma = relaxed(gamma, step, n_refine)
    scale = dense(batch.whole).sum() / hidden.sum()
    expected, per_topic, per_total = np.zeros_like(ours), np.zeros(3), 0.0
    for d, v in np.argwhere(hidden):
        r = gamma[d] * beta[v] / (gamma[d] @ beta[v])
        expected[v] += scale * weights[d] * hidden[d, v] * r / beta[v]
        per_topic += hidden[d, v] * r / gamma[d]
        per_total += hidden[d, v] / gamma[d].sum()
    assert_allclose(ours, expected, rtol=1e-10)
    assert_allclose(lesson.alpha_ratio, per_topic / per_total, rtol=1e-10)


def test_alpha_learned_is_where_the_bound_is_stationary(rng):
    _, gamma, _, alpha = problem(rng, split=False)
    # Only E_q[log p(theta | alpha)] has alpha in it.
    gamma = torch.distributions.Gamma(alpha, 1.0).sample((500,)) * 20 + alpha
    batch = one_batch(np.ones((500, 1)))
    for _ in range(300):
        alpha = alpha * Bound.alpha_ratio(gamma, alpha, batch)
    alpha.requires_grad_()
    log = torch.digamma(gamma) - torch.digamma(gamma.sum(1, keepdim=True))
    prior = torch.lgamma(alpha.sum()) - torch.lgamma(alpha).sum()
    (slope,) = torch.autograd.grad(prior + ((alpha - 1) * log.mean(0)).sum(), alpha)
    assert_allclose(slope, 0.0, atol=1e-6)


def test_inverse_digamma():
    x = torch.logspace(-3, 4, 50, dtype=torch.float64)
    assert_allclose(_inverse_digamma(torch.digamma(x)), x, rtol=1e-10)


def test_refine_is_the_classical_e_step(rng):
    batch, gamma, beta, alpha = problem(rng, split=False)
    ours = refine(gamma, batch.whole, beta, alpha, lambda g: g, 2)
    expected = gamma.numpy()
    for _ in range(2):
        expected = one_step(expected, dense(batch.whole), beta.numpy(), alpha.numpy())
    assert_allclose(ours, expected)


def test_relaxed_refinement_gets_nearer_to_the_same_fixed_point(rng):
    batch = one_batch(rng.poisson(0.7, (40, 30)))
    beta = torch.tensor(rng.dirichlet(np.full(batch.shape[1], 0.2), 4).T + 1e-6)
    alpha = torch.full((4,), 0.1, dtype=torch.float64)

    def theta(gamma, n_steps, relaxation):
        gamma = refine(gamma, batch, beta, alpha, lambda g: g, n_steps, relaxation)
        return gamma, gamma / gamma.sum(1, keepdim=True)

    start = alpha + torch.tensor(rng.gamma(1.0, 5.0, (40, 4)))
    fixed, goal = theta(start, 5000, 1.0)
    assert_allclose(theta(fixed, 3, RELAXATION)[1], goal, atol=1e-8)
    far = {
        steps: float((theta(start, *steps)[1] - goal).abs().mean())
        for steps in [(3, 1.0), (5, 1.0), (3, RELAXATION)]
    }
    assert far[3, RELAXATION] < 0.8 * far[3, 1.0]
    assert far[3, RELAXATION] < 1.2 * far[5, 1.0]
