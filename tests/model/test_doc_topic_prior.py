"""Learning of alpha: fixed points and its range."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import one_batch

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.model.doc_topic_prior import (
    initial_alpha,
    inverse_digamma,
    merge_and_split,
    posterior_ratio,
    update,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_bound_is_stationary_at_the_learned_alpha(rng):
    alpha = torch.tensor([0.2, 0.5, 1.0], dtype=torch.float64)
    # E_q[log p(theta | alpha)] is the only term that depends on alpha.
    gamma = torch.tensor(rng.gamma(alpha, 1.0, (500, 3))) * 20 + alpha
    batch = one_batch(np.ones((500, 1)))
    for _ in range(300):
        alpha = alpha * posterior_ratio(gamma, alpha, batch)
    alpha.requires_grad_()
    log = torch.digamma(gamma) - torch.digamma(gamma.sum(1, keepdim=True))
    prior = torch.lgamma(alpha.sum()) - torch.lgamma(alpha).sum()
    (slope,) = torch.autograd.grad(prior + ((alpha - 1) * log.mean(0)).sum(), alpha)
    assert_allclose(slope, 0.0, atol=1e-6)


def test_weights_are_repetitions(rng):
    alpha = torch.tensor([0.2, 0.5, 1.0], dtype=torch.float64)
    times = np.array([1.0, 3.0, 2.0])
    gamma = alpha + torch.tensor(rng.gamma(1.0, 5.0, (3, 3)))
    # `one_batch` shuffles the documents: the weights are those of the batch.
    batch = one_batch(np.ones((3, 1)), times)
    repeated = gamma.repeat_interleave(batch.weights.long(), 0)
    ours = posterior_ratio(gamma, alpha, batch)
    theirs = posterior_ratio(repeated, alpha, one_batch(np.ones((6, 1))))
    assert_allclose(ours, theirs)


def test_inverse_digamma_inverts_digamma():
    x = torch.logspace(-3, 4, 50, dtype=torch.float64)
    assert_allclose(inverse_digamma(torch.digamma(x)), x, rtol=1e-10)


def test_update_is_a_power_of_the_ratio_within_a_range():
    alpha = torch.tensor([0.1, 0.1, 0.1])
    ratio = torch.tensor([4.0, 1e-9, 1e9])
    assert_allclose(update(alpha, ratio, 0.5), [0.2, 1e-3, 5.0], rtol=1e-6)
    assert_allclose(update(alpha, ratio, 0.0), alpha)


def test_initial_alpha_falls_by_zipfs_law_and_seeded_topics_come_last():
    alpha = initial_alpha(4, 0.03)
    assert_allclose(alpha.mean(), 0.1)
    assert_allclose(alpha[0] / alpha, [1.0, 2.0, 3.0, 4.0])
    eta = np.full((4, 6), 0.03)
    eta[1, 2] = 100.0
    assert_allclose(initial_alpha(4, eta), alpha[[0, 3, 1, 2]])


@pytest.mark.parametrize(
    "n_topics, mean_length, total",
    [
        (20, None, 2.0),
        (20, 100, 2.0),
        (200, None, 5.0),
        (200, 100, 5.0),
        (200, 16, 2.0),
    ],
)
def test_sum_of_initial_alpha_is_bounded(n_topics, mean_length, total):
    alpha = initial_alpha(n_topics, 0.03, mean_length)
    assert_allclose(alpha.sum(), total)
    assert_allclose(alpha[0] / alpha[-1], n_topics)


def test_initial_alpha_of_each_topic_is_bounded_below():
    alpha = initial_alpha(1000, 0.03, 4)
    assert_allclose(alpha[-1], 1e-3)
    # Topics above the bound are not scaled.
    shares = 1.0 / np.arange(1, 1001)
    assert_allclose(alpha[:10], 0.5 * shares[:10] / shares.sum())


@pytest.mark.parametrize("length", [4, 12])
def test_many_topics_of_short_documents_start_below_an_eighth_of_the_length(length):
    X = np.random.default_rng(0).multinomial(length, np.full(40, 1 / 40), 100)
    # The power schedule leaves alpha as it is for the first `learning_offset` batches.
    lda = AmortizedLDA(
        50,
        doc_topic_prior="auto",
        learning_schedule="power",
        learning_offset=1000.0,
        hidden_layer_sizes=(8,),
        max_iter=1,
        random_state=0,
    ).fit(X)
    assert lda.doc_topic_prior_.sum() <= 1.03 * length / 8
    assert lda.doc_topic_prior_.min() >= np.float32(1e-3)


def test_alpha_of_merged_and_split_topics_keeps_its_sum():
    alpha = torch.tensor([0.1, 0.2, 0.4, 0.8], dtype=torch.float64)
    merge_and_split(alpha, [(0, 1, 3)])
    assert_allclose(alpha, [0.4, 0.3, 0.4, 0.4])
