"""Weighted documents and their sums."""

import numpy as np
import pytest
from conftest import draw_corpus
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, lil_array, vstack

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.data.corpus import make_corpus


def small(**parameters):
    settings = {"hidden_layer_sizes": (8,), "max_iter": 2, "random_state": 0}
    return AmortizedLDA(3, **{**settings, **parameters})


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


@pytest.mark.parametrize("weights", [None, [1, 0, 2, 3, 1, 1]])
def test_documents_without_words_are_left_out(X, weights):
    counts = X.toarray()
    counts[[0, 3]] = 0
    corpus = make_corpus(csr_array(counts), weights)
    kept = [1, 2, 4, 5] if weights is None else [2, 4, 5]
    assert_array_equal(corpus.counts.toarray(), counts[kept])
    if weights is not None:
        assert_array_equal(corpus.weights, [2, 1, 1])


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_rows_without_words_do_not_change_a_fit(
    corpus, method, weighted, early_stopping
):
    corpus = csr_array(corpus)
    empty = vstack([corpus, csr_array((500, 60), dtype=corpus.dtype)], format="csr")
    weights = np.arange(1.0, 801.0) % 5 if weighted else None
    once, padded = (
        getattr(small(early_stopping=early_stopping), method)(
            X, sample_weight=weights[: X.shape[0]] if weighted else None
        )
        for X in (corpus, empty)
    )
    assert_array_equal(once.components_, padded.components_)
    assert once.history_ == padded.history_
    assert_array_equal(once.transform(corpus), padded.transform(empty)[:300])


@pytest.mark.filterwarnings("ignore:The encoder explains:UserWarning")
@pytest.mark.parametrize("objective", ["completion", "bound", "logistic_normal"])
@pytest.mark.parametrize("n_documents", [1, 2, 3])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_few_documents_with_words_among_300_give_finite_results(
    corpus, objective, n_documents, method
):
    X = lil_array((300, 60))
    X[150 : 150 + n_documents] = corpus[:n_documents]
    lda = getattr(small(objective=objective), method)(X.tocsr())
    assert np.isfinite(lda.components_).all() and np.isfinite(lda.score(X))


@pytest.mark.parametrize("n_documents", [1, 2])
def test_early_stopping_on_few_documents_with_words_raises(corpus, n_documents):
    X = lil_array((300, 60))
    X[:n_documents] = corpus[:n_documents]
    with pytest.raises(ValueError, match=r"validation_fraction=0\.1 leaves"):
        small(early_stopping=True).fit(X.tocsr())


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("weight", [1e39, 1e10, 1e-10, 1e-40])
def test_weights_out_of_range_raise_and_keep_the_fit(corpus, weight, method):
    lda = small().fit(corpus)
    expected = lda.transform(corpus)
    for weights in (np.full(300, weight), np.r_[weight, 0.0, np.ones(298)]):
        with pytest.raises(ValueError, match="must be 0 or between 1e-09 and"):
            getattr(lda, method)(corpus, sample_weight=weights)
    assert_array_equal(lda.transform(corpus), expected)


@pytest.mark.parametrize("weight", [1e9, 1e-9])
def test_weights_at_the_ends_of_the_range_give_finite_results(corpus, weight):
    lda = small().fit(corpus, sample_weight=np.full(300, weight))
    assert np.isfinite(lda.components_).all() and np.isfinite(lda.score(corpus))


@pytest.mark.parametrize("objective", ["completion", "bound"])
@pytest.mark.parametrize("weight", [1e-5, 1e-9, 1e9])
def test_equal_weights_do_not_change_the_bound_per_word(objective, weight):
    # One batch, measured before its step: later topics are nearer the prior, because
    # words of small weight are little evidence.
    X = draw_corpus(100, 5, 60, 40)[0]
    lda = small(objective=objective, batch_size=100, max_iter=1)
    bounds = [
        lda.fit(X, sample_weight=np.full(100, w)).history_[0]["bound"]
        for w in (1.0, weight)
    ]
    assert_allclose(*bounds, rtol=1e-5)
