"""The posterior of the topics: lazily decayed rows against the plain recursion."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda.inference.bounds import topics_kl
from sklearn_amortlda.model.distributions import arithmetic_mean
from sklearn_amortlda.model.merge_split import merge_and_split
from sklearn_amortlda.model.topics import Topics

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


def step(topics, rng, rate, dtype=np.float32):
    """A step on some words; returns the new counts as (topics, all words)."""
    # The last five words never occur.
    words = np.sort(rng.choice(N_WORDS - 5, 8, replace=False))
    counts = rng.gamma(0.3, 50.0, (8, N_TOPICS)).astype(dtype)
    rows = topics.gather(torch.from_numpy(words), arithmetic_mean)
    topics.interpolate(rows, torch.from_numpy(counts), rate)
    dense = np.zeros((N_TOPICS, N_WORDS))
    dense[:, words] = counts.T
    return dense


def start(eta, rng):
    components = np.broadcast_to(eta, (N_TOPICS, N_WORDS)).astype(np.float32)
    components[:, : N_WORDS - 5] = rng.gamma(1.0, 1.0, (N_TOPICS, N_WORDS - 5))
    return components


@pytest.mark.parametrize("eta", ETA.values(), ids=ETA)
@pytest.mark.parametrize("rates", ["power", "forgetful", "cosine"])
def test_steps_equal_the_plain_recursion(eta, rates, rng):
    n_steps = 200
    rho = {
        "power": (10.0 + np.arange(n_steps)) ** -0.7,
        "forgetful": rng.choice([1.0, 0.999, 0.5, 1e-3], n_steps),
        "cosine": 0.5 * (1 + np.cos(np.pi * np.arange(n_steps) / n_steps)),
    }[rates]
    lam = start(eta, rng).astype(np.float64)
    topics = Topics(lam, eta, dtype=torch.float64, device=CPU["device"])
    for i in range(n_steps):
        counts = step(topics, rng, rho[i], np.float64)
        lam = (1.0 - rho[i]) * lam + rho[i] * (eta + counts)
        if i == 120:
            topics.apply_decay()
    assert_allclose(topics.components(), lam, rtol=1e-9)
    assert_allclose(topics.total, lam.sum(axis=1), rtol=1e-9)
    words = torch.tensor([0, 7, N_WORDS - 1])
    assert_allclose(topics.concentration(words), lam[:, words].T, rtol=1e-9)


@pytest.mark.parametrize("eta", ETA.values(), ids=ETA)
def test_topics_with_decay_applied_equal_those_restored_from_components(eta, rng):
    topics = Topics(start(eta, rng), eta, **CPU)
    for rate in (0.9, 0.3, 0.7, 0.2):
        step(topics, rng, rate)
    topics.apply_decay()
    restored = Topics(topics.components(), eta, **CPU)
    for _ in range(20):
        seed = rng.integers(1000)
        for each in (topics, restored):
            step(each, np.random.default_rng(seed), 0.1)
    assert_array_equal(topics.components(), restored.components())
    assert_array_equal(topics.total, restored.total)


def test_applied_decay_is_a_fixed_point_of_adding_and_subtracting_the_prior(rng):
    # In float32 the sum of a small count and the prior is rounded.
    components = rng.gamma(1.0, 1.0, (N_TOPICS, 50_000)).astype(np.float32)
    topics = Topics(components, np.array(0.03), **CPU)
    rows = topics.gather(torch.arange(50_000), arithmetic_mean)
    topics.interpolate(rows, torch.zeros(50_000, N_TOPICS), 0.3)
    topics.apply_decay()
    restored = Topics(topics.components(), np.array(0.03), **CPU)
    assert torch.equal(topics._counts, restored._counts)


def test_words_that_have_not_occurred_are_never_read_or_written(rng):
    topics = Topics(start(0.03, rng), np.array(0.03), **CPU)
    # An infinity would spread to all that reads these rows.
    topics._counts[N_WORDS - 5 :] = torch.inf
    for rate in (1.0, 0.5, 0.2):
        step(topics, rng, rate)
        topics.apply_decay()
        merge_and_split(topics, set(), rng)
    assert np.isfinite(topics_kl(topics))
    assert np.isfinite(topics.components()).all()
