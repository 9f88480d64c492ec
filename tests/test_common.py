"""scikit-learn's common checks, with one expected failure.

With mini-batches a weight equals repetitions in expectation only, as in scikit-learn's
own stochastic solvers. tests/test_sample_weight.py tests what holds exactly.
"""

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from sklearn_amortlda import AmortizedLDA

SMALL = {"max_iter": 2, "hidden_layer_sizes": (8,), "device": "cpu"}


class Dense(nn.Sequential):
    """A user's encoder: a class, because its pickle is the same in every process."""

    def __init__(self, n_features, n_hidden):
        super().__init__(nn.Linear(n_features, n_hidden), nn.Dropout(0.1), nn.ReLU())


CONFIGURATIONS = [
    AmortizedLDA(**SMALL),
    AmortizedLDA(objective="bound", refine=0, **SMALL),
    AmortizedLDA(objective="sampled", **SMALL),
    AmortizedLDA(objective="logistic_normal", **SMALL),
    AmortizedLDA(early_stopping=True, validation_fraction=0.5, **SMALL),
    AmortizedLDA(encoder="transformer", **SMALL),
    AmortizedLDA(encoder=Dense, **SMALL),
]

# scikit-learn defines these checks and does not yield them to third-party estimators.
MORE_CHECKS = [
    estimator_checks.check_dataframe_column_names_consistency,
    estimator_checks.check_get_feature_names_out_error,
    estimator_checks.check_global_output_transform_pandas,
    estimator_checks.check_inplace_ensure_writeable,
    estimator_checks.check_param_validation,
    estimator_checks.check_set_output_transform,
    estimator_checks.check_set_output_transform_pandas,
    estimator_checks.check_transformer_get_feature_names_out,
    estimator_checks.check_transformer_get_feature_names_out_pandas,
]


def expected_failures(estimator):
    return {
        f"check_sample_weight_equivalence_on_{kind}_data": "stochastic mini-batches"
        for kind in ("dense", "sparse")
    }


@parametrize_with_checks(CONFIGURATIONS, expected_failed_checks=expected_failures)
def test_yielded_check_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", MORE_CHECKS, ids=lambda check: check.__name__)
def test_check_that_is_not_yielded_passes(check):
    check("AmortizedLDA", AmortizedLDA(**SMALL))
