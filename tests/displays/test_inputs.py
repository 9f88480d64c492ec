"""Pipelines and DataFrames as input of every Display."""

import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from sklearn_amortlda import AmortizedLDA, displays
from sklearn_amortlda.displays import (
    NComponentsCurveDisplay,
    TopicHierarchyDisplay,
    TopicMapDisplay,
    TopicsDisplay,
    TopicsOverTimeDisplay,
    TopicsPerClassDisplay,
    TrainingCurveDisplay,
    to_plotly,
    to_pyldavis,
)

GROUPS = np.arange(300) % 4


def numbers_of(display):
    """Return the numbers and words that a Display stores, without its drawings."""
    return {k: v for k, v in vars(display).items() if not k.endswith("_")}


def words_of(display):
    """Return the words and the merges of a dendrogram."""
    return {"words": display.words, "merges": display.hierarchy.linkage}


def drawn_by_plotly(topics):
    """Return the places and words of the circles."""
    return {"x": topics["x"], "words": topics["hovertext"]}


# A call takes a fitted model, its documents and `feature_names`.
CALLS = {
    "TopicHierarchyDisplay": lambda model, X, **names: words_of(
        TopicHierarchyDisplay.from_estimator(model, **names)
    ),
    "TopicMapDisplay": lambda model, X, **names: numbers_of(
        TopicMapDisplay.from_estimator(model, X, **names)
    ),
    "TopicsDisplay": lambda model, X, **names: numbers_of(
        TopicsDisplay.from_estimator(model, **names)
    ),
    "TopicsOverTimeDisplay": lambda model, X, **names: numbers_of(
        TopicsOverTimeDisplay.from_estimator(model, X, GROUPS, n_bins=3, **names)
    ),
    "TopicsPerClassDisplay": lambda model, X, **names: numbers_of(
        TopicsPerClassDisplay.from_estimator(model, X, GROUPS, **names)
    ),
    "to_plotly": lambda model, X, **names: drawn_by_plotly(
        to_plotly(model, X, **names)
    ),
    "to_pyldavis": lambda model, X, **names: to_pyldavis(model, X, **names),
}


# Displays that need no documents.
OF_MODEL = {"TopicsDisplay", "TopicHierarchyDisplay"}


@pytest.fixture(autouse=True)
def prepare(monkeypatch):
    """Replace pyLDAvis and plotly by functions that return their arguments."""
    stub = SimpleNamespace(prepare=lambda **arguments: arguments)
    monkeypatch.setitem(sys.modules, "pyLDAvis", stub)
    stub = SimpleNamespace(Scatter=dict, Figure=lambda topics, layout: topics)
    monkeypatch.setitem(sys.modules, "plotly", SimpleNamespace(graph_objects=stub))
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", stub)


@pytest.fixture(scope="module")
def pipeline(texts):
    lda = LatentDirichletAllocation(3, max_iter=2, random_state=0)
    return make_pipeline(CountVectorizer(), lda).fit(texts)


def assert_numbers_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert_array_equal(found[name], value)


def test_every_display_is_tested_here():
    elsewhere = {
        "CovariateEffectsDisplay",
        "NComponentsCurveDisplay",
        "TrainingCurveDisplay",
    }
    assert set(CALLS) == set(displays.__all__) - elsewhere


@pytest.mark.parametrize("name", CALLS)
def test_pipeline_is_drawn_as_its_model(name, pipeline, texts):
    vectorizer, model = pipeline
    expected = CALLS[name](
        model,
        vectorizer.transform(texts),
        feature_names=vectorizer.get_feature_names_out(),
    )
    assert_numbers_equal(CALLS[name](pipeline, texts), expected)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"to_plotly", "to_pyldavis"}))
def test_words_follow_the_ranking(name, pipeline, texts):
    default = CALLS[name](pipeline, texts)["words"]
    by_lift = CALLS[name](pipeline, texts, ranking="lift")["words"]
    by_probability = CALLS[name](pipeline, texts, ranking="probability")["words"]
    assert_array_equal(default, by_lift)
    assert (by_lift != by_probability).any()
    with pytest.raises(ValueError, match="ranking must be one of"):
        CALLS[name](pipeline, texts, ranking="frequency")


def test_history_is_that_of_the_last_step_of_a_pipeline(texts):
    lda = AmortizedLDA(2, max_iter=2, random_state=0)
    pipeline = make_pipeline(CountVectorizer(), lda).fit(texts)
    display = TrainingCurveDisplay.from_estimator(pipeline)
    assert display.history == pipeline[-1].history_
    assert list(display.lines_) == ["bound"]


def test_number_of_topics_is_that_of_the_last_step_of_a_pipeline(pipeline, texts):
    display = NComponentsCurveDisplay.from_estimator(
        pipeline, texts, [2, 4], cv=[(np.arange(200), np.arange(200, 300))]
    )
    assert display.perplexity.shape == (2, 1)
    assert np.all(np.isfinite(display.perplexity))
    assert pipeline[-1].n_components == 3


@pytest.mark.parametrize("name", sorted(set(CALLS) - OF_MODEL))
def test_frame_keeps_its_column_names(name, fitted_to_frame_and_array, frame):
    model, unnamed = fitted_to_frame_and_array
    expected = CALLS[name](unnamed, frame.to_numpy(), feature_names=frame.columns)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*feature names")
        found = CALLS[name](model, frame)
    assert_numbers_equal(found, expected)
    with pytest.raises(ValueError, match="feature names should match"):
        CALLS[name](model, frame[frame.columns[::-1]])
