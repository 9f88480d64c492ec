"""Learning of eta as one number."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from small import F64

from sklearn_amortlda.model.topic_word_prior import learn_eta
from sklearn_amortlda.model.topics import Topics


def learned(counts, start, n_steps):
    topics = Topics(counts + start, start, **F64)
    for _ in range(n_steps):
        learn_eta(topics)
    return topics


@pytest.mark.parametrize("eta", [0.02, 0.1, 0.5])
def test_eta_of_planted_topics_is_learned(eta):
    rng = np.random.default_rng(0)
    beta = rng.dirichlet(np.full(2000, eta), 8)
    counts = rng.poisson(50_000 * beta).astype(np.float64)
    for start in (0.01, 1.0):
        found = float(learned(counts, start, 300).prior)
        assert_allclose(found, eta, rtol=0.25)


def test_learning_of_eta_keeps_the_expected_counts():
    counts = np.random.default_rng(0).gamma(0.3, 5.0, (3, 20))
    topics = learned(counts, 0.03, 5)
    assert topics.prior.shape == () and topics.prior != 0.03
    assert_allclose(topics.components(), counts + topics.prior)
    assert_allclose(topics.total, (counts + topics.prior).sum(axis=1))
