"""Training is Pyro's SVI: its primitives, its ELBO, its optimizer interface."""

import numpy as np
import pyro
import pytest
import torch
from conftest import draw_corpus
from pyro.infer import SVI, TraceMeanField_ELBO
from scipy.sparse import csr_array

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.data.batches import BatchMaker
from sklearn_amortlda.data.corpus import Corpus
from sklearn_amortlda.encoder.weights import load_encoder
from sklearn_amortlda.model.lda import LDA
from sklearn_amortlda.model.objectives import OBJECTIVES
from sklearn_amortlda.model.topics import Topics
from sklearn_amortlda.training.config import make_config
from sklearn_amortlda.training.optimizers import Optimizer
from sklearn_amortlda.training.schedules import Cosine
from sklearn_amortlda.training.setup import fit_training, initial_state

ALL = ["completion", "bound", "sampled", "logistic_normal"]
CPU = torch.device("cpu")


def estimator(**parameters):
    defaults = {"n_components": 4, "hidden_layer_sizes": (8,), "max_iter": 3}
    return AmortizedLDA(**{**defaults, **parameters}, random_state=0, device="cpu")


@pytest.mark.parametrize("objective", ALL)
@pytest.mark.parametrize("primitive", ["sample", "plate"])
def test_fit_fails_where_a_pyro_primitive_fails(
    corpus, monkeypatch, objective, primitive
):
    def fail(*_, **__):
        raise RuntimeError("primitive")

    monkeypatch.setattr(pyro, primitive, fail)
    with pytest.raises(RuntimeError, match="primitive"):
        estimator(objective=objective).fit(corpus)


@pytest.mark.parametrize("objective", ALL)
def test_every_step_samples_each_site_of_guide_and_model(
    corpus, monkeypatch, objective
):
    sample, names = pyro.sample, []

    def spy(name, *args, **kwargs):
        names.append((name, kwargs.get("obs") is not None))
        return sample(name, *args, **kwargs)

    monkeypatch.setattr(pyro, "sample", spy)
    lda = estimator(objective=objective).fit(corpus)
    guide = [("beta", False), ("theta", False)]
    model = [("beta", False), ("theta", False), ("words", True)]
    assert names == (guide + model) * lda.n_batch_iter_


def svi_fit(X, objective, *, n_topics, n_epochs, batch_size, seed):
    """The topics of a loop over `pyro.infer.SVI`, as a user of Pyro writes it."""
    params = estimator(n_components=n_topics, objective=objective).get_params()
    config = make_config(params, X.shape[1], CPU, X.sum() / X.shape[0])
    corpus, tensors = Corpus(X), {"dtype": torch.float32, "device": CPU}
    state = initial_state(config, corpus.word_counts > 0, seed)
    topics = Topics(state.components, state.eta, **tensors)
    encoder = load_encoder(
        state.encoder, n_features=X.shape[1], training=True, **tensors
    )
    lda = LDA(
        topics,
        encoder,
        OBJECTIVES[objective],
        torch.tensor(state.alpha, **tensors),
        n_documents=len(corpus),
    )
    n_batches = round(len(corpus) / batch_size)
    optimizer = Optimizer(lda, Cosine(0, n_epochs * n_batches), learning_rate=0.002)
    elbo = TraceMeanField_ELBO(max_plate_nesting=1)
    svi = SVI(lda.model, lda.guide, optimizer, elbo.differentiable_loss)

    for _ in range(n_epochs):
        rng = np.random.default_rng([seed, optimizer.n_steps])
        torch_seed = int(rng.integers(2**62))
        batches = BatchMaker(corpus, **tensors).shuffled(
            [1] * n_batches, rng, split=lda.objective.splits_words
        )
        for i, batch in enumerate(batches):
            torch.manual_seed(torch_seed + i)
            svi.step(batch)
        topics.apply_decay()
    return topics.components()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("objective", ALL)
def test_bare_pyro_svi_loop_learns_the_topics_of_fit(objective, monkeypatch):
    # Merging duplicate topics comes after a step and is no part of SVI.
    monkeypatch.setattr(Cosine, "searches_duplicates", lambda *_: False)
    X = csr_array(draw_corpus(200, 4, 40, 30)[0], dtype=np.float32)
    lda = estimator(objective=objective, batch_size=50).fit(X)
    components = svi_fit(
        X, objective, n_topics=4, n_epochs=3, batch_size=50, seed=lda._seed
    )
    np.testing.assert_array_equal(lda.components_, components)
    assert not dict(pyro.get_param_store().items())


def training(X, **parameters):
    config = make_config(estimator(**parameters).get_params(), X.shape[1], CPU)
    return fit_training(config, Corpus(csr_array(X, dtype=np.float32)), seed=0)


def test_state_restores_all_that_a_step_uses(corpus):
    first, second = training(corpus), training(corpus)
    first.next_epoch()
    second.svi.restore(first.svi.state())
    first.next_epoch(), second.next_epoch()
    for name in ("components", "alpha"):
        np.testing.assert_array_equal(
            getattr(first.svi.state(), name), getattr(second.svi.state(), name)
        )
    for ours, theirs in (
        (first.svi.state().encoder, second.svi.state().encoder),
        (first.svi.state().optimizer, second.svi.state().optimizer),
    ):
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize("part", ["topics", "alpha", "encoder"])
def test_epoch_that_leaves_nan_raises(corpus, part, monkeypatch):
    fit = training(corpus)
    train = type(fit)._train

    def poisoned(self):
        bound = train(self)
        if part == "topics":
            self.svi.lda.topics._counts_total[0] = torch.nan
        elif part == "alpha":
            self.svi.lda.alpha[0] = torch.nan
        else:
            self.svi.lda.encoder.head.weight.data[0, 0] = torch.nan
        return bound

    monkeypatch.setattr(type(fit), "_train", poisoned)
    with pytest.raises(FloatingPointError, match="diverged in epoch 1"):
        fit.next_epoch()
