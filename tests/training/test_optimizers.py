"""The optimizers: natural gradient and row-wise RMSprop, against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import F64, dense, encoder_weights, split_batches
from torch.distributions import Dirichlet, kl_divergence

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.encoder.word_embedding import WordEmbedding
from sklearn_amortlda.model import statistics
from sklearn_amortlda.model.distributions import geometric_mean
from sklearn_amortlda.training.config import make_config
from sklearn_amortlda.training.optimizers import RowwiseRMSprop
from sklearn_amortlda.training.schedules import Power
from sklearn_amortlda.training.state import State
from sklearn_amortlda.training.svi import SVI


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def small_svi(rng, X, n_documents, n_topics=3) -> SVI:
    """A training of the objective 'bound' in float64, with fixed priors."""
    alpha, eta = rng.uniform(0.1, 1.0, n_topics), rng.uniform(0.05, 0.5, X.shape[1])
    params = AmortizedLDA(
        n_topics, doc_topic_prior=alpha, topic_word_prior=eta, objective="bound"
    ).get_params()
    config = replace(make_config(params, X.shape[1], F64["device"]), **F64)
    state = State(
        components=rng.gamma(1.0, 1.0, (n_topics, X.shape[1])) + 0.05,
        alpha=alpha,
        eta=eta,
        encoder=encoder_weights(X.shape[1], n_topics, rng),
        seed=0,
    )
    schedule = Power(10.0, 0.7)
    sizes = {"n_documents": n_documents, "total_weight": n_documents}
    return SVI(config, state, schedule, **sizes)


def test_step_of_the_topics_is_preconditioned_by_the_fisher_information(
    rng, monkeypatch
):
    # The gradient of the ELBO itself, at the encoder's gamma.
    monkeypatch.setattr(statistics, "N_REFINE", 0)
    # Word 0 is in no document, and its lambda moves towards the prior.
    X = rng.poisson(1.0, (6, 9))
    X[:, 0] = 0
    batch = next(split_batches(X))
    n_documents, counts = 30, torch.tensor(dense(batch.whole))
    svi = small_svi(rng, X, n_documents)
    lda = svi.lda
    with torch.no_grad():
        gamma = lda.objective.gamma(lda.encoder(batch.whole), batch.whole, lda.alpha)
    eta = torch.tensor(lda.topics.prior)
    lam = torch.tensor(lda.topics.components().copy(), requires_grad=True)
    beta = geometric_mean(lam)[:, batch.whole.vocabulary]
    data = (counts * torch.log(geometric_mean(gamma) @ beta)).sum()
    kl = kl_divergence(Dirichlet(lam), Dirichlet(eta)).sum()
    elbo = n_documents / len(X) * data - kl
    (gradient,) = torch.autograd.grad(elbo, lam)

    before = lam.detach()
    svi.step(batch, seed=0)
    rate = svi.schedule.topics(0)
    step = (torch.tensor(lda.topics.components().copy()) - before) / rate
    for k in range(len(before)):
        fisher = torch.diag(torch.polygamma(1, before[k]))
        fisher = fisher - torch.polygamma(1, before[k].sum())
        assert_allclose(fisher @ step[k], gradient[k], rtol=1e-9, atol=1e-9)


def test_rmsprop_has_one_moment_for_each_row_and_changes_only_rows_of_the_batch(rng):
    start = rng.normal(size=(6, 4))
    embedding = WordEmbedding(start.copy(), **F64)
    rmsprop = RowwiseRMSprop(embedding, {}, **F64)
    rows, square, decay = start.copy(), np.zeros(6), RowwiseRMSprop._DECAY
    for i, words in enumerate(([0, 2, 5], [2, 3], [0, 2])):
        gradient = rng.normal(size=(len(words), 4))
        rmsprop.step(torch.tensor(words), torch.tensor(gradient), 0.1)
        mean_square = (gradient**2).mean(axis=1)
        square[words] = decay * square[words] + (1 - decay) * mean_square
        root = np.sqrt(square[words] / (1 - decay ** (i + 1)))
        rates = 0.1 * RowwiseRMSprop._RATE / (root + RowwiseRMSprop._EPSILON)
        rows[words] -= rates[:, None] * gradient
    assert_allclose(embedding.array(), rows)
    assert_allclose(rmsprop.moments()["embedding.square"], square)
    assert rmsprop.moments()["embedding.step"] == 3
    assert (embedding.array()[[1, 4]] == start[[1, 4]]).all()
