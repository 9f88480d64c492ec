"""The gaps between the bounds and the log-likelihood of documents."""

import numpy as np
import pytest
from conftest import small_estimator
from exact import by_integration
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_amortlda.inspection import inference_gaps


@pytest.fixture(scope="module")
def lda(corpus):
    return small_estimator(n_components=2, max_iter=5).fit(corpus)


@pytest.fixture(scope="module")
def gaps(lda, corpus):
    return inference_gaps(lda, corpus[:20], n_particles=200)


def test_gaps_are_differences_and_not_negative(gaps, lda, corpus):
    assert_array_equal(gaps.amortization_gap, gaps.optimum - gaps.encoder)
    assert_array_equal(gaps.refined_gap, gaps.optimum - gaps.refined)
    assert_array_equal(gaps.variational_gap, gaps.log_likelihood - gaps.optimum)
    assert (gaps.amortization_gap > -1e-3).all()
    assert gaps.refined_gap.sum() < gaps.amortization_gap.sum()
    assert (gaps.variational_gap > -0.1).all()
    assert_array_equal(gaps.n_words, corpus[:20].sum(axis=1).A1)
    # `score` takes six steps after the refinement.
    score = lda.score(corpus[:20])
    assert gaps.refined.sum() < score <= gaps.optimum.sum() + 1e-3
    assert_allclose(gaps.score.sum(), score)


def test_several_numbers_of_refinements(gaps, lda, corpus):
    several = inference_gaps(lda, corpus[:20], refine=[0, 3, 10], n_particles=1)
    assert several.refined.shape == several.refined_gap.shape == (3, 20)
    assert_array_equal(several.refined[0], gaps.encoder)
    assert_array_equal(several.refined[1], gaps.refined)
    assert several.refined[2].sum() > gaps.refined.sum()


def test_optimum_is_the_higher_of_two(lda, corpus, gaps):
    from_encoder = lda.set_params(refine=0)
    with from_encoder._reading(corpus[:20], whom="test") as (documents, _, inference):
        alone = inference.bound(documents, n_steps=300)
    lda.set_params(refine=3)
    assert (gaps.optimum >= alone - 1e-3).all()


def test_log_likelihood_is_exact_up_to_the_noise_of_the_estimate(gaps, lda, corpus):
    counts = corpus[:20].toarray()
    alpha = lda.doc_topic_prior_.astype(float)
    exact = [by_integration(lda.topic_word_, row, alpha) for row in counts]
    assert_allclose(gaps.log_likelihood, exact, atol=0.3)


def test_optimum_is_a_fixed_point(lda, corpus, gaps, monkeypatch):
    monkeypatch.setattr("sklearn_amortlda.inference.inference._OPTIMUM_STEPS", 2000)
    more = inference_gaps(lda, corpus[:20], n_particles=1)
    assert_allclose(more.optimum, gaps.optimum, atol=2e-2)


def test_pipeline_and_repeated_calls_give_equal_gaps(lda, corpus, gaps):
    pipeline = make_pipeline(FunctionTransformer(), lda)
    again = inference_gaps(pipeline, corpus[:20], n_particles=200)
    for name in gaps:
        assert_array_equal(again[name], gaps[name])


def test_other_models_and_wrong_input_raise(lda, corpus):
    theirs = LatentDirichletAllocation(2, max_iter=1).fit(corpus)
    with pytest.raises(TypeError, match="needs an AmortizedLDA, got LatentDir"):
        inference_gaps(theirs, corpus)
    with pytest.raises(NotFittedError):
        inference_gaps(small_estimator(), corpus)
    with pytest.raises(ValueError, match="n_particles must be a positive"):
        inference_gaps(lda, corpus[:2], n_particles=0)
    with pytest.raises(ValueError, match="each word token has one topic"):
        inference_gaps(lda, 1.5 * corpus[:2])
    for refine in (-1, 1.5, [[1]], "all"):
        with pytest.raises(ValueError, match="refine must be a number of steps"):
            inference_gaps(lda, corpus[:2], refine=refine)
    with pytest.raises(ValueError, match="features"):
        inference_gaps(lda, np.ones((2, 7)))
