"""Lists of shards in place of X."""

import numpy as np
import pytest
from conftest import small_estimator
from numpy.testing import assert_array_equal
from scipy import sparse as sp

from sklearn_amortlda.data.shards import Shards, is_shards


class Delayed:
    """Stands for a delayed object of Dask."""

    def __init__(self, value):
        self._value = value

    def compute(self):
        return self._value

    def __call__(self):
        return Delayed(self)


def shards_of(X):
    """Three shards of different kinds."""
    return [X[:100], lambda: sp.csc_array(X[100:150]), Delayed(X[150:])]


def test_lists_of_numbers_are_no_shards(corpus):
    for X in ([[1, 2], [3, 4]], [], (1, 2), corpus, corpus.toarray(), "texts", None):
        assert not is_shards(X)
    assert is_shards(shards_of(corpus))


def test_fit_of_shards_equals_the_fit_of_all_documents(corpus):
    expected = small_estimator().fit(corpus)
    found = small_estimator().fit(shards_of(corpus))
    assert_array_equal(found.components_, expected.components_)
    assert found.n_features_in_ == 60
    empty = small_estimator().fit([corpus[:0], corpus, corpus[:0]])
    assert_array_equal(empty.components_, expected.components_)
    half = [corpus[:200].astype(np.float32), corpus[200:].astype(np.float32)]
    assert small_estimator().fit(half).components_.dtype == np.float32


def test_shards_are_dealt_in_turn(corpus):
    parts = Shards.of([corpus[i : i + 1] for i in range(5)]).dealt(2)
    assert [part.numbers for part in parts] == [[0, 2, 4], [1, 3]]
    assert_array_equal(parts[1].load().toarray(), corpus[[1, 3]].toarray())


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda X: [X, X[:, :5]], "Shard 1 has 5 columns, and other shards have 60"),
        (lambda X: [X, 3], "Item 1 of X is a int"),
        (lambda X: [X, lambda: X.toarray()], "Shard 1 is a ndarray"),
        (lambda X: [X, -X], "Shard 1: Negative values"),
        (lambda X: [X, lambda: X * np.nan], "Shard 1: Input contains NaN"),
    ],
)
def test_bad_shards_raise_and_the_fit_is_kept(corpus, change, message):
    lda = small_estimator().fit(corpus)
    before = dict(vars(lda))
    with pytest.raises(ValueError, match=message):
        lda.fit(change(corpus))
    assert vars(lda) == before


@pytest.mark.parametrize("name", ["sample_weight", "covariates"])
def test_shards_have_no_other_values(corpus, name):
    with pytest.raises(ValueError, match="leave these out"):
        small_estimator().fit([corpus], **{name: np.ones((300, 1))})


def test_shards_have_no_labels(corpus):
    y = np.arange(300) % 2
    expected = small_estimator().fit(corpus)
    assert_array_equal(
        small_estimator().fit([corpus], y).components_, expected.components_
    )
    with pytest.raises(ValueError, match="set label_weight=0"):
        small_estimator(label_weight=0.5).fit([corpus], y)


@pytest.mark.parametrize(
    "method", ["partial_fit", "fit_transform", "fit_predict", "transform", "score"]
)
def test_only_fit_takes_shards(corpus, method):
    lda = small_estimator().fit(corpus)
    before = dict(vars(lda))
    with pytest.raises(ValueError, match=f"shards, which {method} does not take"):
        getattr(lda, method)([corpus, corpus])
    assert vars(lda) == before


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_process_needs_words(corpus, n_jobs):
    empty = corpus[:0]
    shards = [empty, corpus][:n_jobs]
    with pytest.raises(ValueError, match=r"shards \[0\], all those of a process, have"):
        small_estimator(n_jobs=n_jobs).fit(shards)


def test_checkpoint_of_shards_needs_one_process(corpus, tmp_path):
    parameters = {"checkpoint": tmp_path / "fit.npz"}
    small_estimator(**parameters).fit([corpus, corpus])
    with pytest.raises(ValueError, match="set checkpoint=None or n_jobs=1"):
        small_estimator(**parameters, n_jobs=2).fit([corpus, corpus])
