"""Model, counts, topics and words of estimators and Pipelines."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_amortlda.metrics._models import (
    model_and_counts,
    model_of,
    names_of,
    topics_of,
)

TEXTS = ["cat purr cat", "dog bark bark"] * 4
WORDS = ["bark", "cat", "dog", "purr"]


def small_lda():
    return LatentDirichletAllocation(2, max_iter=1, random_state=0)


def as_is():
    """Return a step that has no feature names."""
    return FunctionTransformer()


# Ways to put a vectorizer and a model together.
PIPELINES = {
    "flat": lambda: make_pipeline(CountVectorizer(), small_lda()),
    "passthrough": lambda: make_pipeline(CountVectorizer(), "passthrough", small_lda()),
    "weighted": lambda: make_pipeline(
        CountVectorizer(), TfidfTransformer(), small_lda()
    ),
    "nested last": lambda: make_pipeline(
        CountVectorizer(), make_pipeline("passthrough", make_pipeline(small_lda()))
    ),
    "nested first": lambda: make_pipeline(
        make_pipeline(as_is(), CountVectorizer()), small_lda()
    ),
    "nameless first": lambda: make_pipeline(as_is(), CountVectorizer(), small_lda()),
    "nameless outside": lambda: make_pipeline(
        as_is(), make_pipeline(CountVectorizer(), small_lda())
    ),
}


@pytest.fixture(params=PIPELINES)
def pipeline(request):
    return PIPELINES[request.param]().fit(TEXTS)


def test_model_of_an_estimator_is_itself():
    lda = small_lda()
    assert model_of(lda) is lda


def test_model_of_a_pipeline_is_its_last_step(pipeline):
    assert isinstance(model_of(pipeline), LatentDirichletAllocation)
    assert_array_equal(topics_of(pipeline), model_of(pipeline).components_)


def test_topic_word_is_preferred_to_components():
    lda = small_lda().fit(np.eye(3))
    lda.topic_word_ = np.ones((2, 3))
    assert topics_of(lda) is lda.topic_word_


def test_counts_of_an_estimator_are_X_itself(counts, lda, data_frame):
    X = data_frame(counts)
    for estimator in (lda, make_pipeline(lda)):
        model, reached = model_and_counts(estimator, X)
        assert model is lda and reached is X


def test_counts_of_a_pipeline_reach_its_model(pipeline):
    model, counts = model_and_counts(pipeline, TEXTS)
    assert model is model_of(pipeline)
    assert_array_equal(model.transform(counts), pipeline.transform(TEXTS))


def test_names_of_a_pipeline_are_those_of_its_vectorizer(pipeline):
    names = names_of(pipeline)
    assert names.dtype == object
    assert_array_equal(names, WORDS)


def test_names_without_a_source_are_numbered(lda):
    hashing = make_pipeline(
        HashingVectorizer(n_features=4, alternate_sign=False), small_lda()
    ).fit(TEXTS)
    assert_array_equal(names_of(hashing), ["x0", "x1", "x2", "x3"])
    assert_array_equal(names_of(lda), [f"x{v}" for v in range(40)])


def test_names_of_a_data_frame_are_its_columns(counts, lda, data_frame):
    X = data_frame(counts)
    for estimator in (lda, make_pipeline(as_is(), lda)):
        assert_array_equal(names_of(estimator.fit(X)), list(X.columns))


def test_given_names_are_preferred(pipeline):
    names = names_of(pipeline, ("a", "b", "c", "d"))
    assert names.dtype == object
    assert_array_equal(names, ["a", "b", "c", "d"])


@pytest.mark.parametrize("feature_names", [WORDS[:3], [WORDS], "cat"])
def test_another_number_of_names_raises(pipeline, feature_names):
    message = r"the model's 4 words .* got shape .*get_feature_names_out"
    with pytest.raises(ValueError, match=message):
        names_of(pipeline, feature_names)
