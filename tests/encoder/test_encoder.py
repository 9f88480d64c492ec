"""Models with encoders of all kinds."""

import copy
import pickle

import numpy as np
import pytest
from encoder.modules import ENCODERS, Dense, Noisy, small_lda
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_amortlda.metrics import document_completion_perplexity


class Zero(nn.Module):
    """Zeros in place of the counts."""

    def forward(self, X):
        return 0.0 * X


def constant_encoder(n_features, n_hidden):
    """Returns the same hidden units for every document."""
    return nn.Sequential(Dense(), Zero(), nn.Linear(n_features, n_hidden))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_two_fits_and_copies_are_equal(corpus, encoder):
    fitted = small_lda(encoder=encoder).fit(corpus)
    again = clone(fitted).fit(corpus)
    theta = fitted.transform(corpus)
    assert_array_equal(again.transform(corpus), theta)
    for copied in (copy.deepcopy(fitted), pickle.loads(pickle.dumps(fitted))):
        assert_array_equal(copied.transform(corpus), theta)
        assert copied.score(corpus) == fitted.score(corpus)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_rows_do_not_depend_on_other_rows(corpus, encoder):
    fitted = small_lda(encoder=encoder, refine=0).fit(corpus)
    X = corpus[:40].toarray()
    X[3] = 0
    X[7] = np.eye(60)[2]
    theta = fitted.transform(X)
    each = [fitted.transform(X[i : i + 1])[0] for i in range(X.shape[0])]
    if isinstance(encoder, str):
        assert_array_equal(each, theta)
    else:
        # The rounding of torch's sparse products depends on their shape.
        assert_allclose(each, theta, rtol=1e-5)
    prior = fitted.doc_topic_prior_
    assert_allclose(theta[3], prior / prior.sum(), rtol=1e-6)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_two_fits_of_two_epochs_equal_one_of_four(corpus, encoder):
    power = {"encoder": encoder, "learning_schedule": "power"}
    once = small_lda(max_iter=4, **power).fit(corpus)
    twice = small_lda(max_iter=2, warm_start=True, **power).fit(corpus)
    twice = pickle.loads(pickle.dumps(twice)).fit(corpus)
    assert_array_equal(twice.components_, once.components_)
    assert_array_equal(twice.transform(corpus), once.transform(corpus))


@pytest.mark.parametrize("encoder", ["transformer", Noisy])
def test_encoder_learns_to_predict_words(corpus, encoder):
    # Without refinement, which would find good posteriors for any encoder.
    settings = {"n_components": 5, "max_iter": 20, "learning_rate_init": 0.02}
    perplexities = [
        document_completion_perplexity(fitted.set_params(refine=0), corpus)
        for fitted in (
            small_lda(encoder=e, **settings).fit(corpus)
            for e in (encoder, constant_encoder)
        )
    ]
    assert perplexities[0] < 0.7 * perplexities[1]


def test_grid_search_over_encoders(corpus):
    encoders = ["mlp", "transformer", Noisy]
    search = GridSearchCV(small_lda(), {"encoder": encoders}, cv=2, error_score="raise")
    search.fit(corpus)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(set(search.cv_results_["mean_test_score"])) == 3


def test_html_diagram_names_a_custom_encoder():
    assert "Noisy" in small_lda(encoder=Noisy)._repr_html_()
