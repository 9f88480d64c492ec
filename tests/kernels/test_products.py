"""Products and sums over the non-zeros of a batch, against dense products."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from small import dense, one_batch

from sklearn_amortlda.kernels.products import (
    SparseProduct,
    _gathered_pair_dots,
    _sampled_pair_dots,
    at_entries,
    pair_products,
    sum_by_document,
    sum_by_word,
    sum_over_documents,
    sum_over_words,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def batch(rng):
    X = rng.poisson(1.0, (5, 8))
    # No document has word 3, and document 2 has no words.
    X[:, 3] = X[2] = 0
    return one_batch(X)


def test_pair_dots_are_the_dense_product_at_the_non_zeros(rng, batch):
    theta, beta = (torch.tensor(rng.normal(size=(n, 4))) for n in batch.shape)
    expected = (theta @ beta.T)[batch.documents, batch.words]
    assert_allclose(_sampled_pair_dots(theta, beta, batch), expected)
    assert_allclose(_gathered_pair_dots(theta, beta, batch), expected)


def test_pair_products_are_never_zero(batch):
    theta, beta = (torch.zeros(n, 4, dtype=torch.float64) for n in batch.shape)
    assert pair_products(theta, beta, batch).min() > 0


def test_sums_are_those_of_the_dense_matrix(rng, batch):
    X = torch.tensor(dense(batch))
    theta, beta = (torch.tensor(rng.normal(size=(n, 4))) for n in batch.shape)
    assert_allclose(sum_over_words(batch.counts, beta, batch), X @ beta)
    assert_allclose(sum_over_documents(batch.counts, theta, batch), X.T @ theta)
    assert_allclose(sum_by_word(batch.counts, batch), X.sum(0))
    assert_allclose(sum_by_document(batch.counts, batch), X.sum(1))
    assert_allclose(at_entries(theta[:, 0], batch), theta[batch.documents, 0])


def test_sparse_product_and_its_gradient_are_dense(rng):
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


def test_products_of_small_probabilities_keep_their_digits(batch):
    # Each term is below the smallest normal number, and would lose eleven bits.
    small = np.sqrt(np.finfo(float).tiny / 3000)
    rows = [torch.full((n, 4096), small, dtype=torch.float64) for n in batch.shape]
    exact = 4096 * small * small
    assert_allclose(pair_products(*rows, batch), exact, rtol=1e-14)
