"""Quality of models by number of topics."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.inspection import n_components_curve
from sklearn_amortlda.metrics import document_completion_perplexity, topic_coherence


def test_curve_has_the_quality_of_a_model_fitted_to_the_split(corpus):
    estimator = LatentDirichletAllocation(max_iter=3, random_state=0)
    train, test = np.arange(200), np.arange(200, 300)
    curve = n_components_curve(estimator, corpus, [2, 5], cv=[(train, test)])
    fitted = clone(estimator).set_params(n_components=5).fit(corpus[train])
    assert_array_equal(curve.n_components, [2, 5])
    assert_allclose(
        curve.perplexity[1], document_completion_perplexity(fitted, corpus[test])
    )
    assert_allclose(curve.coherence[1], topic_coherence(fitted.components_, corpus))
    assert curve.diversity.shape == (2, 1)
    assert not hasattr(estimator, "components_")


@pytest.mark.slow
def test_random_state_determines_the_default_splits(corpus):
    estimator = LatentDirichletAllocation(max_iter=2, random_state=0)
    curves = [
        n_components_curve(estimator, corpus, [3], random_state=seed).perplexity
        for seed in (0, 0, 1)
    ]
    assert curves[0].shape == (1, 3)
    assert_array_equal(curves[0], curves[1])
    assert np.any(curves[0] != curves[2])


@pytest.mark.slow
def test_perplexity_falls_up_to_the_true_number_of_topics(corpus):
    estimator = AmortizedLDA(random_state=0)
    perplexity = n_components_curve(
        estimator, corpus, [1, 5], cv=[(np.arange(240), np.arange(240, 300))]
    ).perplexity[:, 0]
    assert perplexity[1] < 0.8 * perplexity[0]


@pytest.mark.parametrize("nested", [False, True])
def test_pipeline_has_the_curve_of_its_last_step(corpus, texts, nested):
    lda = LatentDirichletAllocation(max_iter=2, random_state=0)
    names = [f"word{v:02d}" for v in range(corpus.shape[1])]
    pipeline = make_pipeline(
        CountVectorizer(vocabulary=names), make_pipeline(lda) if nested else lda
    )
    splits = [(np.arange(200), np.arange(200, 300))]
    found = n_components_curve(pipeline, texts, [2, 5], cv=splits)
    expected = n_components_curve(lda, corpus, [2, 5], cv=splits)
    for name, values in expected.items():
        assert_array_equal(found[name], values)


def test_each_split_of_a_pipeline_has_its_own_vocabulary(texts):
    train, test = np.arange(20), np.arange(20, 300)
    pipeline = make_pipeline(
        CountVectorizer(min_df=5), LatentDirichletAllocation(max_iter=2, random_state=0)
    )
    curve = n_components_curve(pipeline, texts, [2], cv=[(train, test)])
    vectorizer, lda = pipeline[:1], pipeline[-1].set_params(n_components=2)
    lda.fit(vectorizer.fit_transform([texts[i] for i in train]))
    counts = vectorizer.transform(texts)
    assert counts.shape[1] < 60
    assert_allclose(curve.coherence, [[topic_coherence(lda.components_, counts)]])
    assert_allclose(
        curve.perplexity, [[document_completion_perplexity(lda, counts[test])]]
    )
