"""The topics' posterior: lazily decayed rows against the recursion written out."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda._topics import Topics

N_WORDS, N_TOPICS = 30, 4
CPU = {"dtype": torch.float32, "device": torch.device("cpu")}
ETA = {
    "number": np.array(0.03),
    "vector": np.linspace(0.01, 0.5, N_WORDS),
    "matrix": np.linspace(0.01, 0.5, N_WORDS * N_TOPICS).reshape(N_TOPICS, N_WORDS),
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def step(topics, rng, rho, dtype=np.float32):
    """A step on some words; returns its statistics as (topics, all words)."""
    # The last words never occur.
    words = np.sort(rng.choice(N_WORDS - 5, 8, replace=False))
    statistics = rng.gamma(0.3, 50.0, (8, N_TOPICS)).astype(dtype)
    touched = torch.from_numpy(words)
    topics.natural_gradient_step(
        touched, topics.excess(touched), torch.from_numpy(statistics), rho
    )
    dense = np.zeros((N_TOPICS, N_WORDS))
    dense[:, words] = statistics.T
    return dense


def start(eta, rng):
    components = np.broadcast_to(eta, (N_TOPICS, N_WORDS)).astype(np.float32)
    components[:, : N_WORDS - 5] = rng.gamma(1.0, 1.0, (N_TOPICS, N_WORDS - 5))
    return components


@pytest.mark.parametrize("eta", ETA.values(), ids=ETA)
@pytest.mark.parametrize("rates", ["power", "forgetful", "cosine"])
def test_steps_are_the_recursion(eta, rates, rng):
    n_steps = 200
    rho = {
        "power": (10.0 + np.arange(n_steps)) ** -0.7,
        "forgetful": rng.choice([1.0, 0.999, 0.5, 1e-3], n_steps),
        "cosine": 0.5 * (1 + np.cos(np.pi * np.arange(n_steps) / n_steps)),
    }[rates]
    lam = start(eta, rng).astype(np.float64)
    topics = Topics(lam, eta, dtype=torch.float64, device=CPU["device"])
    for i in range(n_steps):
        statistics = step(topics, rng, rho[i], np.float64)
        lam = (1.0 - rho[i]) * lam + rho[i] * (eta + statistics)
        if i == 120:
            topics.settle()
    assert_allclose(topics.components(), lam, rtol=1e-9)
    assert_allclose(topics.total, lam.sum(axis=1), rtol=1e-9)
    words = torch.tensor([0, 7, N_WORDS - 1])
    assert_allclose(topics.concentration(words), lam[:, words].T, rtol=1e-9)


@pytest.mark.parametrize("eta", ETA.values(), ids=ETA)
def test_settled_topics_are_those_that_a_file_restores(eta, rng):
    topics = Topics(start(eta, rng), eta, **CPU)
    for rho in (0.9, 0.3, 0.7, 0.2):
        step(topics, rng, rho)
    topics.settle()
    restored = Topics(topics.components(), eta, **CPU)
    for _ in range(20):
        seed = rng.integers(1000)
        for each in (topics, restored):
            step(each, np.random.default_rng(seed), 0.1)
    assert_array_equal(topics.components(), restored.components())
    assert_array_equal(topics.total, restored.total)


def test_words_that_have_not_occurred_are_never_touched(rng):
    topics = Topics(start(0.03, rng), np.array(0.03), **CPU)
    # An infinity among them would spread to whatever read it.
    topics._excess[N_WORDS - 5 :] = torch.inf
    for rho in (1.0, 0.5, 0.2):
        step(topics, rng, rho)
        topics.settle()
        topics.recycle(rng)
    topics.learn_eta()
    assert np.isfinite(topics.kl())
    assert np.isfinite(topics.components()).all()
