"""Draws of the topics: their distribution, and their intervals."""

import sys

import numpy as np
import pytest
from conftest import draw_corpus, small_estimator
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from sklearn_amortlda import AmortizedLDA, DirichletPosterior, SampledPosterior
from sklearn_amortlda.inference import word_topics
from sklearn_amortlda.inference.topic_chain import draw_topics
from sklearn_amortlda.inference.word_topics import Occurrences, TopicDraws, draw_counts


@pytest.fixture(params=["numba", "NumPy"])
def draw(request, monkeypatch):
    """The function that draws topics, which `TopicDraws` uses too."""
    if request.param == "NumPy":
        monkeypatch.setattr(word_topics, "has_numba", lambda: False)
        return draw_counts
    pytest.importorskip("numba")
    from sklearn_amortlda.inference import compiled_words

    return compiled_words.draw_counts


def test_topics_of_words_have_their_probabilities(draw):
    theta = np.array([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]], np.float32)
    beta = np.array([[0.2, 0.4, 0.0], [0.1, 0.1, 0.6]], np.float32)
    X = csr_array(np.array([[30_000, 30_000], [500, 0]]))
    by_document, by_word = draw(
        theta, beta, Occurrences.of(X), np.random.default_rng(0)
    )
    p = theta[0] * beta
    p /= p.sum(axis=1, keepdims=True)
    assert_allclose(by_document[0] / 60_000, p.mean(axis=0), atol=0.01)
    assert_allclose(by_word[1] / 30_000, p[1], atol=0.01)
    assert_array_equal(by_document[1], [500, 0, 0])
    assert_array_equal(by_document.sum(axis=0), by_word.sum(axis=0))


def test_words_without_a_known_topic_have_some_topic(draw):
    theta, beta = np.full((1, 2), 0.5, np.float32), np.zeros((1, 2), np.float32)
    by_document, _ = draw(
        theta, beta, Occurrences.of(csr_array([[7]])), np.random.default_rng(0)
    )
    assert by_document.sum() == 7


def test_draws_of_beta_are_those_of_one_topic(draw):
    # With one topic the posterior is Dirichlet(counts + eta).
    X = csr_array(np.array([[8, 2, 0, 0], [4, 0, 0, 1]]))
    eta = np.array([0.5, 1.0, 0.2, 0.3])
    beta = draw_topics(
        X,
        np.ones((2, 1)),
        np.full((1, 4), 0.25),
        np.ones((1, 1)),
        eta,
        n_samples=1500,
        rng=np.random.default_rng(0),
    )
    exact = DirichletPosterior(np.array([[12, 2, 0, 1]]) + eta)
    assert_allclose(beta.sum(axis=2), 1, rtol=1e-5)
    assert_allclose(beta.mean(axis=0), exact.mean, atol=0.01)
    assert_allclose(beta.std(axis=0), exact.std, rtol=0.1, atol=0.002)


def test_words_that_are_not_in_the_documents_have_the_prior():
    X = csr_array(np.array([[3, 0, 0]]))
    draws = TopicDraws(X, np.full((2, 3), 1 / 3), np.array([1.0, 2.0, 3.0]))
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(400):
        draws.draw(np.array([[1.0, 0.0]], np.float32), rng)
        beta = draws.topic_word(rng)
        shares.append(beta[:, 1] / beta[:, 1:].sum(axis=1))
    assert_allclose(np.mean(shares, axis=0), 0.4, atol=0.03)
    assert_allclose(beta.sum(axis=1), 1, rtol=1e-5)


@pytest.fixture(scope="module")
def planted():
    X, beta, _ = draw_corpus(400, 4, 80, 50)
    lda = AmortizedLDA(
        4, doc_topic_prior=0.1, topic_word_prior=0.05, max_iter=15, random_state=0
    ).fit(X)
    order = (lda.topic_word_ @ beta.T).argmax(axis=0)
    assert sorted(order) == [0, 1, 2, 3]
    return lda, X, beta, order


def coverage(posterior, beta, order):
    lower, upper = posterior.interval(0.9)
    inside = (lower[order] <= beta) & (beta <= upper[order])
    return inside[posterior.mean[order] > 1e-3].mean()


def test_intervals_cover_where_those_of_the_fit_are_too_narrow(planted):
    lda, X, beta, order = planted
    exact = lda.topic_word_posterior(X, method="mcmc", random_state=0)
    assert isinstance(exact, SampledPosterior)
    assert exact.samples.shape == (100, 4, 80)
    assert 0.82 < coverage(exact, beta, order) < 0.97
    assert coverage(exact, beta, order) > coverage(
        lda.topic_word_posterior(), beta, order
    )
    assert_allclose(exact.mean, lda.topic_word_, atol=0.02)


def test_uncertain_topics_widen_the_intervals_of_documents(planted):
    lda, X, *_ = planted
    topics = lda.topic_word_posterior(X, method="mcmc", n_samples=20, random_state=0)
    options = {"method": "mcmc", "n_samples": 100, "random_state": 0}
    known = lda.doc_topic_posterior(X[:100], **options)
    for posterior in (topics, lda.topic_word_posterior()):
        uncertain = lda.doc_topic_posterior(X[:100], **options, topics=posterior)
        assert_allclose(uncertain.samples.sum(axis=2), 1, rtol=1e-5)
        assert 1.0 < uncertain.std.mean() / known.std.mean() < 1.3
        alone = lda.doc_topic_posterior(X[7:8], **options, topics=posterior)
        assert_array_equal(alone.samples[:, 0], uncertain.samples[:, 7])


def test_equal_seeds_give_equal_topics(corpus):
    lda = small_estimator().fit(corpus)
    options = {"method": "mcmc", "n_samples": 4}
    one, two, other = (
        lda.topic_word_posterior(corpus, **options, random_state=seed).samples
        for seed in (0, 0, 1)
    )
    assert_array_equal(one, two)
    assert (one != other).any()


def test_numba_is_not_needed(corpus, monkeypatch):
    monkeypatch.setattr(word_topics, "has_numba", lambda: False)
    monkeypatch.setitem(sys.modules, "numba", None)
    lda = small_estimator().fit(corpus)
    posterior = lda.topic_word_posterior(
        corpus, method="mcmc", n_samples=4, random_state=0
    )
    assert np.isfinite(posterior.samples).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "gibbs"}, "must be 'variational' or 'mcmc'"),
        ({"method": "mcmc"}, "pass these documents"),
        ({"X": np.full((3, 60), 0.5), "method": "mcmc"}, "integer counts"),
        ({"X": np.ones((3, 60)), "method": "mcmc", "n_samples": 3}, "from 4 on"),
        ({"X": np.ones((3, 59)), "method": "mcmc"}, "59 features"),
    ],
)
def test_bad_input_of_topics_raises(corpus, arguments, message):
    lda = small_estimator().fit(corpus)
    with pytest.raises(ValueError, match=message):
        lda.topic_word_posterior(**arguments)


def test_posterior_of_other_topics_raises(corpus):
    lda = small_estimator().fit(corpus)
    other = DirichletPosterior(np.ones((4, 60)))
    for topics, message in (
        (other, "topics of shape"),
        (np.ones((5, 60)), "must be a posterior"),
    ):
        with pytest.raises(ValueError, match=message):
            lda.doc_topic_posterior(corpus, method="mcmc", topics=topics)
    with pytest.raises(ValueError, match="need method='mcmc'"):
        lda.doc_topic_posterior(corpus, topics=lda.topic_word_posterior())
