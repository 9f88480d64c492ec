"""Threads that use one estimator: readers beside a writer, and several writers."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from conftest import draw_corpus, small_estimator

from sklearn_amortlda._fitted_model import FittedModelMixin


def read_beside(write, read):
    """Results of `read`, called again and again until `write` returns."""
    done = threading.Event()

    def reader():
        results = [read()]
        # The pause leaves the interpreter to the writer.
        while not done.wait(0.001):
            results.append(read())
        return results

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(reader) for _ in range(2)]
        try:
            write()
        finally:
            done.set()
        return [result for future in readers for result in future.result()]


def is_one_of(result, expected):
    return any(np.array_equal(result, model) for model in expected)


READERS = {
    "transform": lambda lda, X: lda.transform(X),
    "posterior": lambda lda, X: lda.doc_topic_posterior(X).mean,
    "words": lambda lda, X: lda.word_topic_posterior(X)[1],
    "score": lambda lda, X: lda.score(X),
    "perplexity": lambda lda, X: lda.perplexity(X),
}


@pytest.mark.parametrize("name", READERS)
def test_fit_that_ends_within_a_call_does_not_change_its_result(
    corpus, name, monkeypatch
):
    read, X = READERS[name], corpus[:20]
    lda = small_estimator().fit(corpus)
    expected = read(lda, X)
    wide = draw_corpus(300, 3, 90, 40)[0]
    other = small_estimator(n_components=3).fit(wide)
    check = FittedModelMixin._check_counts

    def check_and_refit(self, X, **options):
        result = check(self, X, **options)
        # As another thread does at the end of a fit.
        lda.set_params(n_components=3)._assign(other._fitted())
        return result

    with monkeypatch.context() as patch:
        patch.setattr(FittedModelMixin, "_check_counts", check_and_refit)
        np.testing.assert_array_equal(read(lda, X), expected)
    np.testing.assert_array_equal(read(lda, wide[:20]), read(other, wide[:20]))


def test_readers_beside_partial_fit_see_the_model_after_some_chunk(corpus):
    X = corpus[:20]
    chunks = [corpus[i : i + 30] for i in range(0, 300, 30)]
    stream = small_estimator(batch_size=16).partial_fit(chunks[0])
    lda = copy.deepcopy(stream)
    expected = [stream.transform(X)]
    expected += [stream.partial_fit(chunk).transform(X) for chunk in chunks[1:]]
    results = read_beside(
        lambda: [lda.partial_fit(chunk) for chunk in chunks[1:]],
        lambda: lda.transform(X),
    )
    assert all(is_one_of(result, expected) for result in results)


def test_readers_keep_the_earlier_width_until_a_refit_ends(corpus, frame):
    wide = draw_corpus(300, 5, 90, 40)[0]
    lda = small_estimator().fit(frame)
    expected = lda.transform(corpus[:20])

    def read():
        seen = vars(lda).copy()
        columns = seen["n_features_in_"], "feature_names_in_" in seen
        columns = *columns, seen["components_"].shape[1]
        try:
            return columns, lda.transform(corpus[:20])
        except ValueError as error:
            return columns, str(error)

    refused = "X has 60 features, but AmortizedLDA is expecting 90 features as input"
    for columns, result in read_beside(lambda: lda.fit(wide), read):
        assert columns in {(60, True, 60), (90, False, 90)}
        assert is_one_of(result, [expected]) or str(result).startswith(refused)


def test_threads_in_partial_fit_take_turns(corpus):
    chunks = [corpus[i : i + 30] for i in range(0, 300, 30)]
    lda = small_estimator(batch_size=16)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lda.partial_fit, chunks))
    in_turn = small_estimator(batch_size=16)
    for chunk in chunks:
        in_turn.partial_fit(chunk)
    assert lda.n_batch_iter_ == in_turn.n_batch_iter_
    assert lda.n_iter_ == in_turn.n_iter_ == len(chunks)
    assert lda._n_seen == corpus.shape[0]


def test_fits_of_one_estimator_in_threads_equal_one_fit(corpus):
    expected = small_estimator().fit(corpus).components_
    lda = small_estimator()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: lda.fit(corpus), range(4)))
    np.testing.assert_array_equal(lda.components_, expected)


def test_warm_fits_in_threads_continue_one_another(corpus):
    lda = small_estimator(warm_start=True)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: lda.fit(corpus), range(4)))
    assert lda.n_iter_ == 4 * lda.max_iter


def test_copy_keeps_the_model_of_its_moment(corpus):
    lda = small_estimator().fit(corpus)
    before = copy.copy(lda)
    theta = lda.transform(corpus)
    lda.set_params(random_state=1).fit(corpus)
    np.testing.assert_array_equal(before.transform(corpus), theta)
    assert before.random_state == 0 and type(before) is type(lda)
