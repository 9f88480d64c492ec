"""The methods of a fitted model: proportions, posteriors, bounds and top words."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from conftest import draw_corpus
from conftest import small_estimator as small
from exact import by_integration
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment
from scipy.special import digamma
from sklearn.base import clone, is_classifier, is_clusterer
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError
from small import with_topics

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inference import inference
from sklearn_amortlda.metrics import document_completion_perplexity


@pytest.fixture(scope="module")
def fitted(corpus):
    return small().fit(corpus)


@pytest.fixture(scope="module")
def lda(corpus):
    return AmortizedLDA(5, max_iter=3, random_state=0).fit(corpus)


# -- topic proportions -------------------------------------------------------------


@pytest.mark.slow
def test_planted_proportions_are_recovered():
    X, beta, theta = draw_corpus(1000, 5, 200, 80)
    lda = AmortizedLDA(5, random_state=0).fit(X)
    cosines = lda.topic_word_ @ beta.T
    order = linear_sum_assignment(-cosines)[1]
    found = lda.transform(X)
    assert np.abs(found - theta[:, order]).mean() < 0.04


def test_rows_of_transform_are_on_the_simplex(fitted, corpus):
    theta = fitted.transform(corpus)
    assert (theta > 0).all()
    assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("refine", [0, 3])
@pytest.mark.parametrize("objective", ["completion", "bound", "logistic_normal"])
def test_empty_document_gets_the_prior_mean(corpus, objective, refine):
    lda = small(objective=objective, refine=refine).fit(corpus)
    theta = lda.transform(np.zeros((1, 60)))
    prior = lda.doc_topic_prior_ / lda.doc_topic_prior_.sum()
    assert_allclose(theta[0], prior, rtol=1e-5)


def test_rows_of_transform_do_not_depend_on_other_rows():
    X = draw_corpus(700, 20, 300, 30)[0]
    lda = small(n_components=20).fit(X)
    theta = lda.transform(X)
    order = np.random.default_rng(0).permutation(700)
    assert_array_equal(lda.transform(X[order]), theta[order])
    assert_array_equal(lda.transform(X[600:]), theta[600:])
    for row in (0, 511, 512, 699):
        assert_array_equal(lda.transform(X[[row]])[0], theta[row])


def test_refinement_predicts_better_than_the_encoder_without_it(fitted, corpus):
    unrefined = pickle.loads(pickle.dumps(fitted)).set_params(refine=0)
    perplexities = [
        document_completion_perplexity(lda, corpus) for lda in (fitted, unrefined)
    ]
    assert perplexities[0] < perplexities[1]


# -- topics of documents -----------------------------------------------------------


def test_prediction_is_the_topic_most_above_its_prior(fitted, corpus):
    topics = fitted.predict(corpus)
    ratio = fitted.transform(corpus) / fitted.doc_topic_prior_
    assert_array_equal(topics, ratio.argmax(axis=1))
    assert topics.shape == (300,) and topics.dtype.kind == "i"
    assert (topics != fitted.transform(corpus).argmax(axis=1)).any()


def test_prediction_maximizes_the_likelihood_given_the_topic_of_the_next_word():
    # p(w | z = k) is the likelihood with a Dirichlet prior of alpha plus one for topic
    # k: conditioning on a further word's topic z adds one count to the prior.
    topics = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.1, 0.4, 0.4]])
    alpha = np.array([1.0, 0.1])
    lda = with_topics(topics, alpha, objective="completion").set_params(refine=200)
    X = np.array([[3, 0, 1, 0], [0, 1, 2, 1], [1, 1, 1, 2], [0, 0, 0, 1], [2, 2, 0, 1]])
    expected = [
        np.argmax([by_integration(topics, x, alpha + given) for given in np.eye(2)])
        for x in X
    ]
    assert_array_equal(lda.predict(X), expected)
    assert len(set(expected)) == 2


def test_background_topic_is_no_prediction_of_documents_about_another_topic():
    topics = np.array([[0.9, 0.1, 0.0], [0.1, 0.0, 0.9]]) + 1e-6
    lda = with_topics(topics / topics.sum(axis=1, keepdims=True), np.array([5.0, 0.1]))
    X = np.array([[12, 0, 8]])
    assert lda.transform(X).argmax() == 0
    assert lda.predict(X)[0] == 1


def test_document_without_words_has_the_topic_of_the_largest_prior(fitted):
    assert_array_equal(
        fitted.predict(np.zeros((3, 60))), [fitted.doc_topic_prior_.argmax()] * 3
    )


def test_prediction_does_not_depend_on_other_rows(fitted, corpus):
    topics = fitted.predict(corpus)
    for row in (0, 17, 299):
        assert_array_equal(fitted.predict(corpus[[row]]), topics[[row]])


def test_fit_predict_is_fit_and_predict(corpus):
    weights = np.arange(300) % 3
    lda = small()
    topics = lda.fit_predict(corpus, sample_weight=weights)
    twin = small().fit(corpus, sample_weight=weights)
    assert_array_equal(lda.topic_word_, twin.topic_word_)
    assert_array_equal(topics, twin.predict(corpus))


def test_predict_ignores_a_background_topic():
    # Half of the words of each document are of the background.
    rng = np.random.default_rng(0)
    themes = rng.integers(0, 4, 1200)
    p = np.full((4, 50), 0.5 / 10)
    p[:, 10:] = 0
    for theme in range(4):
        p[theme, 10 + 10 * theme : 20 + 10 * theme] = 0.5 / 10
    X = np.array([rng.multinomial(40, p[theme]) for theme in themes])
    lda = AmortizedLDA(5, random_state=0).fit(X)
    table = np.zeros((4, 5))
    np.add.at(table, (themes, lda.predict(X)), 1)
    assert table.max(axis=0).sum() > 0.95 * len(X)


def test_fit_predict_of_a_data_frame_returns_an_array(fitted, corpus):
    frame = pytest.importorskip("pandas").DataFrame(corpus.toarray()).add_prefix("w")
    topics = clone(fitted).set_output(transform="pandas").fit_predict(frame)
    assert_array_equal(topics, fitted.predict(corpus))


def test_pipeline_predicts_and_still_transforms(texts):
    pipeline = make_pipeline(CountVectorizer(), small())
    topics = pipeline.fit_predict(texts)
    assert_array_equal(topics, pipeline.predict(texts))
    assert pipeline.transform(texts).shape == (300, 5)
    assert not is_clusterer(pipeline) and not is_classifier(pipeline)


# -- documents drawn from the model ------------------------------------------------


def test_sampled_documents_have_the_columns_and_topics_of_the_model(fitted):
    X, theta = fitted.sample(400, 300, random_state=0)
    assert X.shape == (400, 60) and theta.shape == (400, 5)
    assert_array_equal(X.sum(axis=1), 300)
    # The model finds the proportions that its documents were drawn from.
    assert np.abs(fitted.transform(X) - theta).mean() < 0.1
    words = np.asarray(X.sum(axis=0)) / X.sum()
    assert_allclose(words, theta.mean(axis=0) @ fitted.topic_word_, atol=0.005)


def test_sampled_documents_follow_the_random_state(fitted):
    first, theta = fitted.sample(3, random_state=0)
    again, same = fitted.sample(3, random_state=0)
    assert_array_equal(first.toarray(), again.toarray())
    assert_array_equal(theta, same)
    other, _ = fitted.sample(3, random_state=1)
    assert (first != other).nnz


def test_default_sample_is_one_document_of_100_words(fitted):
    X, theta = fitted.sample()
    assert X.sum() == 100 and theta.shape == (1, 5)


def test_each_sampled_document_may_have_its_own_length(fitted):
    X, _ = fitted.sample(3, [5, 0, 7], random_state=0)
    assert_array_equal(X.sum(axis=1), [5, 0, 7])


@pytest.mark.parametrize(
    "call", [lambda lda: lda.predict(np.ones((1, 3))), lambda lda: lda.sample()]
)
def test_methods_of_an_unfitted_model_raise(call):
    with pytest.raises(NotFittedError):
        call(AmortizedLDA())


# -- posteriors of documents and topics --------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transform_is_the_mean_of_the_posterior(lda, corpus, dtype):
    X = corpus.astype(dtype)
    theta, posterior = lda.transform(X), lda.doc_topic_posterior(X)
    assert theta.dtype == posterior.concentration.dtype == dtype
    assert_allclose(posterior.mean, theta, rtol=1e-6 if dtype == np.float32 else 1e-14)


def test_longer_documents_have_narrower_posteriors(lda, corpus):
    X = corpus[:50]
    once, often = lda.doc_topic_posterior(X), lda.doc_topic_posterior(10 * X)
    assert often.std.mean() < 0.6 * once.std.mean()


def test_topic_word_posterior_has_the_topics_as_mean(lda):
    posterior = lda.topic_word_posterior()
    assert_allclose(posterior.mean, lda.topic_word_)
    lower, upper = posterior.interval(0.9)
    assert np.all((lower < upper) & (upper < 1))


# -- topics of words ---------------------------------------------------------------


def test_word_topics_are_theta_times_beta(lda, corpus):
    counts, probabilities = lda.word_topic_posterior(corpus)
    theta = lda.transform(corpus)
    documents = np.repeat(np.arange(len(theta)), np.diff(counts.indptr))
    expected = theta[documents] * lda.topic_word_.T[counts.indices]
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-7)
    assert_allclose(probabilities.sum(axis=1), 1.0)


def test_word_topics_use_the_expectation_of_the_objective(corpus):
    lda = AmortizedLDA(5, objective="bound", max_iter=3, random_state=0).fit(corpus)
    counts, probabilities = lda.word_topic_posterior(corpus[:1])
    gamma = lda.doc_topic_posterior(corpus[:1]).concentration
    expected = np.exp(digamma(gamma)) * lda.topic_word_.T[counts.indices]
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(probabilities, expected, rtol=1e-3, atol=1e-6)


def test_word_topics_add_up_to_the_converged_posterior(corpus):
    # gamma = alpha + sum_v c_dv r_dv is the fixed point of the refinement.
    converged = AmortizedLDA(5, max_iter=3, refine=300, random_state=0).fit(corpus)
    X = corpus[:20]
    counts, probabilities = converged.word_topic_posterior(X)
    weighted = counts.data[:, np.newaxis] * probabilities
    sums = np.add.reduceat(weighted, counts.indptr[:-1])
    gamma = converged.doc_topic_posterior(X).concentration
    assert_allclose(converged.doc_topic_prior_ + sums, gamma, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_word_topics_of_counts_not_in_canonical_format(lda, corpus, dtype):
    canonical = sp.csr_array(corpus[:3].astype(dtype))
    coo = canonical.tocoo()
    X = sp.csr_array(
        (
            np.concatenate([coo.data, [0]]).astype(dtype),
            np.concatenate([coo.col, [7]]),
            np.concatenate([canonical.indptr[:-1], [canonical.nnz + 1]]),
        ),
        shape=canonical.shape,
    )
    before = X.data.copy(), X.indices.copy()
    counts, probabilities = lda.word_topic_posterior(X)
    assert counts.has_canonical_format and counts.data.all()
    assert counts.dtype == probabilities.dtype == dtype
    assert len(probabilities) == counts.nnz
    assert_array_equal(counts.toarray(), canonical.toarray())
    assert_array_equal(X.data, before[0])
    assert_array_equal(X.indices, before[1])


def test_word_topics_share_no_memory_with_x(lda, corpus):
    X = sp.csr_array(corpus.astype(np.float32))
    counts, _ = lda.word_topic_posterior(X)
    counts.data[:] = -1
    assert X.data.min() > 0


def test_word_topics_do_not_depend_on_other_documents(lda, corpus):
    _, together = lda.word_topic_posterior(corpus)
    _, first = lda.word_topic_posterior(corpus[:1])
    assert_array_equal(together[: len(first)], first)


def test_documents_without_words_have_no_word_topics(lda):
    X = sp.csr_array((2, 60))
    counts, probabilities = lda.word_topic_posterior(X)
    assert counts.shape == (2, 60)
    assert probabilities.shape == (0, 5)


# -- top words ---------------------------------------------------------------------


def test_top_words_follow_the_ranking(fitted):
    names = np.array([f"word{v}" for v in range(60)], dtype=object)
    best = np.argsort(-fitted.topic_word_, axis=1)
    by_probability = fitted.top_words(names, ranking="probability")
    assert_array_equal(by_probability, names[best[:, :10]])
    assert (fitted.top_words(names) != by_probability).any()
    ranking = np.tile(np.arange(60), (5, 1))
    last = fitted.top_words(names, n_words=2, ranking=ranking)
    assert_array_equal(last, [["word59", "word58"]] * 5)


# -- parameters that change after fit ----------------------------------------------


@pytest.mark.parametrize(
    "method",
    [
        "predict",
        "transform",
        "score",
        "perplexity",
        "doc_topic_posterior",
        "word_topic_posterior",
    ],
)
@pytest.mark.parametrize(
    "name, value",
    [("encoder", "xx"), ("objective", "zz"), ("refine", 2.5), ("refine", -1)],
)
def test_parameter_that_became_invalid_raises(corpus, name, value, method):
    lda = small(max_iter=1).fit(corpus)
    expected, before = lda.transform(corpus), lda.get_params()[name]
    lda.set_params(**{name: value})
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter"):
        getattr(lda, method)(corpus)
    lda.set_params(**{name: before})
    assert_array_equal(lda.transform(corpus), expected)


def test_changed_model_is_loaded_again(corpus):
    lda = AmortizedLDA(3, max_iter=2, random_state=0, device="cpu").fit(corpus)
    first = lda.transform(corpus)
    assert_array_equal(lda.transform(corpus), first)
    lda.set_params(refine=0)
    assert not np.array_equal(lda.transform(corpus), first)
    lda.set_params(refine=3)
    assert_array_equal(lda.transform(corpus), first)
    lda.partial_fit(corpus)
    again = clone(lda).fit(corpus)
    assert_array_equal(again.transform(corpus), first)
    assert not np.array_equal(lda.transform(corpus), first)


def test_loaded_network_is_in_no_pickle_or_copy(corpus):
    lda = AmortizedLDA(3, max_iter=2, random_state=0, device="cpu").fit(corpus)
    before, keys = pickle.dumps(lda), set(vars(lda))
    theta = lda.transform(corpus)
    assert set(vars(lda)) == keys and pickle.dumps(lda) == before
    twin = copy.deepcopy(lda)
    twin.topic_word_ = np.roll(twin.topic_word_, 1, axis=0)
    assert not np.array_equal(twin.transform(corpus), theta)
    assert_array_equal(lda.transform(corpus), theta)


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_row_is_equal_bit_for_bit_in_batches_of_any_size(corpus, encoder):
    lda = AmortizedLDA(
        20, max_iter=2, encoder=encoder, hidden_layer_sizes=(24, 16), random_state=0
    ).fit(corpus)
    X = sp.vstack([corpus] * 6).tocsr()
    expected = lda.transform(X)
    for rows in (slice(0, 1), slice(5, 70), slice(290, 420), slice(1020, 1100)):
        assert_array_equal(lda.transform(X[rows]), expected[rows])


def test_transform_loads_the_encoder_once(corpus, monkeypatch):
    lda, n_loads = small().fit(corpus), []
    load = inference.load_encoder
    monkeypatch.setattr(
        inference, "load_encoder", lambda *a, **kw: n_loads.append(0) or load(*a, **kw)
    )
    for method in (lda.transform, lda.predict, lda.score, lda.transform):
        method(corpus[:3])
    assert len(n_loads) == 1
    lda.set_params(refine=1).transform(corpus[:3])
    assert len(n_loads) == 2
