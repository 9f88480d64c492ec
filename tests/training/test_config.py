"""Invalid parameters raise, and the estimator stays unfitted."""

import numpy as np
import pytest

from sklearn_amortlda import AmortizedLDA

INVALID = [
    ({"n_components": 0}, "n_components"),
    ({"n_components": -1}, "n_components"),
    ({"n_components": 2.0}, "n_components"),
    ({"n_components": True}, "n_components"),
    ({"doc_topic_prior": 0.0}, "doc_topic_prior"),
    ({"doc_topic_prior": [0.1, 0.2]}, r"doc_topic_prior has shape \(2,\).*\(3,\)"),
    ({"doc_topic_prior": [0.1, -0.2, 0.1]}, "doc_topic_prior must be positive"),
    ({"topic_word_prior": np.ones(59)}, r"topic_word_prior has shape \(59,\)"),
    ({"topic_word_prior": np.nan}, "topic_word_prior"),
    ({"hidden_layer_sizes": ()}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (10, 0)}, "hidden_layer_sizes"),
    ({"hidden_layer_sizes": (10.5,)}, "hidden_layer_sizes"),
    ({"objective": "elbo"}, "objective"),
    ({"batch_size": 0}, "batch_size"),
    ({"refine": -1}, "refine"),
    ({"refine": 10**9}, "refine"),
    ({"total_samples": 0.0}, "total_samples"),
    ({"total_samples": 3e38}, "total_samples"),
    ({"total_samples": np.inf}, "total_samples"),
    ({"early_stopping": True, "validation_fraction": 0.001}, "validation_fraction"),
]


@pytest.mark.parametrize(("parameters", "message"), INVALID)
def test_invalid_parameters_raise_and_leave_the_estimator_unfitted(
    corpus, parameters, message
):
    lda = AmortizedLDA(**{"n_components": 3, "max_iter": 1, **parameters})
    with pytest.raises(ValueError, match=message):
        lda.fit(corpus)
    assert not hasattr(lda, "components_") and not hasattr(lda, "n_features_in_")


@pytest.mark.parametrize(
    "parameters",
    [
        {"total_samples": 3e38},
        {"objective": "elbo"},
        {"encoder": "rnn"},
        {"refine": 10**9},
        {"learning_schedule": "linear"},
        {"batch_size": 0},
        {"learning_rate_init": -1.0},
        {"max_iter": 0},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_parameter_that_became_invalid_raises_in_partial_fit(corpus, parameters):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), random_state=0).partial_fit(corpus)
    expected, before = lda.transform(corpus), lda.get_params()
    lda.set_params(**parameters)
    with pytest.raises(ValueError, match=f"The '{next(iter(parameters))}' parameter"):
        lda.partial_fit(corpus)
    np.testing.assert_array_equal(lda.set_params(**before).transform(corpus), expected)


def test_very_large_number_of_samples_gives_finite_results(corpus):
    lda = AmortizedLDA(3, total_samples=1e15, hidden_layer_sizes=(8,), random_state=0)
    for _ in range(2):
        lda.partial_fit(corpus)
    assert np.isfinite([lda.score(corpus), lda.perplexity(corpus)]).all()
