"""The stored state of an estimator.

Input: the parameters and fitted attributes of an estimator, which are NumPy arrays,
numbers, strings and containers of them. Output: a dict of them with a format number,
for pickle, joblib and skops.io.
"""

from __future__ import annotations

# Version of the state; increased if older code would misread a new file.
FORMAT = 2

#: Types for the `trusted` argument of `skops.io.load`.
SKOPS_TRUSTED = ["sklearn_amortlda._amortized_lda.AmortizedLDA"]

# Attributes that training assigns.
FITTED = (
    "components_",
    "topic_word_",
    "doc_topic_prior_",
    "topic_word_prior_",
    "bound_",
    "history_",
    "n_iter_",
    "n_batch_iter_",
    "n_features_in_",
    "feature_names_in_",
    "classes_",
    "topic_label_",
    "label_exponent_",
    "_label_components",
    "covariate_coef_",
    "covariate_intercept_",
    "covariate_names_in_",
    "_covariate_mean",
    "_covariate_scale",
    "_encoder_weights",
    "_optimizer_state",
    "_seed",
    "_time",
    "_n_seen",
)


def with_format(state: dict) -> dict:
    """The state with the format number."""
    return {**state, "_format": FORMAT}


def without_format(state) -> dict:
    """The state without the format number.

    Raises
    ------
    ValueError
        If the state is not that of an AmortizedLDA, or has another format.
    """
    if not isinstance(state, dict) or "_format" not in state:
        raise ValueError(
            "This is not a saved AmortizedLDA, or it is damaged: it has no format "
            "number. Load another file, or fit and save the model again."
        )
    state = state.copy()
    written = state.pop("_format")
    if written != FORMAT:
        raise ValueError(
            f"The saved AmortizedLDA has format {written!r}; this version of "
            f"sklearn-amortlda reads format {FORMAT}. Load it with the version that "
            "wrote it."
        )
    return state
