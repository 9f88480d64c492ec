"""Left-to-right estimator against exact likelihoods of small models."""

import numpy as np
import pytest
from exact import by_enumeration, by_integration
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import digamma, gammaln, logsumexp
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_amortlda.metrics import held_out_log_likelihood
from sklearn_amortlda.metrics._likelihood import _resample


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("alpha", [[0.05, 0.1], [0.5, 0.5], [3.0, 7.0]])
def test_two_topics_equal_the_integral(rng, alpha):
    topic_word = rng.dirichlet(np.full(12, 0.3), 2) + 1e-3
    topic_word /= topic_word.sum(axis=1, keepdims=True)
    X = np.array(
        [
            rng.multinomial(n, t @ topic_word)
            for n, t in zip([1, 3, 10, 40, 150], rng.dirichlet(alpha, 5))
        ]
    )
    exact = [by_integration(topic_word, counts, alpha) for counts in X]
    estimate = held_out_log_likelihood(
        topic_word, X, doc_topic_prior=alpha, n_particles=1000
    )
    assert_allclose(estimate, exact, atol=0.15)


def test_three_topics_equal_the_sum_over_assignments(rng):
    topic_word, alpha = rng.dirichlet(np.full(5, 0.5), 3), np.array([0.2, 0.5, 1.0])
    X = rng.multinomial(7, np.full(5, 0.2), size=4)
    exact = [by_enumeration(topic_word, counts, alpha) for counts in X]
    estimate = held_out_log_likelihood(
        topic_word, X, doc_topic_prior=alpha, n_particles=5000
    )
    assert_allclose(estimate, exact, atol=0.05)


@pytest.mark.parametrize("n_particles, length", [(2, 7), (8, 25)])
def test_estimate_is_unbiased_in_p_and_low_in_log_p(rng, n_particles, length):
    # With few particles the bias of log p is large enough to test. Eight particles are
    # also resampled.
    topic_word, alpha = rng.dirichlet(np.full(5, 0.3), 2), np.full(2, 0.1)
    counts = rng.multinomial(length, np.full(5, 0.2))
    exact = by_integration(topic_word, counts, alpha)
    estimate = held_out_log_likelihood(
        topic_word,
        np.tile(counts, (2000, 1)),
        doc_topic_prior=alpha,
        n_particles=n_particles,
    )
    error = estimate - exact
    ratio = np.exp(error)
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(ratio))
    assert error.mean() < -4 * error.std() / np.sqrt(len(error))
    # The docstring states this bound, Markov's inequality.
    for nats in (1.0, 2.0):
        assert np.mean(error > nats) <= np.exp(-nats)


def test_one_topic_equals_the_closed_form():
    one_topic = held_out_log_likelihood([[3, 1]], [[2, 1], [0, 0]], doc_topic_prior=0.1)
    assert_allclose(one_topic, [2 * np.log(0.75) + np.log(0.25), 0.0])


def test_equal_topics_equal_one_topic():
    same = held_out_log_likelihood(
        np.ones((4, 5)), [[3, 0, 1, 9, 0]], doc_topic_prior=1
    )
    assert_allclose(same, 13 * np.log(0.2))


def test_single_word_equals_the_closed_form():
    # p = sum_k alpha_k beta_k / sum_k alpha_k.
    single = held_out_log_likelihood(
        [[3, 1], [1, 3]], [[1, 0]], doc_topic_prior=[1, 3], n_particles=1
    )
    assert_allclose(single, np.log((0.75 + 3 * 0.25) / 4))


def test_word_without_weight_in_any_topic_has_probability_zero():
    topics = [[1, 0, 0], [0, 1, 0]]
    estimate = held_out_log_likelihood(
        topics, [[1, 0, 1], [1, 1, 0]], doc_topic_prior=1
    )
    assert estimate[0] == -np.inf and np.isfinite(estimate[1])


def test_more_particles_reduce_the_error(rng):
    topic_word = rng.dirichlet(np.full(200, 0.05), 10)
    X = np.tile(
        rng.multinomial(60, rng.dirichlet(np.full(10, 0.1)) @ topic_word), (30, 1)
    )
    spread = [
        held_out_log_likelihood(
            topic_word, X, doc_topic_prior=0.1, n_particles=n_particles
        ).std()
        for n_particles in (4, 100)
    ]
    assert spread[1] < spread[0] / 2


def test_tiny_alpha_and_long_documents_stay_finite(rng):
    # Most Gamma(0.001) draws underflow to 0 in float64.
    topic_word = rng.dirichlet(np.full(30, 0.1), 3)
    X = np.array([[2000, *[0] * 29], rng.multinomial(50, topic_word[1])])
    estimate = held_out_log_likelihood(topic_word, X, doc_topic_prior=1e-3)
    assert np.isfinite(estimate).all()
    # A small alpha gives each document one topic: p is the mean of the topics' p.
    expected = logsumexp(X[0] @ np.log(topic_word.T)) - np.log(3)
    assert_allclose(estimate[0], expected, rtol=2e-2)


@pytest.mark.parametrize(
    "container", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_array, np.asarray]
)
def test_estimate_depends_on_the_seed_but_not_on_the_container(rng, container):
    topic_word, X = rng.dirichlet(np.ones(6), 3), rng.poisson(1.0, (5, 6))
    expected = held_out_log_likelihood(topic_word, X, doc_topic_prior=0.5)
    again = held_out_log_likelihood(
        7 * topic_word, container(X), doc_topic_prior=[0.5] * 3
    )
    assert_allclose(again, expected)
    other = held_out_log_likelihood(topic_word, X, doc_topic_prior=0.5, random_state=1)
    assert np.any(other != expected)


def test_particles_are_resampled_in_proportion_to_their_weights(rng):
    weights = np.array([0.0, 0.5, 3.0, 1.0, 0.5])
    kept = [np.bincount(_resample(weights, rng), minlength=5) for _ in range(4000)]
    assert_allclose(np.mean(kept, axis=0), weights, atol=0.04)
    # Systematic resampling deviates from the expected number by less than 1.
    assert np.abs(kept - weights).max() < 1


def test_estimate_exceeds_the_bound_of_scikit_learn(rng):
    X = rng.poisson(3 * rng.dirichlet(np.full(3, 0.3), 80) @ rng.gamma(0.3, 2, (3, 20)))
    X = X.astype(np.float64)
    lda = LatentDirichletAllocation(3, doc_topic_prior=0.5, random_state=0).fit(X)
    estimate = held_out_log_likelihood(
        lda.components_, X[:30], doc_topic_prior=lda.doc_topic_prior_
    )
    gamma = lda._unnormalized_transform(X[:30])
    total = gamma.sum(axis=1)
    log_theta = digamma(gamma) - digamma(total)[:, np.newaxis]
    topics = lda.components_ / lda.components_.sum(axis=1, keepdims=True)
    kl = (
        gammaln(total)
        - gammaln(1.5)
        - (gammaln(gamma) - gammaln(0.5) - (gamma - 0.5) * log_theta).sum(axis=1)
    )
    bound = (X[:30] * np.log(np.exp(log_theta) @ topics)).sum(axis=1) - kl
    assert np.all(estimate > bound - 0.3)
    assert 0 < np.mean(estimate - bound) < 1


def test_duplicate_entries_are_added_up_and_X_is_kept():
    X = sparse.csr_matrix(([1, 2, 1], [1, 1, 0], [0, 3]), shape=(1, 2))
    topics = [[0.9, 0.1], [0.2, 0.8]]
    estimate = held_out_log_likelihood(topics, X, doc_topic_prior=1)
    assert_array_equal(
        estimate, held_out_log_likelihood(topics, [[1, 3]], doc_topic_prior=1)
    )
    assert X.nnz == 3


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"X": [[0.5, 1]]}, "integer counts"),
        ({"X": [[1, 1, 1]]}, "X has 3 words"),
        ({"X": [[1, -1]]}, "Negative values"),
        ({"model": [[0, 0], [1, 1]]}, "Row 0 of topic_word"),
        ({"doc_topic_prior": [1, 1, 1]}, "one for each row of topic_word"),
        ({"doc_topic_prior": 0}, "positive and finite"),
        ({"doc_topic_prior": [1, np.nan]}, "positive and finite"),
        ({"n_particles": 0}, "n_particles must be"),
        ({"n_particles": 2.0}, "n_particles must be"),
    ],
)
def test_invalid_input_raises_with_its_cause(changed, message):
    good = {"model": np.eye(2), "X": [[1, 1]], "doc_topic_prior": 1.0}
    with pytest.raises(ValueError, match=message):
        held_out_log_likelihood(**{**good, **changed})


def test_estimators_have_their_topics_and_prior(lda, counts):
    expected = held_out_log_likelihood(
        lda.components_, counts, doc_topic_prior=lda.doc_topic_prior_, n_particles=2
    )
    found = held_out_log_likelihood(lda, counts, n_particles=2)
    assert_array_equal(found, expected)
    pipeline = make_pipeline(FunctionTransformer(accept_sparse=True), lda)
    found = held_out_log_likelihood(pipeline, counts, n_particles=2)
    assert_array_equal(found, expected)
    other = held_out_log_likelihood(lda, counts, doc_topic_prior=2.0, n_particles=2)
    assert (other != expected).any()


def test_topics_without_a_prior_raise(lda, counts):
    with pytest.raises(ValueError, match="doc_topic_prior is missing"):
        held_out_log_likelihood(lda.components_, counts)


def test_unfitted_estimator_raises(counts):
    with pytest.raises(NotFittedError):
        held_out_log_likelihood(LatentDirichletAllocation(), counts)
