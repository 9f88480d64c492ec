"""Early stopping: documents held out, the end of training, and its step sizes."""

import numpy as np
import pytest
from conftest import draw_corpus
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.data.corpus import Corpus
from sklearn_amortlda.metrics import document_completion_perplexity
from sklearn_amortlda.training.early_stopping import HeldOutDocuments, hold_out
from sklearn_amortlda.training.schedules import Plateau


def small(**parameters):
    settings = {
        "n_components": 5,
        "hidden_layer_sizes": (8,),
        "early_stopping": True,
        "random_state": 0,
    }
    return AmortizedLDA(**{**settings, **parameters})


@pytest.fixture
def scores(monkeypatch):
    """Held-out scores of the epochs to come; the last one stays."""
    values = []

    def log_likelihood(*_):
        return (values.pop(0) if len(values) > 1 else values[0]), 1.0

    monkeypatch.setattr(HeldOutDocuments, "log_likelihood", log_likelihood)
    return values


@pytest.fixture
def rates(monkeypatch):
    """The rate of one batch at the time of each step."""
    values, original = [], Plateau.topics

    def topics(self, time, n_merged=1):
        values.append(original(self, time))
        return original(self, time, n_merged)

    monkeypatch.setattr(Plateau, "topics", topics)
    return values


# -- the end of training -----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_early_stopping_is_as_good_as_a_plain_fit_of_as_many_epochs(seed):
    X = draw_corpus(900, 8, 200, 40, seed=seed)[0]
    train, test = X[:600], X[600:]
    stopped = AmortizedLDA(
        8, max_iter=200, early_stopping=True, n_iter_no_change=3, random_state=0
    ).fit(train)
    assert stopped.n_iter_ < 100
    plain = AmortizedLDA(8, max_iter=stopped.n_iter_, random_state=0).fit(train)
    perplexity, expected = (
        document_completion_perplexity(lda, test) for lda in (stopped, plain)
    )
    assert perplexity <= 1.05 * expected


def test_rate_is_constant_then_falls_to_zero(corpus, rates):
    small(max_iter=10, n_iter_no_change=100, batch_size=16).fit(corpus)
    half = len(rates) // 2
    assert_allclose(rates[:half], 0.5)
    assert np.all(np.diff(rates[half:]) <= 0)
    assert rates[half] == 0.5 and rates[-1] < 0.002
    assert_allclose(rates[half + half // 2], 0.25, atol=0.02)


# The best epoch is the first; three stale ones follow, then four of falling rates.
@pytest.mark.parametrize("max_iter, n_epochs", [(200, 8), (6, 6), (5, 5)])
def test_stale_score_ends_training_after_as_many_epochs_again(
    corpus, scores, rates, max_iter, n_epochs
):
    scores[:] = [-1.0, -2.0]
    lda = small(max_iter=max_iter, n_iter_no_change=3, batch_size=16).fit(corpus)
    assert lda.n_iter_ == n_epochs and rates[-1] < 0.005


@pytest.mark.parametrize("max_iter", [1, 2, 3])
def test_score_that_improves_takes_all_epochs(corpus, scores, rates, max_iter):
    scores[:] = [-3.0, -2.0, -1.0]
    lda = small(max_iter=max_iter, n_iter_no_change=1, batch_size=16).fit(corpus)
    assert lda.n_iter_ == len(lda.history_) == max_iter
    assert rates[0] == 0.5 and rates[-1] < 0.01


def test_power_schedule_ends_when_the_score_is_stale(corpus, scores):
    scores[:] = [-2.0, -1.0, -3.0]
    lda = small(max_iter=50, n_iter_no_change=3, learning_schedule="power")
    assert lda.fit(corpus).n_iter_ == 5


def test_score_that_improves_while_rates_fall_does_not_prolong_training(corpus, scores):
    scores[:] = [-4.0, -5.0, -6.0, -3.0, -2.0, -1.0]
    lda = small(max_iter=50, n_iter_no_change=2).fit(corpus)
    assert lda.n_iter_ == 6


def test_warm_start_has_a_plateau_of_its_own(corpus, rates):
    lda = small(max_iter=4, n_iter_no_change=100, batch_size=16, warm_start=True)
    lda.fit(corpus)
    n_first = len(rates)
    lda.fit(corpus)
    assert_allclose(rates[n_first], 0.3)
    assert rates[-1] < 0.01
    assert len(lda.history_) == 8


# -- documents held out ------------------------------------------------------------


def test_warm_start_holds_out_the_documents_of_the_first_fit(corpus, monkeypatch):
    lda = AmortizedLDA(
        8,
        max_iter=6,
        hidden_layer_sizes=(8,),
        early_stopping=True,
        warm_start=True,
    )
    held_out, original = [], HeldOutDocuments.__init__

    def init(self, corpus, rng):
        held_out.append(corpus.counts.toarray())
        original(self, corpus, rng)

    monkeypatch.setattr(HeldOutDocuments, "__init__", init)
    lda.fit(corpus[:120]).fit(corpus[:120])
    np.testing.assert_array_equal(*held_out)


def sparse_corpus(seed):
    """30 documents, of which 10 have words."""
    rng = np.random.default_rng(seed)
    X = np.zeros((30, 12))
    X[rng.permutation(30)[:10]] = rng.poisson(1.0, (10, 12))
    return X


@pytest.mark.filterwarnings("ignore:The encoder explains:UserWarning")
@pytest.mark.parametrize("seed", range(20))
def test_score_of_documents_without_words_is_not_used(seed):
    lda = small(n_components=3, max_iter=2, random_state=seed)
    lda.fit(sparse_corpus(0))
    assert all(record["validation_score"] < 0 for record in lda.history_)


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("seed", range(20))
def test_held_out_documents_have_words_in_both_halves(seed, fraction):
    rng = np.random.default_rng(seed)
    # Half of the documents have one distinct word.
    X = rng.poisson(0.5, (40, 8)) * (rng.random((40, 1)) < 0.5)
    X[:, 0] += 3
    rest, held_out = hold_out(Corpus(csr_array(X, dtype=np.float32)), fraction, seed)
    halves = held_out.observed.counts, held_out.held_out.counts
    assert all((half.sum(axis=1) > 0).all() for half in halves)
    assert (halves[0].multiply(halves[1])).nnz == 0
    assert halves[0].sum() + halves[1].sum() + rest.counts.sum() == X.sum()


@pytest.mark.parametrize(
    "X, fraction",
    [
        # All documents that have words would be held out.
        ([[1, 2], [3, 1]], 0.9),
        # No document has two distinct words.
        ([[1, 0]] * 20 + [[0, 3]] * 20, 0.5),
        # A tenth of two documents is none.
        ([[1, 2], [3, 1]] + [[0, 1]] * 20, 0.1),
        ([[1, 2], [3, 1]] + [[0, 0]] * 20, 0.9),
    ],
)
def test_corpus_with_too_few_documents_raises(X, fraction):
    lda = small(n_components=2, max_iter=1, validation_fraction=fraction)
    with pytest.raises(ValueError, match="leaves no documents to train on, or none"):
        lda.fit(np.array(X))
    assert not hasattr(lda, "components_")
