"""The likelihood of word counts and its gradients."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import dense, one_batch
from torch.autograd import gradcheck

from sklearn_amortlda.model.likelihood import BagOfWords


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_likelihood_is_dense_and_its_gradients_are_finite_differences(rng):
    batch = one_batch(rng.poisson(1.0, (5, 8)))
    theta = torch.tensor(rng.dirichlet(np.ones(3), 5), requires_grad=True)
    beta = torch.tensor(rng.dirichlet(np.ones(batch.shape[1]), 3), requires_grad=True)

    def log_prob(theta, beta):
        return BagOfWords(theta, beta, batch).log_prob(batch.counts)

    assert gradcheck(log_prob, (theta, beta))
    expected = (dense(batch) * np.log((theta @ beta).detach().numpy())).sum(axis=1)
    assert_allclose(log_prob(theta, beta).detach(), expected)


def test_documents_of_another_batch_shape_raise(rng):
    batch = one_batch(rng.poisson(1.0, (5, 8)))
    words = BagOfWords(torch.ones(5, 3), torch.ones(3, batch.shape[1]), batch)
    assert words.expand((5,)) is words
    with pytest.raises(ValueError, match=r"Cannot expand batch_shape \(5,\) to \(3,\)"):
        words.expand((3,))
