"""The Markov chain that learns eta and alpha."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from conftest import draw_corpus
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.data.corpus import Corpus
from sklearn_amortlda.model.topics import Topics
from sklearn_amortlda.training.loop import Training
from sklearn_amortlda.training.prior_chain import PriorChain

CPU = {"dtype": torch.float32, "device": torch.device("cpu")}


def chain_of(X, n_topics, *, learn_alpha=True, weights=None, seed=0):
    corpus = Corpus(sp.csr_array(X, dtype=np.float64), weights)
    return PriorChain(corpus, n_topics, learn_alpha, seed)


def topics_of(beta, eta=0.05):
    """Topics whose means are nearly beta."""
    return Topics(1e6 * beta + eta, np.array(eta), **CPU)


def learned(X, beta, *, n_runs=10, **settings):
    """alpha and eta after some runs that start at the true topics."""
    chain, rng = chain_of(X, len(beta), **settings), np.random.default_rng(0)
    alpha, topics = np.full(len(beta), 0.3), topics_of(beta)
    for _ in range(n_runs):
        *alpha, eta = np.exp(chain.run(topics, alpha, rng))
        alpha = np.array(alpha)
        topics.set_prior(np.array(eta))
    return alpha, eta


@pytest.mark.parametrize("alpha", [0.05, 0.2, 1.0])
def test_priors_of_known_topics_are_learned(alpha):
    X, beta, _ = draw_corpus(1000, 5, 200, 60, alpha=alpha)
    found, eta = learned(X, beta)
    assert_allclose(found, alpha, rtol=0.2)
    # `draw_corpus` has eta = 0.05.
    assert_allclose(eta, 0.05, rtol=0.15)


def test_unequal_alpha_is_learned():
    alpha = np.array([0.05, 0.1, 0.2, 0.4, 0.8])
    X, beta, _ = draw_corpus(1500, 5, 200, 60, alpha=alpha)
    assert_allclose(learned(X, beta)[0], alpha, rtol=0.2)


def test_given_alpha_of_documents_may_be_far_from_the_learned_ones():
    X, beta, _ = draw_corpus(50, 5, 200, 60, alpha=0.05)
    covariates = np.zeros((50, 1), np.float32)
    corpus = Corpus(sp.csr_array(X, dtype=np.float64), covariates=covariates)
    chain, rng = PriorChain(corpus, 5, False, 0), np.random.default_rng(0)
    chain.run(topics_of(beta), np.full(5, 1e4), rng, np.zeros((1, 5)))
    # The prior has many more pseudo-counts than the documents have words.
    assert_allclose(chain.theta, 0.2, atol=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("alpha, eta", [(1.0, 0.1)])
def test_fit_learns_both_priors_of_planted_corpora(alpha, eta):
    rng = np.random.default_rng(0)
    beta = rng.dirichlet(np.full(1000, eta), 10)
    theta = rng.dirichlet(np.full(10, alpha), 3000)
    p = theta @ beta
    X = rng.multinomial(100, p / p.sum(axis=1, keepdims=True))
    lda = AmortizedLDA(10, topic_word_prior="auto", random_state=0).fit(X)
    assert lda.doc_topic_prior_.mean() == pytest.approx(alpha, rel=0.15)
    assert lda.topic_word_prior_ == pytest.approx(eta, rel=0.15)


def test_weights_count_documents():
    few, beta, _ = draw_corpus(300, 5, 200, 60, alpha=0.05)
    many = draw_corpus(300, 5, 200, 60, alpha=1.0, seed=1)[2] @ beta
    rng = np.random.default_rng(1)
    many = rng.multinomial(60, many / many.sum(axis=1, keepdims=True))
    X = np.vstack([few.toarray(), many])
    weights = np.repeat([1.0, 1e-6], 300)
    assert_allclose(learned(X, beta, weights=weights)[0], 0.05, rtol=0.3)


def test_fractions_are_rounded_at_random():
    X = np.full((200, 50), 0.4)
    sample = chain_of(X, 3)._sample
    assert sample.occurrences.counts.sum() == pytest.approx(0.4 * X.size, rel=0.05)


def test_words_without_a_known_topic_have_some_topic():
    beta = np.array([[0.5, 0.5, 0.0], [0.4, 0.6, 0.0]])
    X = np.tile([1, 1, 1], (20, 1))
    assert np.isfinite(learned(X, beta, n_runs=2)[0]).all()


def test_draws_of_a_restored_chain_are_equal():
    X, beta, _ = draw_corpus(100, 3, 40, 20)
    topics, alpha = topics_of(beta), np.full(3, 0.1)
    first, second = chain_of(X, 3), chain_of(X, 3)
    first.run(topics, alpha, np.random.default_rng(0))
    second.restore(first.draws())
    one, other = (
        chain.run(topics, alpha, np.random.default_rng(1)) for chain in (first, second)
    )
    assert_array_equal(one, other)


@pytest.mark.parametrize("X", [np.full((20, 5), 1e-12), np.ones((20, 5))])
def test_one_topic_or_no_words(X):
    found = chain_of(X, 1).run(
        topics_of(np.full((1, 5), 0.2)), np.array([0.3]), np.random.default_rng(0)
    )
    assert np.isfinite(found).all()


def test_large_corpora_are_sampled():
    X = np.ones((3000, 20))
    sample = chain_of(X, 1000)._sample
    assert sample.occurrences.counts.sum() == 20_000
    assert len(chain_of(X[:10], 1000)._sample.documents) == 10


def test_long_documents_are_sampled():
    sample = chain_of(np.full((3, 20), 1e12), 1000)._sample
    assert sample.occurrences.counts.sum() == pytest.approx(20_000, rel=0.01)
    assert len(sample.documents) == 1


def test_merged_topics_keep_their_share():
    X, beta, _ = draw_corpus(50, 4, 40, 20)
    chain = chain_of(X, 4)
    chain.run(topics_of(beta), np.full(4, 0.1), np.random.default_rng(0))
    theta = chain.theta.copy()
    chain.merge_and_split([(0, 1, 3)])
    assert_allclose(chain.theta[:, 1], theta[:, 0] + theta[:, 1])
    assert_allclose(chain.theta[:, [0, 3]], theta[:, [3, 3]] / 2)
    assert chain.beta is None


def test_given_priors_are_not_changed():
    X = draw_corpus(200, 5, 60, 20)[0]
    lda = AmortizedLDA(
        5, doc_topic_prior=0.2, topic_word_prior="auto", random_state=0
    ).fit(X)
    assert_allclose(lda.doc_topic_prior_, 0.2)
    assert lda.topic_word_prior_ != 0.03
    lda = AmortizedLDA(5, topic_word_prior=0.07, random_state=0).fit(X)
    assert lda.topic_word_prior_ == 0.07


def test_fit_that_continues_from_a_checkpoint_has_the_priors_of_one_run(
    tmp_path, monkeypatch
):
    X = draw_corpus(300, 5, 60, 20)[0]
    settings = {"topic_word_prior": "auto", "max_iter": 8, "random_state": 0}
    expected = AmortizedLDA(5, **settings).fit(X)
    lda = AmortizedLDA(5, checkpoint=tmp_path / "fit.npz", **settings)
    train, epochs = Training._train, []

    def fail_in_the_seventh_epoch(training):
        epochs.append(training.epoch)
        if len(epochs) == 7:
            raise RuntimeError
        return train(training)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_train", fail_in_the_seventh_epoch)
        with pytest.raises(RuntimeError):
            lda.fit(X)
    lda.fit(X)
    assert_array_equal(lda.doc_topic_prior_, expected.doc_topic_prior_)
    assert lda.topic_word_prior_ == expected.topic_word_prior_
    assert_array_equal(lda.components_, expected.components_)


def test_stream_learns_both_priors():
    X = draw_corpus(3000, 5, 100, 40, alpha=0.2)[0]
    lda = AmortizedLDA(
        5, topic_word_prior="auto", batch_size=16, total_samples=3000, random_state=0
    )
    for start in range(0, 3000, 500):
        lda.partial_fit(X[start : start + 500])
    assert lda.doc_topic_prior_.mean() == pytest.approx(0.2, rel=0.3)
    assert lda.topic_word_prior_ == pytest.approx(0.05, rel=0.4)


@pytest.mark.slow
def test_processes_learn_the_same_priors():
    X = draw_corpus(4200, 5, 100, 40, alpha=0.2)[0]
    settings = {"topic_word_prior": "auto", "random_state": 0, "n_jobs": 2}
    settings["max_iter"] = 8
    first, second = (AmortizedLDA(5, **settings).fit(X) for _ in range(2))
    assert_array_equal(first.doc_topic_prior_, second.doc_topic_prior_)
    assert_allclose(first.doc_topic_prior_, 0.2, rtol=0.25)
    assert first.topic_word_prior_ == pytest.approx(0.05, rel=0.25)
