"""Documents drawn from the model, against the distributions that they come from."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from sklearn_amortlda.inference.sampling import check_lengths, draw_documents

ALPHA = np.array([0.5, 0.2, 0.05])
TOPICS = np.array(
    [[0.5, 0.3, 0.2, 0.0, 0.0], [0.0, 0.0, 0.2, 0.8, 0.0], [0.1, 0.1, 0.1, 0.1, 0.6]]
)


def drawn(lengths, seed=0, alpha=ALPHA):
    rng = np.random.default_rng(seed)
    return draw_documents(alpha, TOPICS, np.asarray(lengths), rng)


def test_documents_have_the_given_lengths():
    lengths = [3, 0, 50, 1]
    counts, theta = drawn(lengths)
    assert_array_equal(counts.sum(axis=1), lengths)
    assert counts.shape == (4, 5) and counts.dtype == np.int64
    assert_allclose(theta.sum(axis=1), 1.0)


def test_words_follow_the_mixture_of_the_topics():
    counts, theta = drawn([200_000])
    p_value = chisquare(counts.toarray()[0], 200_000 * theta[0] @ TOPICS).pvalue
    assert p_value > 0.001


def test_proportions_follow_the_prior():
    _, theta = drawn(np.zeros(50_000, dtype=int))
    mean = ALPHA / ALPHA.sum()
    assert_allclose(theta.mean(axis=0), mean, atol=0.01)
    variance = mean * (1 - mean) / (ALPHA.sum() + 1)
    assert_allclose(theta.var(axis=0), variance, atol=0.01)


def test_impossible_words_are_not_drawn():
    counts, _ = drawn([1000] * 20, alpha=np.array([1e4, 1e-12, 1e-12]))
    assert not counts.toarray()[:, 3:].any()


def test_topics_in_float32_are_normalized():
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(50_000, 0.1), 2).astype(np.float32)
    counts, _ = draw_documents(np.ones(2, np.float32), topics, np.array([10]), rng)
    assert counts.sum() == 10


@pytest.mark.parametrize(
    "n_words, n_samples, message",
    [
        (5, 0, "n_samples must be a positive integer, got 0"),
        (5, 2.0, "n_samples must be a positive integer"),
        (5, True, "n_samples must be a positive integer"),
        (-1, 2, "n_words must hold integers from 0 on, got -1"),
        (2.5, 2, "n_words must hold integers"),
        (None, 2, "n_words must hold integers"),
        ([1, 2, 3], 2, r"n_words has shape \(3,\); .* shape \(2,\)"),
    ],
)
def test_invalid_sizes_raise(n_words, n_samples, message):
    with pytest.raises(ValueError, match=message):
        check_lengths(n_words, n_samples)
