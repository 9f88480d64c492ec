"""Posteriors that users read: distributions against SciPy, word topics by hand."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from scipy.special import digamma
from sklearn.utils import check_random_state

from sklearn_amortlda import AmortizedLDA, DirichletPosterior

CONCENTRATION = np.array([[8.0, 1.0, 0.5], [0.02, 300.0, 40.0]])


@pytest.fixture(scope="module")
def lda(corpus):
    return AmortizedLDA(5, max_iter=3, random_state=0).fit(corpus)


@pytest.fixture
def posterior():
    return DirichletPosterior(CONCENTRATION)


def test_moments_are_the_dirichlet_s(posterior):
    for row, parameters in enumerate(CONCENTRATION):
        exact = stats.dirichlet(parameters)
        assert_allclose(posterior.mean[row], exact.mean())
        assert_allclose(posterior.std[row], np.sqrt(exact.var()))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_both_tails_have_half_of_the_rest(posterior, level):
    lower, upper = posterior.interval(level)
    rest = CONCENTRATION.sum(axis=1, keepdims=True) - CONCENTRATION
    marginal = stats.beta(CONCENTRATION, rest)
    assert_allclose(marginal.cdf(upper) - marginal.cdf(lower), level, atol=1e-9)
    assert_allclose(marginal.sf(upper), (1 - level) / 2, rtol=1e-6)


def test_samples_have_the_posterior_s_moments(posterior):
    samples = posterior.sample(20_000, random_state=0)
    assert samples.shape == (20_000, 2, 3)
    assert_allclose(samples.sum(axis=2), 1.0)
    error = 4 * posterior.std / np.sqrt(len(samples))
    assert np.all(np.abs(samples.mean(axis=0) - posterior.mean) < error)
    assert_allclose(samples.std(axis=0), posterior.std, rtol=0.1)


def test_samples_of_tiny_parameters_are_on_the_simplex():
    samples = DirichletPosterior(np.full((1, 50), 1e-4)).sample(200, random_state=0)
    assert np.all(np.isfinite(samples))
    assert_allclose(samples.sum(axis=2), 1.0)


def test_samples_follow_random_state_and_leave_the_global_one(posterior):
    state = check_random_state(None).get_state()[1].copy()
    first, second, other = (posterior.sample(3, seed) for seed in (0, 0, 1))
    assert_array_equal(first, second)
    assert np.any(first != other)
    posterior.interval()
    assert_array_equal(check_random_state(None).get_state()[1], state)


def test_a_single_entry_is_certain():
    posterior = DirichletPosterior(np.array([[3.0], [0.1]]))
    assert_array_equal(posterior.mean, [[1.0], [1.0]])
    assert_array_equal(posterior.std, [[0.0], [0.0]])
    assert_array_equal(posterior.interval(), np.ones((2, 2, 1)))


def test_float32_parameters_are_computed_with_in_float64():
    # In float32 the rest of a dominant entry would be 0, and with it its deviation.
    posterior = DirichletPosterior(np.array([[1e9, 1e-3]], dtype=np.float32))
    assert posterior.std.dtype == posterior.sample().dtype == np.float64
    assert posterior.std[0, 0] > 0


@pytest.mark.parametrize("level", [0, 1, 90])
def test_level_is_a_probability(posterior, level):
    with pytest.raises(ValueError, match="between 0 and 1"):
        posterior.interval(level)


def test_a_number_of_samples_is_positive(posterior):
    with pytest.raises(ValueError, match="n_samples must be a positive integer"):
        posterior.sample(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transform_is_the_mean_of_the_posterior(lda, corpus, dtype):
    X = corpus.astype(dtype)
    theta, posterior = lda.transform(X), lda.doc_topic_posterior(X)
    assert theta.dtype == posterior.concentration.dtype == dtype
    assert_allclose(posterior.mean, theta, rtol=1e-6 if dtype == np.float32 else 1e-14)


def test_longer_documents_are_surer(lda, corpus):
    X = corpus[:50]
    once, often = lda.doc_topic_posterior(X), lda.doc_topic_posterior(10 * X)
    assert often.std.mean() < 0.6 * once.std.mean()


def test_topics_have_a_posterior(lda):
    posterior = lda.topic_word_posterior()
    assert_allclose(posterior.mean, lda.topic_word_)
    lower, upper = posterior.interval(0.9)
    assert np.all((lower < upper) & (upper < 1))


# -- topics of words ------------------------------------------------------------------


def test_word_topics_are_theta_times_beta(lda, corpus):
    counts, probabilities = lda.word_topic_posterior(corpus)
    theta = lda.transform(corpus)
    documents = np.repeat(np.arange(len(theta)), np.diff(counts.indptr))
    expected = theta[documents] * lda.topic_word_.T[counts.indices]
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-7)
    assert_allclose(probabilities.sum(axis=1), 1.0)


def test_word_topics_take_the_objective_s_theta(corpus):
    lda = AmortizedLDA(5, objective="bound", max_iter=3, random_state=0).fit(corpus)
    counts, probabilities = lda.word_topic_posterior(corpus[:1])
    gamma = lda.doc_topic_posterior(corpus[:1]).concentration
    expected = np.exp(digamma(gamma)) * lda.topic_word_.T[counts.indices]
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(probabilities, expected, rtol=1e-3, atol=1e-6)


def test_word_topics_add_up_to_the_converged_posterior(lda, corpus):
    # gamma = alpha + sum_v c_dv r_dv is what the refinement converges to.
    converged = AmortizedLDA(5, max_iter=3, refine=300, random_state=0).fit(corpus)
    X = corpus[:20]
    counts, probabilities = converged.word_topic_posterior(X)
    weighted = counts.data[:, np.newaxis] * probabilities
    sums = np.add.reduceat(weighted, counts.indptr[:-1])
    gamma = converged.doc_topic_posterior(X).concentration
    assert_allclose(converged.doc_topic_prior_ + sums, gamma, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_word_topics_of_untidy_counts(lda, corpus, dtype):
    tidy = sp.csr_array(corpus[:3].astype(dtype))
    coo = tidy.tocoo()
    untidy = sp.csr_array(
        (
            np.concatenate([coo.data, [0]]).astype(dtype),
            np.concatenate([coo.col, [7]]),
            np.concatenate([tidy.indptr[:-1], [tidy.nnz + 1]]),
        ),
        shape=tidy.shape,
    )
    before = untidy.data.copy(), untidy.indices.copy()
    counts, probabilities = lda.word_topic_posterior(untidy)
    assert counts.has_canonical_format and counts.data.all()
    assert counts.dtype == probabilities.dtype == dtype
    assert len(probabilities) == counts.nnz
    assert_array_equal(counts.toarray(), tidy.toarray())
    assert_array_equal(untidy.data, before[0])
    assert_array_equal(untidy.indices, before[1])


def test_word_topics_share_no_memory_with_the_caller(lda, corpus):
    X = sp.csr_array(corpus.astype(np.float32))
    counts, _ = lda.word_topic_posterior(X)
    counts.data[:] = -1
    assert X.data.min() > 0


def test_word_topics_do_not_depend_on_company(lda, corpus):
    _, together = lda.word_topic_posterior(corpus)
    _, first = lda.word_topic_posterior(corpus[:1])
    assert_array_equal(together[: len(first)], first)


def test_documents_without_words_have_no_word_topics(lda):
    X = sp.csr_array((2, 60))
    counts, probabilities = lda.word_topic_posterior(X)
    assert counts.shape == (2, 60)
    assert probabilities.shape == (0, 5)
