"""Batches hold what is in the rows, and halves of documents are fair."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from small import F64, dense, split_batches

from sklearn_amortlda._batches import BatchMaker, thin
from sklearn_amortlda._corpus import Corpus


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("count", [1.0, 3.0, 64.0, 100.0, 2.5, 0.25, 80.75])
def test_every_word_is_tossed_for(rng, count):
    counts = np.full(40_000, count)
    half = thin(counts, rng)
    words, fraction = divmod(count, 1.0)
    assert (half >= 0).all() and (half <= count).all()
    # Words left, with and without the fraction: whole numbers either way.
    rest = half % 1.0
    assert ((rest < 1e-9) | (abs(rest - fraction) < 1e-9)).all()
    variance = (words + fraction**2) / 4
    error = 5 * np.sqrt(variance / len(counts))
    assert abs(half.mean() - count / 2) < error
    assert_allclose(half.var(), variance, rtol=0.05)


def test_counts_in_a_row_are_tossed_for_independently(rng):
    half = thin(np.tile([1.0, 2.0, 70.0, 0.5], 20_000), rng).reshape(-1, 4)
    correlation = np.corrcoef(half.T)
    assert_allclose(correlation, np.eye(4), atol=0.03)


def test_half_of_very_many_is_half(rng):
    counts = np.array([1e30, 5.0, 2e9], np.float32)
    half = thin(counts, rng)
    assert half.dtype == np.float32
    assert_array_equal(half[[0, 2]], counts[[0, 2]] / 2)
    assert not len(thin(counts[:0], rng))


@pytest.mark.parametrize("n_words", [12, 70_000])
def test_word_major_is_the_transpose(rng, n_words):
    X = rng.poisson(0.2, (9, 12)) * 1.0
    X = csr_array(X)
    X.resize(9, n_words)
    maker = BatchMaker(Corpus(X), **F64)
    for split in (True, False):
        (batch,) = maker.shuffled([1], rng, split=split)
        for half in (batch.observed, batch.hidden):
            columns = csr_array(dense(half)).tocsc()
            by_word = half.by_word
            assert_array_equal(by_word.offsets, columns.indptr)
            assert_array_equal(by_word.documents, columns.indices)
            assert_array_equal(half.counts[by_word.order], columns.data)


def test_an_epoch_has_every_document_once_and_halves_make_it_whole(rng):
    X = rng.poisson(0.5, (23, 12))
    X[:, 0] = np.arange(1, 24)  # tells documents apart
    seen = []
    for batch in split_batches(X, batch_size=5, split=True):
        whole, words = dense(batch.whole), batch.whole.vocabulary
        assert_array_equal(dense(batch.observed) + dense(batch.hidden), whole)
        assert_array_equal(X[whole[:, 0].astype(int) - 1][:, words], whole)
        assert_array_equal(batch.whole.lengths, whole.sum(axis=1))
        seen.extend(whole[:, 0])
    assert sorted(seen) == list(range(1, 24))


def test_documents_without_words_make_a_batch(rng):
    X = csr_array((4, 6))
    (batch,) = BatchMaker(Corpus(X), **F64).shuffled([1], rng, split=True)
    assert batch.whole.shape == (4, 0) and not torch.any(batch.observed.lengths)
