"""Scorers against the metrics that they wrap."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_amortlda.metrics import (
    c_v_scorer,
    completion_split,
    document_completion_perplexity,
    document_completion_scorer,
    inverted_rbo,
    inverted_rbo_scorer,
    npmi_scorer,
    purity_score,
    purity_scorer,
    retrieval_precision,
    retrieval_scorer,
    topic_coherence,
    topic_diversity,
    topic_diversity_scorer,
    topic_uniqueness,
    topic_uniqueness_scorer,
    u_mass_scorer,
)

SCORERS = {
    document_completion_scorer: lambda lda, X: (
        -np.log(document_completion_perplexity(lda, X))
    ),
    npmi_scorer: lambda lda, X: topic_coherence(lda.components_, X),
    u_mass_scorer: lambda lda, X: topic_coherence(lda.components_, X, measure="u_mass"),
    c_v_scorer: lambda lda, X: topic_coherence(lda.components_, X, measure="c_v"),
    topic_diversity_scorer: lambda lda, X: topic_diversity(lda.components_),
    topic_uniqueness_scorer: lambda lda, X: topic_uniqueness(lda.components_),
    inverted_rbo_scorer: lambda lda, X: inverted_rbo(lda.components_),
}
SCORERS_OF_TOPICS = {
    topic_diversity_scorer,
    topic_uniqueness_scorer,
    inverted_rbo_scorer,
}
SCORERS_OF_X = [scorer for scorer in SCORERS if scorer not in SCORERS_OF_TOPICS]


@pytest.mark.parametrize("scorer", SCORERS)
def test_grid_search_reports_the_metric(counts, scorer):
    train, test = np.arange(80), np.arange(80, 120)
    search = GridSearchCV(
        LatentDirichletAllocation(max_iter=3, random_state=0),
        {"n_components": [2, 4]},
        scoring=scorer,
        cv=[(train, test)],
        error_score="raise",
        n_jobs=2,
    ).fit(sparse.csr_matrix(counts))
    lda = LatentDirichletAllocation(4, max_iter=3, random_state=0).fit(counts[train])
    expected = SCORERS[scorer](lda, counts[test])
    assert_allclose(search.cv_results_["mean_test_score"][1], expected)
    assert search.cv_results_["mean_test_score"][0] != expected


@pytest.mark.parametrize("scorer", [purity_scorer, retrieval_scorer])
def test_grid_search_reports_the_agreement_with_labels(counts, scorer):
    y = counts[:, :30].argmax(axis=1) // 10
    train, test = np.arange(80), np.arange(80, 120)
    search = GridSearchCV(
        LatentDirichletAllocation(max_iter=3, random_state=0),
        {"n_components": [4]},
        scoring=scorer,
        cv=[(train, test)],
        error_score="raise",
    ).fit(sparse.csr_matrix(counts), y)
    lda = LatentDirichletAllocation(4, max_iter=3, random_state=0).fit(counts[train])
    theta = lda.transform(counts[test])
    expected = {
        purity_scorer: lambda: purity_score(y[test], theta.argmax(axis=1)),
        retrieval_scorer: lambda: retrieval_precision(theta, y[test]),
    }
    assert_allclose(search.cv_results_["mean_test_score"], expected[scorer]())


def test_purity_scorer_takes_the_topics_of_predict(counts):
    class Model:
        def predict(self, X):
            return [0, 1] * (len(X) // 2)

    y = ["a", "b"] * (len(counts) // 2)
    assert purity_scorer(Model(), counts, y) == 1.0


def test_completion_score_of_a_single_topic_is_the_unigram_log_likelihood(counts):
    lda = LatentDirichletAllocation(1, random_state=0).fit(counts)
    _, held_out = completion_split(counts)
    unigram = lda.components_[0] / lda.components_[0].sum()
    expected = held_out.sum(axis=0) @ np.log(unigram) / held_out.sum()
    assert_allclose(document_completion_scorer(lda, counts), expected)


@pytest.mark.parametrize("scorer", SCORERS)
def test_score_of_a_pipeline_is_that_of_its_last_step(scorer):
    colours = "red green blue red pink grey white black brown"
    numbers = "one two three two four five six seven eight nine"
    texts = [colours, numbers] * 5
    pipeline = make_pipeline(
        CountVectorizer(), LatentDirichletAllocation(2, random_state=0)
    ).fit(texts)
    expected = SCORERS[scorer](pipeline[-1], pipeline[:-1].transform(texts))
    assert_allclose(scorer(pipeline, texts), expected)
    alone = make_pipeline(pipeline[-1])
    assert_allclose(scorer(alone, pipeline[:-1].transform(texts)), expected)
    nested = make_pipeline(pipeline[0], alone)
    assert_allclose(scorer(nested, texts), expected)


def test_cross_validate_accepts_several_scorers(counts):
    lda = LatentDirichletAllocation(3, max_iter=2, random_state=0)
    scoring = {"npmi": npmi_scorer, "diversity": topic_diversity_scorer}
    results = cross_validate(lda, counts, scoring=scoring, cv=2, error_score="raise")
    assert results["test_npmi"].shape == results["test_diversity"].shape == (2,)


@pytest.mark.parametrize("scorer", SCORERS)
def test_score_of_a_data_frame_is_that_of_its_array_without_warning(
    counts, lda, data_frame, scorer
):
    expected = scorer(lda, counts)
    lda.fit(data_frame(counts))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scorer(lda, data_frame(counts)) == expected


@pytest.mark.parametrize("scorer", SCORERS_OF_X)
def test_columns_in_another_order_raise(counts, lda, data_frame, scorer):
    X = data_frame(counts)
    lda.fit(X)
    with pytest.raises(ValueError, match="same order as they were in fit"):
        scorer(lda, X[list(X.columns)[::-1]])


@pytest.mark.parametrize("scorer", SCORERS)
def test_scorers_pickle(scorer):
    assert pickle.loads(pickle.dumps(scorer)) is scorer
