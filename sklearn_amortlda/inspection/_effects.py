"""A model with covariates and documents go in; the covariates' effects come out."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.utils import Bunch, check_random_state

from ..data.types import MatrixLike, RandomState, TopicModel
from ..inference.posterior import check_n_samples, tail_of
from ..metrics._checks import check_integers
from ..metrics._models import model_and_counts
from ..runtime.process_lock import import_lock
from ._pruning import amortized
from ._table import frame_type
from ._words import top_words

if TYPE_CHECKING:
    import pandas as pd


def covariate_effects(
    model: TopicModel,
    X: MatrixLike,
    covariates: MatrixLike,
    names: ArrayLike | None = None,
    feature_names: ArrayLike | None = None,
    *,
    level: float = 0.9,
    n_draws: int = 200,
    n_words: int = 5,
    random_state: RandomState = 0,
    as_frame: bool | str = "auto",
) -> pd.DataFrame | Bunch:
    r"""Return the effect of each covariate on the expected share of each topic.

    The expected share of topic k in document d is
    :math:`\alpha_{dk} / \sum_j \alpha_{dj}`, where :math:`\alpha_d = \exp(b + W c_d)`
    is the prior of the document with the covariates :math:`c_d` [1]_. The effect of a
    covariate with two values in X is the change of this share from the lower to the
    higher value. The effect of another covariate is the derivative of the share, which
    is the change by one unit. Both are means over the documents, with their other
    covariates as they are (average marginal effects).

    A Markov chain draws b and W from their posterior. It also draws the topics and the
    topic of every word, so the intervals contain the uncertainty of both. The chain
    starts at the fitted model.

    Parameters
    ----------
    model : AmortizedLDA or Pipeline that ends in one
        Fitted with covariates.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Integer counts of the documents, or the input of the Pipeline. Pass the training
        documents, because the topics are drawn too. Each document counts once, and
        labels are not used.
    covariates : array-like of shape (n_samples, n_covariates)
        Covariates of these documents.
    names : array-like of str of shape (n_covariates,), default=None
        Names of the covariates. None is `covariate_names_in_` of the model, or else
        'c0', 'c1', ...
    feature_names : array-like of shape (n_features,), default=None
        The words; see :func:`top_words`.
    level : float, default=0.9
        Probability of the intervals.
    n_draws : int, default=200
        Draws of the chain, at least 20. Half as many come before the first one.
        docs/covariates.md has measured times.
    n_words : int, default=5
        Top words of each topic in the table.
    random_state : int, RandomState instance or None, default=0
        Pass an int for the same draws in every call.
    as_frame : bool or 'auto', default='auto'
        Whether to return a DataFrame. False returns a Bunch of arrays. 'auto' returns a
        DataFrame if pandas is installed.

    Returns
    -------
    effects : pandas.DataFrame or Bunch
        A DataFrame has a row for each topic and covariate, with the columns ``topic``,
        ``covariate``, ``effect``, ``lower``, ``upper`` and ``words``. A Bunch has

        - ``effect``, ``lower``, ``upper``: means of the draws and ends of the
          intervals, of shape (n_topics, n_covariates);
        - ``names``: the covariates;
        - ``draws``: the effects of each draw, of shape (n_draws, n_topics,
          n_covariates).

    Raises
    ------
    TypeError
        If the model is not an AmortizedLDA.
    ValueError
        If the model was fitted without covariates, covariates do not have its columns,
        X has fractions, or a parameter is out of range.
    ImportError
        If `as_frame` is True and pandas is not installed.

    See Also
    --------
    sklearn_amortlda.displays.CovariateEffectsDisplay : Draws the effects.

    References
    ----------
    .. [1] D. Mimno & A. McCallum (2008). Topic models conditioned on arbitrary features
       with Dirichlet-multinomial regression. UAI.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.inspection import covariate_effects
    >>> X = np.repeat([[5, 5, 0, 0], [0, 0, 5, 5]], 60, axis=0)
    >>> is_late = np.repeat([[0.0], [1.0]], 60, axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X, covariates=is_late)
    >>> effects = covariate_effects(lda, X, is_late, ["late"], as_frame=False)
    >>> bool(effects.effect.min() < -0.8 and effects.effect.max() > 0.8)
    True
    """
    frame = frame_type(as_frame, "covariate_effects")
    check_n_samples(n_draws, minimum=20, name="n_draws")
    tail = tail_of(level)
    amortized(model, "covariate_effects")
    lda, counts = model_and_counts(model, X)
    # A concurrent fit would change the attributes.
    lda = copy(lda)
    if not hasattr(lda, "covariate_coef_"):
        raise ValueError(
            "The model was fitted without covariates, so it has no effects: pass "
            "covariates to fit."
        )
    if covariates is None:
        raise ValueError("covariates are missing: pass those of the documents in X.")
    names = _names(lda, names)
    if frame is not None:
        # Before the chain, which takes long.
        words = top_words(model, feature_names, n_words=n_words)
    draws = _draws(lda, counts, covariates, n_draws, check_random_state(random_state))
    lower, upper = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    effects = Bunch(
        effect=draws.mean(axis=0),
        lower=lower,
        upper=upper,
        names=names,
        draws=draws,
    )
    return effects if frame is None else frame(_long_table(effects, words))


def _names(lda, names):
    n_covariates = lda.covariate_coef_.shape[1]
    if names is None:
        names = getattr(lda, "covariate_names_in_", None)
    if names is None:
        names = [f"c{j}" for j in range(n_covariates)]
    names = np.asarray(names, dtype=object)
    if names.shape != (n_covariates,):
        raise ValueError(
            f"names must be the {n_covariates} names of the covariates, got shape "
            f"{names.shape}."
        )
    return names


def _draws(lda, counts, covariates, n_draws, random_state):
    """Draws of the effects, shape (n_draws, n_topics, n_covariates)."""
    with import_lock():
        from ..inference.regression_chain import Start, draw_regression
        from ..training.state import regression_of

    with lda._reading(counts, covariates, whom="covariate_effects") as read:
        documents, _, inference = read
        problem = "covariate_effects draws a topic for each word, and X has fractions"
        check_integers(documents.counts, problem)
        gamma = inference.gamma(documents)
        start = Start(
            gamma / gamma.sum(axis=1, keepdims=True),
            lda.topic_word_,
            lda.topic_word_prior_,
            *regression_of(lda._fitted()),
        )
        standardized = documents.covariates.astype(np.float64)
        rng = np.random.default_rng(random_state.randint(2**31))
        weights = draw_regression(
            documents.counts, standardized, start, n_draws=n_draws, rng=rng
        )
    units = 1.0 / lda._covariate_scale
    values = [np.unique(column) for column in standardized.T]
    return np.array([_effects(standardized, w, units, values) for w in weights])


def _effects(covariates, weights, units, values):
    """Average marginal effects of covariates, shape (n_topics, n_covariates).

    Parameters
    ----------
    covariates : ndarray of shape (n_documents, n_covariates)
        Standardized covariates.
    weights : ndarray of shape (n_covariates + 1, n_topics)
        Intercepts, then coefficients.
    units : ndarray of shape (n_covariates,)
        One unit of each covariate, in standard deviations.
    values : sequence of ndarray
        The distinct values of each covariate, ascending.
    """
    logs = weights[0] + covariates @ weights[1:]
    shares = softmax(logs, axis=1)
    # The derivative of the share k is s_k (w_k - sum_j s_j w_j).
    mean = shares.mean(axis=0)
    slopes = (np.diag(mean) - shares.T @ shares / len(shares)) @ weights[1:].T
    effects = slopes * units
    for j, distinct in enumerate(values):
        if len(distinct) == 2:
            low, high = (
                softmax(logs + np.outer(value - covariates[:, j], weights[j + 1]), 1)
                for value in distinct
            )
            effects[:, j] = (high - low).mean(axis=0)
    return effects


def _long_table(effects, words):
    n_topics, n_covariates = effects.effect.shape
    topics = np.repeat(np.arange(n_topics), n_covariates)
    return {
        "topic": topics,
        "covariate": np.tile(effects.names, n_topics),
        "effect": effects.effect.ravel(),
        "lower": effects.lower.ravel(),
        "upper": effects.upper.ravel(),
        "words": np.array([" ".join(map(str, words[k])) for k in topics], object),
    }
