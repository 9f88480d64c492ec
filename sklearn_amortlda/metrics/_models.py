"""Fitted estimators and Pipelines in; their model, counts, topics and words out."""

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _check_feature_names


def model_of(estimator):
    """Return the last step of a (nested) Pipeline, else the estimator itself."""
    while isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return estimator


def model_and_counts(estimator, X):
    """Return the model of an estimator and the counts that reach the model.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
    X : object
        Input of the estimator's `transform`.

    Returns
    -------
    model : fitted estimator
        See :func:`model_of`.
    counts : object
        For a Pipeline, X transformed by all steps before the model. Otherwise X
        itself, so that a DataFrame keeps its column names.
    """
    while isinstance(estimator, Pipeline):
        if len(estimator) > 1:
            X = estimator[:-1].transform(X)
        estimator = estimator[-1]
    return estimator, X


def check_names(model, counts):
    """Compare the names of the counts' columns with those of `fit`.

    The rules are those of `transform` in scikit-learn. Only a DataFrame has names.

    Raises
    ------
    ValueError
        If the names, or their order, are not those of `feature_names_in_`.

    Warns
    -----
    UserWarning
        If only dense counts, or only the model, have names.
    """
    # A sparse matrix cannot have names, so their absence is no sign of a mistake.
    if not sparse.issparse(counts):
        _check_feature_names(model, counts, reset=False)


def topics_of(estimator):
    """Return `topic_word_`, or else `components_`, of the model of an estimator.

    Returns
    -------
    topics : ndarray of shape (n_topics, n_features)
        Non-negative weights; rows of `components_` need not sum to 1.
    """
    model = model_of(estimator)
    return model.topic_word_ if hasattr(model, "topic_word_") else model.components_


def names_of(estimator, feature_names=None):
    """Return the words of a model, in the order of its columns.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
    feature_names : array-like of shape (n_features,), default=None
        The words. If None, the names that the steps of a Pipeline give to the columns
        that reach the model; else the model's `feature_names_in_`; else 'x0', 'x1',
        ...

    Returns
    -------
    names : ndarray of shape (n_features,), of objects

    Raises
    ------
    ValueError
        If the number of names is not the number of columns of the topics.
    """
    n_features = np.shape(topics_of(estimator))[1]
    if feature_names is None:
        feature_names = _names_out(_steps_before_model(estimator))
    if feature_names is None:
        feature_names = getattr(model_of(estimator), "feature_names_in_", None)
    if feature_names is None:
        feature_names = [f"x{v}" for v in range(n_features)]
    names = np.asarray(feature_names, dtype=object)
    if names.shape != (n_features,):
        raise ValueError(
            f"feature_names must be the model's {n_features} words in the order of its "
            f"columns, got shape {names.shape}: pass the names of the columns that the "
            "model was fitted on, such as vectorizer.get_feature_names_out()."
        )
    return names


def _steps_before_model(estimator):
    steps = []
    while isinstance(estimator, Pipeline):
        steps += estimator.steps[:-1]
        estimator = estimator[-1]
    return steps


def _names_out(steps, names=None):
    """Return the names of the columns that leave the steps, None if unknown."""
    for _, step in steps:
        if isinstance(step, Pipeline):
            names = _names_out(step.steps, names)
        elif step not in (None, "passthrough"):
            try:
                names = step.get_feature_names_out(names)
            except (AttributeError, ValueError):
                # A later step, such as a vectorizer, may still name its columns.
                names = None
    return names
