"""Covariates: what they change in a fit, and where the estimator accepts them."""

import pickle

import numpy as np
import pytest
import sklearn
from conftest import draw_corpus, small_estimator
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array, vstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import merge_topics, prune_topics
from sklearn_amortlda.metrics import document_completion_perplexity
from sklearn_amortlda.training import workers

FITTED = (
    "components_",
    "doc_topic_prior_",
    "covariate_coef_",
    "covariate_intercept_",
    "bound_",
)


@pytest.fixture(scope="module")
def covariates(corpus):
    """A number and an indicator of the most frequent word, for each document."""
    rng = np.random.default_rng(0)
    late = corpus.toarray().argmax(axis=1) < 30
    return np.column_stack([rng.normal(2000.0, 10.0, len(late)), late])


@pytest.fixture(scope="module")
def lda(corpus, covariates):
    return small_estimator().fit(corpus, covariates=covariates)


def assert_equal_models(one, other):
    for name in FITTED:
        assert_array_equal(getattr(one, name), getattr(other, name))


def planted(n_samples, seed):
    """Documents of three topics, whose shares depend on one covariate."""
    beta = draw_corpus(1, 3, 40, 10)[1]
    rng = np.random.default_rng(seed)
    covariate = rng.normal(size=(n_samples, 1))
    alpha = 0.3 * np.exp(covariate * [1.0, 0.0, -1.0])
    theta = np.array([rng.dirichlet(a) for a in alpha])
    X = np.array([rng.multinomial(25, t @ beta) for t in theta])
    return csr_array(X), covariate, beta


@pytest.mark.parametrize(
    "objective", ["completion", "bound", "sampled", "logistic_normal"]
)
def test_planted_coefficients_are_learned(objective):
    X, covariate, beta = planted(1000, seed=0)
    lda = small_estimator(n_components=3, max_iter=20, objective=objective)
    lda.fit(X, covariates=covariate)
    order = (lda.topic_word_ @ beta.T).argmax(axis=0)
    assert sorted(order) == [0, 1, 2]
    first, second, third = lda.covariate_coef_[order, 0]
    assert first - second > 0.3
    assert second - third > 0.3


def test_covariates_predict_new_documents():
    X, covariate, _ = planted(1500, seed=0)
    unseen, theirs, _ = planted(1500, seed=1)
    estimator = small_estimator(n_components=3, max_iter=20)
    plain = document_completion_perplexity(estimator.fit(X), unseen)
    estimator.fit(X, covariates=covariate)
    informed = document_completion_perplexity(estimator, unseen, covariates=theirs)
    wrong = document_completion_perplexity(estimator, unseen, covariates=-theirs)
    assert informed < 0.997 * plain
    assert wrong > plain
    assert estimator.score(unseen, covariates=theirs) > estimator.score(unseen)
    assert estimator.perplexity(unseen, covariates=theirs) < estimator.perplexity(
        unseen
    )


def test_document_without_words_has_the_mean_of_its_prior(lda, corpus, covariates):
    empty = np.zeros((2, 60))
    logs = lda.covariate_intercept_ + covariates[:2] @ lda.covariate_coef_.T
    alpha = np.exp(logs)
    theta = lda.transform(empty, covariates[:2])
    assert_allclose(theta, alpha / alpha.sum(axis=1, keepdims=True), rtol=1e-3)
    marginal = lda.doc_topic_prior_ / lda.doc_topic_prior_.sum()
    assert_allclose(lda.transform(empty)[0], marginal, rtol=1e-5)
    everything = np.exp(lda.covariate_intercept_ + covariates @ lda.covariate_coef_.T)
    everything /= everything.sum(axis=1, keepdims=True)
    assert_allclose(marginal, everything.mean(axis=0), rtol=1e-3)


def test_row_does_not_depend_on_its_batch(lda, corpus, covariates):
    whole = lda.transform(corpus, covariates)
    assert_allclose(whole.sum(axis=1), 1, rtol=1e-6)
    for rows in (slice(5, 6), slice(250, 300), slice(7, 90, 3)):
        assert_array_equal(lda.transform(corpus[rows], covariates[rows]), whole[rows])


def test_exact_posterior_uses_the_prior_of_each_document(lda, corpus, covariates):
    empty = np.zeros((2, 60))
    posterior = lda.doc_topic_posterior(
        empty, method="mcmc", n_samples=400, random_state=0, covariates=covariates[:2]
    )
    assert_allclose(posterior.mean, lda.transform(empty, covariates[:2]), atol=0.08)
    whole, one = (
        lda.doc_topic_posterior(
            corpus[rows],
            method="mcmc",
            n_samples=8,
            random_state=0,
            covariates=covariates[rows],
        ).samples
        for rows in (slice(0, 20), slice(7, 8))
    )
    assert_array_equal(whole[:, 7], one[:, 0])
    topics = lda.topic_word_posterior(
        corpus, method="mcmc", n_samples=4, random_state=0, covariates=covariates
    )
    assert topics.samples.shape == (4, 5, 60)


def test_far_covariates_of_a_new_document_give_a_finite_result(lda, corpus):
    theta = lda.transform(corpus[:2], np.array([[1e99, 0.0], [-1e99, 1e99]]))
    assert_allclose(theta.sum(axis=1), 1, rtol=1e-5)


def test_scale_of_a_covariate_does_not_matter(lda, corpus, covariates):
    other = small_estimator().fit(corpus, covariates=covariates / [1000.0, 1.0])
    assert_allclose(other.covariate_coef_, lda.covariate_coef_ * [1000, 1], rtol=1e-3)
    assert_allclose(other.components_, lda.components_, rtol=1e-3)


def test_fit_is_deterministic_and_equals_its_copies(lda, corpus, covariates):
    assert_equal_models(small_estimator().fit(corpus, covariates=covariates), lda)
    loaded = pickle.loads(pickle.dumps(lda))
    assert_equal_models(loaded, lda)
    expected = lda.transform(corpus, covariates)
    assert_array_equal(loaded.transform(corpus, covariates), expected)
    again = small_estimator().fit_transform(corpus, covariates=covariates)
    assert_array_equal(again, expected)


def test_topics_labels_and_words_use_the_prior_of_each_document(corpus, covariates):
    y = np.arange(300) % 3
    lda = small_estimator(label_weight=0.5).fit(corpus, y, covariates=covariates)
    theta = lda.transform(corpus, covariates)
    labels = (theta @ lda.topic_label_) ** lda.label_exponent_
    labels /= labels.sum(axis=1, keepdims=True)
    assert_allclose(lda.label_proba(corpus, covariates), labels, rtol=1e-5)
    gamma = lda.doc_topic_posterior(corpus, covariates=covariates).concentration
    logs = lda.covariate_intercept_ + covariates @ lda.covariate_coef_.T
    topics = (gamma / np.exp(logs)).argmax(axis=1)
    assert_array_equal(lda.predict(corpus, covariates), topics)
    again = small_estimator(label_weight=0.5)
    assert_array_equal(again.fit_predict(corpus, y, None, covariates), topics)
    counts, words = lda.word_topic_posterior(corpus, covariates)
    document = np.repeat(np.arange(300), np.diff(counts.indptr))
    expected = theta[document] * lda.topic_word_.T[counts.indices]
    expected /= expected.sum(axis=1, keepdims=True)
    assert_allclose(words, expected, rtol=1e-3, atol=1e-6)


def test_fit_without_covariates_forgets_those_of_an_earlier_fit(corpus, covariates):
    lda = small_estimator().fit(corpus, covariates=covariates).fit(corpus)
    plain = small_estimator().fit(corpus)
    assert_array_equal(lda.components_, plain.components_)
    assert not hasattr(lda, "covariate_coef_")
    with pytest.raises(ValueError, match="fitted without covariates"):
        lda.transform(corpus, covariates)


def test_given_alpha_is_that_of_a_mean_document(corpus, covariates):
    alpha = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    lda = small_estimator(doc_topic_prior=alpha, max_iter=10)
    lda.fit(corpus, covariates=covariates)
    mean = lda.covariate_intercept_ + lda.covariate_coef_ @ covariates.mean(axis=0)
    assert_allclose(np.exp(mean), alpha, rtol=1e-5)
    assert np.abs(lda.covariate_coef_[:, 1]).max() > 0.1


@pytest.mark.parametrize("alpha", [1e-4, 20.0])
def test_given_alpha_may_be_far_from_the_learned_ones(corpus, covariates, alpha):
    lda = small_estimator(doc_topic_prior=alpha, max_iter=2)
    lda.fit(corpus, covariates=covariates)
    intercept = lda.covariate_intercept_
    mean = intercept + lda.covariate_coef_ @ covariates.mean(axis=0)
    assert_allclose(np.exp(mean), alpha, rtol=1e-5)
    posterior = lda.doc_topic_posterior(np.zeros((1, 60)), covariates=covariates[:1])
    theirs = np.exp(intercept + lda.covariate_coef_ @ covariates[0])
    theirs = np.clip(theirs, min(alpha, 1e-3), max(alpha, 5.0))
    assert_allclose(posterior.concentration[0], theirs, rtol=1e-5)


def test_one_topic_has_a_finite_prior(corpus, covariates, lda):
    one = small_estimator(n_components=1).fit(corpus, covariates=covariates)
    pruned = prune_topics(lda, [0])
    for model in (one, pruned.partial_fit(corpus, covariates=covariates)):
        assert (model.doc_topic_prior_ > 0).all()
        model = pickle.loads(pickle.dumps(model))
        assert_array_equal(model.transform(corpus), 1)
        assert np.isfinite(model.score(corpus))


def test_documents_that_do_not_count_do_not_change_the_scales(corpus, covariates):
    weights = np.repeat([1.0, 0.0], [200, 100])
    others = covariates.copy()
    others[200:] *= 50.0
    lda, other = (
        small_estimator().fit(corpus, sample_weight=weights, covariates=values)
        for values in (covariates, others)
    )
    assert_equal_models(lda, other)
    alone = small_estimator().fit(corpus[:200], covariates=covariates[:200])
    assert_array_equal(alone.covariate_coef_, lda.covariate_coef_)


@pytest.mark.parametrize(
    "parameters",
    [
        {"topic_word_prior": "auto", "max_iter": 6},
        {"early_stopping": True},
        {"label_weight": 0.5},
        {"encoder": "transformer"},
        {"batch_size": "auto"},
    ],
)
def test_covariates_work_with_other_parameters(corpus, covariates, parameters):
    lda = small_estimator(**parameters)
    y = np.arange(300) % 3
    lda.fit(corpus, y, sample_weight=np.arange(300) % 4, covariates=covariates)
    assert np.isfinite(lda.transform(corpus, covariates)).all()
    assert lda.covariate_coef_.shape == (5, 2)
    assert np.abs(lda.covariate_coef_).max() > 0


def test_weights_are_repetitions_of_covariates_too(corpus, covariates):
    weights = np.repeat([0.0, 1.0, 2.0], 100)
    parameters = {"objective": "bound", "batch_size": 300, "max_iter": 2}
    lda = small_estimator(**parameters)
    weighted = lda.fit(corpus, sample_weight=weights, covariates=covariates)
    logs = weighted.covariate_intercept_ + covariates @ weighted.covariate_coef_.T
    shares = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    expected = weights @ shares / weights.sum()
    marginal = weighted.doc_topic_prior_ / weighted.doc_topic_prior_.sum()
    assert_allclose(marginal, expected, rtol=1e-3)


def test_warm_start_continues_coefficients_bit_for_bit(corpus, covariates):
    parameters = {"learning_schedule": "power", "warm_start": True}
    twice = small_estimator(**parameters, max_iter=2)
    for _ in range(2):
        twice.fit(corpus, covariates=covariates)
    once = small_estimator(**parameters, max_iter=4).fit(corpus, covariates=covariates)
    assert_array_equal(twice.covariate_coef_, once.covariate_coef_)
    assert_array_equal(twice.components_, once.components_)


def test_stream_keeps_the_scales_of_its_first_chunk(corpus, covariates):
    lda = small_estimator(total_samples=300, learning_offset=1.0)
    for part in np.array_split(np.arange(300), 3):
        lda.partial_fit(corpus[part], covariates=covariates[part])
    assert_allclose(lda._covariate_mean, covariates[:100].mean(axis=0))
    assert np.abs(lda.covariate_coef_).max() > 0
    with pytest.raises(ValueError, match="this call has none"):
        lda.partial_fit(corpus)
    with pytest.raises(ValueError, match="fitted without covariates"):
        small_estimator().partial_fit(corpus).partial_fit(corpus, covariates=covariates)


def test_killed_fit_continues_bit_for_bit(corpus, covariates, tmp_path, monkeypatch):
    from sklearn_amortlda.training import loop

    whole = small_estimator(max_iter=4).fit(corpus, covariates=covariates)
    original = loop.Training.next_epoch

    def stop_after_two(training):
        if training.epoch == 2:
            raise OSError("stopped")
        return original(training)

    lda = small_estimator(max_iter=4, checkpoint=tmp_path / "fit.npz")
    monkeypatch.setattr(loop.Training, "next_epoch", stop_after_two)
    with pytest.raises(OSError, match="stopped"):
        lda.fit(corpus, covariates=covariates)
    monkeypatch.undo()
    for others in (None, covariates[::-1]):
        with pytest.raises(ValueError, match="another fit, which differs in covari"):
            lda.fit(corpus, covariates=others)
    assert_equal_models(lda.fit(corpus, covariates=covariates), whole)


def test_failed_fit_keeps_the_earlier_one(corpus, covariates):
    lda = small_estimator().fit(corpus, covariates=covariates)
    before = dict(vars(lda))
    with pytest.raises(ValueError, match="299 rows"):
        lda.fit(corpus, covariates=covariates[1:])
    with pytest.raises(ValueError, match="3 columns, and the model was fitted with 2"):
        lda.transform(corpus, np.ones((300, 3)))
    assert vars(lda) == before


def test_names_of_columns_are_compared(corpus, covariates):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(covariates, columns=["year", "late"])
    lda = small_estimator().fit(corpus, covariates=frame)
    assert_array_equal(lda.covariate_names_in_, ["year", "late"])
    with pytest.raises(ValueError, match="those of the fit"):
        lda.transform(corpus, frame[["late", "year"]])


def test_pruned_and_merged_models_keep_their_coefficients(lda, corpus, covariates):
    pruned = prune_topics(lda, [3, 1])
    assert_array_equal(pruned.covariate_coef_, lda.covariate_coef_[[3, 1]])
    empty = np.zeros((300, 60))
    prior = lda.transform(empty, covariates)[:, [3, 1]]
    prior /= prior.sum(axis=1, keepdims=True)
    assert_allclose(pruned.transform(empty, covariates), prior, rtol=1e-4)
    merged = merge_topics(lda, [[0, 2]])
    expected = lda.transform(empty, covariates)
    # To first order in the covariates.
    assert_allclose(
        merged.transform(empty, covariates)[:, 0],
        expected[:, 0] + expected[:, 2],
        atol=0.02,
    )
    for model in (pruned, merged):
        model.partial_fit(corpus, covariates=covariates)
        assert np.isfinite(model.covariate_coef_).all()


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_pipelines_and_searches_route_covariates(corpus, covariates, routing):
    y = np.arange(300) % 2
    lda = small_estimator()
    lda.set_fit_request(covariates=True).set_transform_request(covariates=True)
    pipeline = make_pipeline(lda, LogisticRegression())
    pipeline.fit(corpus, y, covariates=covariates)
    expected = small_estimator().fit(corpus, covariates=covariates)
    assert_equal_models(pipeline[0], expected)
    proba = pipeline.predict_proba(corpus, covariates=covariates)
    theirs = pipeline[1].predict_proba(expected.transform(corpus, covariates))
    assert_array_equal(proba, theirs)
    search = GridSearchCV(pipeline, {"amortizedlda__n_components": [2, 3]}, cv=2)
    search.fit(corpus, y, covariates=covariates)
    best = search.best_estimator_[0]
    assert best.covariate_coef_.shape == (best.n_components, 2)


def test_score_of_a_search_uses_covariates(corpus, covariates, routing):
    lda = small_estimator(max_iter=1)
    lda.set_fit_request(covariates=True).set_score_request(covariates=True)
    search = GridSearchCV(lda, {"n_components": [2, 3]}, cv=2)
    search.fit(corpus, covariates=covariates)
    half = np.arange(300) < 150
    first = small_estimator(max_iter=1, n_components=2)
    first.fit(corpus[~half], covariates=covariates[~half])
    expected = first.score(corpus[half], covariates=covariates[half])
    assert search.cv_results_["split0_test_score"][0] == pytest.approx(expected)


@pytest.mark.slow
def test_two_workers_average_their_coefficients(monkeypatch):
    monkeypatch.setattr(workers, "_MIN_DOCUMENTS", 100)
    X, covariate, beta = planted(1000, seed=0)
    parameters = {"n_components": 3, "max_iter": 10}
    one, two, again = (
        small_estimator(**parameters, n_jobs=n).fit(X, covariates=covariate)
        for n in (1, 2, 2)
    )
    assert_equal_models(two, again)
    order, other = ((m.topic_word_ @ beta.T).argmax(axis=0) for m in (one, two))
    difference = one.covariate_coef_[order] - two.covariate_coef_[other]
    assert np.abs(difference).max() < 0.2


def test_threads_do_not_change_the_results(lda, corpus, covariates, monkeypatch):
    from sklearn_amortlda.inference import threads

    monkeypatch.setattr(threads, "_MIN_BATCHES", 1)
    X, values = vstack([corpus] * 12).tocsr(), np.tile(covariates, (12, 1))
    expected = lda.transform(X, values)
    threaded = pickle.loads(pickle.dumps(lda)).set_params(n_jobs=2)
    assert_array_equal(threaded.transform(X, values), expected)


def test_covariates_are_the_last_positional_argument():
    X, covariate, _ = planted(60, seed=0)
    lda = AmortizedLDA(2, max_iter=1, random_state=0)
    assert lda.fit(X, None, None, covariate).covariate_coef_.shape == (2, 1)
