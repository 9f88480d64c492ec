"""Weighted documents and their sums."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sklearn_amortlda.data.corpus import make_corpus


@pytest.fixture
def X():
    return csr_array(np.random.default_rng(0).poisson(1.0, (6, 5)) * 1.0)


def test_sums_are_those_of_repeated_documents(X):
    times = np.array([0, 1, 2, 3, 0, 1])
    weighted, repeated = (
        make_corpus(X, times),
        make_corpus(X[np.repeat(range(6), times)], None),
    )
    assert weighted.total() == repeated.total() == len(repeated) == 7
    assert weighted.n_words == repeated.n_words
    assert_allclose(weighted.word_counts, repeated.word_counts)
    lengths = weighted.counts.sum(axis=1)
    assert weighted.total(lengths) == weighted.n_words


def test_documents_of_weight_zero_are_left_out(X):
    corpus = make_corpus(X, [0, 1, 0, 2, 1, 1])
    assert_array_equal(corpus.counts.toarray(), X.toarray()[[1, 3, 4, 5]])
    assert_array_equal(corpus.weights, [1, 2, 1, 1])


def test_rows_of_a_corpus_keep_their_weights(X):
    part = make_corpus(X, np.arange(1.0, 7.0))[[4, 0]]
    assert_array_equal(part.counts.toarray(), X.toarray()[[4, 0]])
    assert_array_equal(part.weights, [5.0, 1.0])
