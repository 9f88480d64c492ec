"""Batches: each document once an epoch, with its words in both orders."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from small import F64, dense, split_batches

from sklearn_amortlda.data.batches import BatchMaker
from sklearn_amortlda.data.corpus import Corpus


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("n_words", [12, 70_000])
def test_word_major_order_is_the_transpose(rng, n_words):
    X = csr_array(rng.poisson(0.2, (9, 12)) * 1.0)
    X.resize(9, n_words)
    maker = BatchMaker(Corpus(X), **F64)
    for split in (True, False):
        (batch,) = maker.shuffled([1], rng, split=split)
        for half in (batch.observed, batch.held_out):
            columns = csr_array(dense(half)).tocsc()
            by_word = half.by_word
            assert_array_equal(by_word.offsets, columns.indptr)
            assert_array_equal(by_word.documents, columns.indices)
            assert_array_equal(half.counts[by_word.order], columns.data)


def test_epoch_has_every_document_once_and_halves_sum_to_the_whole(rng):
    X = rng.poisson(0.5, (23, 12))
    # The count of word 0 identifies the document.
    X[:, 0] = np.arange(1, 24)
    seen = []
    for batch in split_batches(X, batch_size=5, split=True):
        whole, words = dense(batch.whole), batch.whole.vocabulary
        assert_array_equal(dense(batch.observed) + dense(batch.held_out), whole)
        assert_array_equal(X[whole[:, 0].astype(int) - 1][:, words], whole)
        assert_array_equal(batch.whole.lengths, whole.sum(axis=1))
        seen.extend(whole[:, 0])
    assert sorted(seen) == list(range(1, 24))


def test_documents_without_words_make_a_batch(rng):
    X = csr_array((4, 6))
    (batch,) = BatchMaker(Corpus(X), **F64).shuffled([1], rng, split=True)
    assert batch.whole.shape == (4, 0) and not torch.any(batch.observed.lengths)


def test_batches_in_order_have_one_size_and_are_padded_with_empty_documents(rng):
    X = rng.poisson(0.5, (7, 12)) * 1.0
    rows, batches = zip(*BatchMaker(Corpus(csr_array(X)), **F64).in_order(3, 3))
    assert rows == (slice(0, 3), slice(3, 6), slice(6, 7))
    for part, batch in zip(rows, batches):
        n = part.stop - part.start
        expected = X[part]
        assert_array_equal(dense(batch)[:n], expected[:, batch.vocabulary])
        assert_array_equal(batch.vocabulary, np.flatnonzero(expected.any(axis=0)))
        assert batch.shape[0] == 3 and not dense(batch)[n:].any()


@pytest.mark.parametrize("split", [True, False])
def test_encoder_reads_words_only_and_labels_are_halved(rng, split):
    X = rng.poisson(1.0, (9, 12)) * 1.0
    X[:, 10:] = rng.integers(0, 2, (9, 2)) * 3.0
    maker = BatchMaker(Corpus(csr_array(X), n_labels=2), **F64)
    (batch,) = maker.shuffled([1], rng, split=split)
    is_label = batch.whole.vocabulary >= 10
    whole, observed, held_out, read = (
        dense(part)
        for part in (batch.whole, batch.observed, batch.held_out, batch.read)
    )
    assert whole[:, is_label].sum() == X[:, 10:].sum()
    assert not read[:, is_label].any()
    assert_array_equal(read[:, ~is_label], observed[:, ~is_label])
    if split:
        assert_array_equal(observed[:, is_label], whole[:, is_label] / 2)
        assert_array_equal(observed + held_out, whole)
