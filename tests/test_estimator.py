"""What users rely on: recovery, determinism, formats, composition, persistence."""

import logging
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from conftest import draw_corpus
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity

OBJECTIVES = ["completion", "collapsed", "bound", "sampled", "logistic_normal"]


def small(**parameters):
    settings = {
        "n_components": 5,
        "hidden_layer_sizes": (16,),
        "max_iter": 3,
        "batch_size": 64,
        "random_state": 0,
    }
    return AmortizedLDA(**{**settings, **parameters})


@pytest.fixture(scope="module")
def fitted(corpus):
    return small().fit(corpus)


# -- the model -------------------------------------------------------------------


def matched_cosines(topics, planted):
    unit = [m / np.linalg.norm(m, axis=1, keepdims=True) for m in (topics, planted)]
    cosines = unit[0] @ unit[1].T
    return cosines[linear_sum_assignment(-cosines)]


@pytest.mark.parametrize(
    "objective, n_fits", [("completion", 1), ("collapsed", 3), ("bound", 8)]
)
def test_recovers_planted_topics(objective, n_fits):
    X, beta, _ = draw_corpus(1000, 10, 200, 80)
    # The objectives other than the default stop at a local optimum now and then (of 20
    # seeds 4 and 14), of which the bound tells.
    fits = (
        AmortizedLDA(10, objective=objective, random_state=seed).fit(X)
        for seed in range(n_fits)
    )
    lda = max(fits, key=lambda lda: lda.bound_)
    assert matched_cosines(lda.topic_word_, beta).min() > 0.9


def test_recovers_planted_proportions():
    X, beta, theta = draw_corpus(1000, 5, 200, 80)
    lda = AmortizedLDA(5, random_state=0).fit(X)
    cosines = lda.topic_word_ @ beta.T
    order = linear_sum_assignment(-cosines)[1]
    found = lda.transform(X)
    assert np.abs(found - theta[:, order]).mean() < 0.04


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_beats_the_unigram_model(objective, corpus):
    lda = small(objective=objective, max_iter=15).fit(corpus)
    shares = np.asarray(corpus.sum(axis=0)).ravel() / corpus.sum()
    entropy = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
    assert lda.perplexity(corpus) < 0.8 * np.exp(entropy)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_learned_alpha_is_that_of_the_corpus(alpha):
    X = draw_corpus(1500, 5, 100, 20, alpha=alpha)[0]
    lda = AmortizedLDA(5, random_state=0).fit(X)
    assert lda.doc_topic_prior_.mean() == pytest.approx(alpha, rel=0.25)


def test_refinement_improves_on_the_encoder_alone(fitted, corpus):
    alone = clone_fitted(fitted).set_params(refine=0)
    perplexities = [
        document_completion_perplexity(lda, corpus) for lda in (fitted, alone)
    ]
    assert perplexities[0] < perplexities[1]


def clone_fitted(estimator):
    return pickle.loads(pickle.dumps(estimator))


# -- results ---------------------------------------------------------------------


def test_attributes(fitted, corpus):
    assert fitted.components_.shape == fitted.topic_word_.shape == (5, 60)
    assert (fitted.components_ > 0).all()
    np.testing.assert_allclose(fitted.topic_word_.sum(axis=1), 1.0, rtol=1e-6)
    assert fitted.doc_topic_prior_.shape == (5,)
    assert fitted.topic_word_prior_ == fitted.topic_word_prior
    assert fitted.n_iter_ == len(fitted.history_) == 3
    assert fitted.n_batch_iter_ == 3 * round(300 / 64)
    assert [record["epoch"] for record in fitted.history_] == [1, 2, 3]
    assert fitted.bound_ < fitted.score(corpus) < 0


def test_posterior_rows_are_on_the_simplex(fitted, corpus):
    theta = fitted.transform(corpus)
    assert (theta > 0).all()
    np.testing.assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("refine", [0, 3])
@pytest.mark.parametrize("objective", ["completion", "bound", "logistic_normal"])
def test_an_empty_document_gets_the_prior_mean(corpus, objective, refine):
    lda = small(objective=objective, refine=refine).fit(corpus)
    theta = lda.transform(np.zeros((1, 60)))
    prior = lda.doc_topic_prior_ / lda.doc_topic_prior_.sum()
    np.testing.assert_allclose(theta[0], prior, rtol=1e-5)


def test_rows_do_not_depend_on_their_company():
    X = draw_corpus(700, 20, 300, 30)[0]
    lda = small(n_components=20).fit(X)
    theta = lda.transform(X)
    order = np.random.default_rng(0).permutation(700)
    np.testing.assert_array_equal(lda.transform(X[order]), theta[order])
    np.testing.assert_array_equal(lda.transform(X[600:]), theta[600:])
    for row in (0, 511, 512, 699):
        np.testing.assert_array_equal(lda.transform(X[[row]])[0], theta[row])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_same_seed_same_model(corpus, objective):
    models = [small(objective=objective).fit(corpus) for _ in range(2)]
    assert joblib.hash(models[0]) == joblib.hash(models[1])
    other = small(objective=objective, random_state=1).fit(corpus)
    assert not np.allclose(models[0].components_, other.components_)


@pytest.mark.parametrize(
    "convert",
    [
        sp.csr_array,
        sp.csc_matrix,
        sp.csc_array,
        sp.coo_matrix,
        sp.coo_array,
        lambda X: X.toarray(),
        lambda X: np.asfortranarray(X.toarray()),
        lambda X: X.astype(np.uint8),
        lambda X: X.astype(np.int32),
        lambda X: X.toarray().astype(np.float16),
        lambda X: pd.DataFrame.sparse.from_spmatrix(X),
    ],
)
def test_every_format_gives_the_same_model(fitted, corpus, convert):
    X = convert(corpus)
    lda = small().fit(X)
    np.testing.assert_array_equal(lda.components_, fitted.components_)
    np.testing.assert_array_equal(lda.transform(X), fitted.transform(corpus))


def test_long_indices(fitted, corpus):
    X = corpus.copy()
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    np.testing.assert_array_equal(small().fit(X).components_, fitted.components_)


def test_duplicate_entries_are_summed_and_x_is_left_alone(fitted, corpus):
    X = corpus.tocoo()
    # Every entry twice, the second one holding one word of it, in unsorted rows.
    rows, columns = np.r_[X.row, X.row], np.r_[X.col, X.col]
    data = np.r_[X.data - 1, np.ones_like(X.data)]
    order = np.lexsort((-columns, rows))
    indptr = np.searchsorted(rows[order], np.arange(X.shape[0] + 1))
    doubled = sp.csr_matrix((data[order], columns[order], indptr), shape=X.shape)
    before = joblib.hash([doubled.data, doubled.indices, doubled.indptr, doubled])
    lda = small().fit(doubled)
    lda.transform(doubled), lda.score(doubled)
    after = joblib.hash([doubled.data, doubled.indices, doubled.indptr, doubled])
    assert before == after
    np.testing.assert_array_equal(lda.components_, fitted.components_)


def test_dtype_is_preserved(corpus):
    lda = small().fit(corpus.astype(np.float32))
    assert lda.components_.dtype == np.float32
    assert lda.transform(corpus.astype(np.float32)).dtype == np.float32
    assert lda.transform(corpus).dtype == np.float64


def test_more_topics_than_words_and_one_of_each():
    X = np.array([[1, 2], [3, 0]])
    assert small(n_components=7).fit(X).transform(X).shape == (2, 7)
    np.testing.assert_array_equal(small(n_components=1).fit(X).transform(X), [[1], [1]])
    assert small(n_components=2).fit(X[:1, :1]).transform(X[:1, :1]).shape == (1, 2)


# -- training --------------------------------------------------------------------


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_warm_start_goes_on_where_fit_ended(corpus, objective):
    settings = {"objective": objective, "learning_schedule": "power"}
    whole = small(max_iter=4, **settings).fit(corpus)
    halves = small(max_iter=2, warm_start=True, **settings).fit(corpus).fit(corpus)
    np.testing.assert_array_equal(halves.components_, whole.components_)
    np.testing.assert_array_equal(halves.transform(corpus), whole.transform(corpus))
    assert halves.history_ == whole.history_


def test_partial_fit_learns_from_chunks(corpus):
    lda = small(total_samples=300, batch_size=32)
    for _ in range(10):
        for start in range(0, 300, 100):
            lda.partial_fit(corpus[start : start + 100])
    assert lda.n_iter_ == 30
    assert lda.perplexity(corpus) < 1.1 * small(max_iter=10).fit(corpus).perplexity(
        corpus
    )


def test_early_stopping_keeps_the_best_epoch(corpus):
    lda = small(
        early_stopping=True, n_iter_no_change=3, tol=0.5, max_iter=50, batch_size=300
    ).fit(corpus)
    scores = [record["validation_score"] for record in lda.history_]
    assert lda.n_iter_ == len(scores) < 50
    assert lda.n_batch_iter_ == 1 + np.argmax(scores)


def test_evaluate_every_adds_the_training_perplexity(corpus):
    lda = small(evaluate_every=2, max_iter=4).fit(corpus)
    assert ["perplexity" in record for record in lda.history_] == [0, 1, 0, 1]
    assert lda.history_[-1]["perplexity"] == pytest.approx(lda.perplexity(corpus))


def test_silent_by_default_logs_and_shows_progress(corpus, capsys, caplog):
    with caplog.at_level(logging.INFO, logger="sklearn_amortlda"):
        small().fit(corpus)
    assert capsys.readouterr() == ("", "")
    assert len(caplog.records) == 3 and "bound" in caplog.text
    small(verbose=1).fit(corpus)
    assert "bound=-" in capsys.readouterr().err


# -- composition -----------------------------------------------------------------

TEXTS = [
    "the cat sat on the mat",
    "a dog and a cat play",
    "stocks and bonds fell",
    "the market of stocks rose",
] * 10
LABELS = [0, 0, 1, 1] * 10


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search(backend):
    pipeline = Pipeline(
        [
            ("counts", CountVectorizer()),
            ("topics", small()),
            ("lr", LogisticRegression()),
        ]
    )
    grid = {
        "topics__n_components": [2, 3],
        "topics__doc_topic_prior": ["auto", 0.5],
        "topics__hidden_layer_sizes": [(8,), (8, 8)],
    }
    serial = GridSearchCV(pipeline, grid, cv=2).fit(TEXTS, LABELS)
    with joblib.parallel_backend(backend, n_jobs=2):
        parallel = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(
        serial.cv_results_["mean_test_score"], parallel.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(
        serial.predict_proba(TEXTS), parallel.predict_proba(TEXTS)
    )


def test_concurrent_threads_equal_one_after_the_other(corpus):
    serial = [small(random_state=seed).fit(corpus) for seed in range(4)]
    fit = joblib.delayed(lambda seed: small(random_state=seed).fit(corpus))
    threads = joblib.Parallel(n_jobs=4, backend="threading")(fit(s) for s in range(4))
    for one, other in zip(serial, threads):
        np.testing.assert_array_equal(one.components_, other.components_)


def test_column_transformer_and_feature_union(corpus):
    frame = pd.DataFrame(corpus[:40].toarray()).add_prefix("word").assign(age=1.0)
    columns = ColumnTransformer(
        [("topics", small(), list(frame.columns[:-1]))], remainder="passthrough"
    ).set_output(transform="pandas")
    names = list(columns.fit_transform(frame).columns)
    topics = [f"topics__amortizedlda{k}" for k in range(5)]
    assert names == [*topics, "remainder__age"]
    union = FeatureUnion([("topics", small()), ("tfidf", TfidfTransformer())])
    features = Pipeline([("counts", CountVectorizer()), ("both", union)])
    n_words = len(features.fit(TEXTS)["counts"].vocabulary_)
    assert features.transform(TEXTS).shape == (40, 5 + n_words)


def test_round_trips(fitted, corpus, tmp_path):
    expected = fitted.transform(corpus)
    joblib.dump(fitted, tmp_path / "lda.joblib")
    for copy in (clone_fitted(fitted), joblib.load(tmp_path / "lda.joblib")):
        np.testing.assert_array_equal(copy.transform(corpus), expected)
        assert joblib.hash(copy) == joblib.hash(fitted)
    again = clone(fitted).fit(corpus)
    np.testing.assert_array_equal(again.transform(corpus), expected)


def test_a_fitted_model_holds_no_torch_objects(fitted):
    assert b"torch" not in pickle.dumps(fitted)
