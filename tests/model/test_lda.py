"""The Pyro program reads as LDA: its sites, plates and scales."""

import numpy as np
import pyro
import pytest
import torch
from numpy.testing import assert_allclose
from pyro import poutine
from small import Small

ALL = ["completion", "bound", "sampled", "logistic_normal"]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def traces(lda, batch):
    guide = poutine.trace(lda.guide).get_trace(batch)
    return guide, poutine.trace(poutine.replay(lda.model, guide)).get_trace(batch)


@pytest.mark.parametrize("objective", ALL)
def test_model_and_guide_have_the_sites_of_lda(rng, objective):
    small = Small.random(rng, objective=objective, split=objective == "completion")
    guide, model = traces(small.lda(), small.batch)
    assert list(guide.stochastic_nodes) == ["beta", "theta"]
    assert list(model.stochastic_nodes) == ["beta", "theta"]
    assert list(model.observation_nodes) == ["words"]
    n_documents, n_topics = small.batch.whole.shape[0], len(small.alpha)
    for trace in (guide, model):
        for name, size, plate in [
            ("beta", n_topics, "topics"),
            ("theta", n_documents, "documents"),
        ]:
            node = trace.nodes[name]
            assert [frame.name for frame in node["cond_indep_stack"]] == [plate]
            assert node["fn"].batch_shape == (size,)


def test_plate_scales_a_batch_to_the_corpus(rng):
    small = Small.random(rng, document_weights=np.arange(1.0, 10.0))
    n_batch = small.batch.whole.shape[0]
    lda = small.lda(n_documents=10 * n_batch, total_weight=450.0)
    _, model = traces(lda, small.batch)
    weights = small.batch.whole.weights
    assert_allclose(model.nodes["words"]["scale"], 10 * weights / 450.0)
    assert_allclose(model.nodes["theta"]["scale"], 10 * weights / 450.0)
    assert_allclose(model.nodes["beta"]["scale"], 1 / 450.0)


def test_guide_keeps_what_it_infers(rng):
    small = Small.random(rng)
    lda = small.lda()
    poutine.trace(lda.guide).get_trace(small.batch)
    assert_allclose(lda.inferred.gamma, small.gamma().detach())
    assert_allclose(lda.inferred.topics.beta.detach(), small.beta())
    assert lda.inferred.topics.beta.is_leaf


def test_plates_are_reused(rng, monkeypatch):
    small = Small.random(rng)
    lda, made = small.lda(), []
    plate = pyro.plate
    monkeypatch.setattr(pyro, "plate", lambda *a, **k: made.append(a) or plate(*a, **k))
    for _ in range(3):
        traces(lda, small.batch)
    assert len(made) == 2


def test_topic_kl_is_left_out_by_default(rng):
    small = Small.random(rng)
    with_kl, without = small.lda(), small.lda(with_topic_kl=False)
    n_documents = small.batch.whole.shape[0]
    small.encoder.eval()
    difference = (small.loss(with_kl) - small.loss(without)) * n_documents
    q, p = (
        distribution.dirichlet()
        for distribution in (
            with_kl.inferred.topics.posterior,
            with_kl.inferred.topics.prior,
        )
    )
    kl = torch.distributions.kl_divergence(q, p).sum().detach()
    assert_allclose(difference.detach(), kl)
