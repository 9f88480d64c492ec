"""Pipelines, DataFrames and sparse containers as input of every function."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from inspection.fixed_model import X
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from sklearn_amortlda import AmortizedLDA, inspection
from sklearn_amortlda.inspection import (
    align_topics,
    effective_number_of_topics,
    merge_topics,
    n_components_curve,
    prune_topics,
    representative_documents,
    top_words,
    topic_hierarchy,
    topic_labels,
    topic_lift,
    topic_relevance,
    topic_sizes,
    topic_table,
    topics_over_time,
    topics_per_class,
)

GROUPS = np.arange(300) % 4

# A call takes a fitted model, its documents and, if it has names, `feature_names`.
OF_MODEL = {
    "align_topics": lambda model, X: align_topics(model, model),
    "prune_topics": lambda model, X: prune_topics(model, [1, 0]).transform(X),
    "merge_topics": lambda model, X: merge_topics(model, [[0, 2]]).transform(X),
    "topic_hierarchy": lambda model, X: topic_hierarchy(model).linkage,
    "topic_labels": lambda model, X, **names: topic_labels(model, **names),
    "topic_lift": lambda model, X: topic_lift(model),
    "top_words": lambda model, X, **names: top_words(model, **names),
}
OF_DOCUMENTS = {
    "effective_number_of_topics": effective_number_of_topics,
    "representative_documents": representative_documents,
    "topic_relevance": topic_relevance,
    "topic_sizes": topic_sizes,
    "topic_table": topic_table,
    "topics_over_time": lambda model, X: topics_over_time(model, X, GROUPS, n_bins=3),
    "topics_per_class": lambda model, X: topics_per_class(model, X, GROUPS),
}
CALLS = OF_MODEL | OF_DOCUMENTS
WITH_NAMES = {"top_words", "topic_labels", "topic_table"}


def assert_results_equal(found, expected):
    if not isinstance(expected, tuple):
        found, expected = [found], [expected]
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b)


def test_every_function_of_a_fitted_model_is_tested_here():
    elsewhere = {
        "n_components_curve",
        "TopicHierarchy",
        "inference_gaps",
        "covariate_effects",
    }
    assert set(CALLS) == set(inspection.__all__) - elsewhere


@pytest.fixture(scope="module")
def pipeline(texts):
    lda = AmortizedLDA(3, max_iter=2, random_state=0)
    return make_pipeline(CountVectorizer(), lda).fit(texts)


@pytest.mark.parametrize("name", CALLS)
def test_pipeline_has_the_results_of_its_model(name, pipeline, texts):
    if name == "topic_table":
        pytest.importorskip("pandas")
    vectorizer, model = pipeline
    names = {"feature_names": vectorizer.get_feature_names_out()}
    expected = CALLS[name](
        model, vectorizer.transform(texts), **(names if name in WITH_NAMES else {})
    )
    assert_results_equal(CALLS[name](pipeline, texts), expected)


def test_given_names_replace_those_of_the_vectorizer(pipeline):
    names = [word.upper() for word in pipeline[0].get_feature_names_out()]
    assert_array_equal(top_words(pipeline, names), top_words(pipeline[-1], names))


def test_pruned_pipeline_is_independent_of_the_original(pipeline, texts):
    before = top_words(pipeline)
    pruned = prune_topics(pipeline, [2, 0])
    assert_array_equal(pruned[-1].topic_word_, pipeline[-1].topic_word_[[2, 0]])
    pruned.fit(["a new vocabulary", "of few words"])
    assert pipeline[-1].n_components == 3
    assert_array_equal(top_words(pipeline), before)
    assert pipeline.transform(texts).shape == (300, 3)


@pytest.mark.parametrize("name", OF_DOCUMENTS)
def test_frame_keeps_its_column_names(name, fitted_to_frame_and_array, frame):
    model, unnamed = fitted_to_frame_and_array
    names = {"feature_names": frame.columns} if name in WITH_NAMES else {}
    expected = CALLS[name](unnamed, frame.to_numpy(), **names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = CALLS[name](model, frame)
    assert_results_equal(found, expected)
    with pytest.raises(ValueError, match="feature names should match"):
        CALLS[name](model, frame[frame.columns[::-1]])


def test_curve_of_a_frame_raises_no_warning(frame, corpus):
    estimator = LatentDirichletAllocation(max_iter=1, random_state=0)
    splits = [(np.arange(200), np.arange(200, 300))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = n_components_curve(estimator, frame, [2], cv=splits)
    expected = n_components_curve(estimator, corpus.toarray(), [2], cv=splits)
    for name, values in expected.items():
        assert_array_equal(found[name], values)


@pytest.mark.parametrize("container", [np.asarray, sp.csr_array, sp.csc_matrix])
def test_containers_give_equal_results_and_stay_unchanged(model, container):
    counts = container(X)
    before = counts.copy()
    expected = topic_relevance(model, X)
    assert_allclose(topic_relevance(model, counts), expected)
    assert_array_equal(
        representative_documents(model, counts, n_documents=1).T, [[0, 2]]
    )
    assert abs(counts - before).sum() == 0


def test_model_whose_transform_returns_frames_has_equal_sizes(peer, corpus):
    pytest.importorskip("pandas")
    expected = topic_sizes(peer, corpus)
    framed = clone(peer).fit(corpus).set_output(transform="pandas")
    assert_allclose(topic_sizes(framed, corpus), expected)
