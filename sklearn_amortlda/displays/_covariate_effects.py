"""A model with covariates and documents go in; intervals of the effects come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..data.types import MatrixLike, RandomState, TopicModel
from ..inspection import covariate_effects, top_words
from ._figure import AxesLike, panels, shortened

# Inches: height of a row, and width of a panel with its labels.
_ROW, _WIDTH = 0.2, 5.0


class CovariateEffectsDisplay:
    """Effects of covariates on the expected shares of topics, with intervals.

    Each covariate has a panel, and its topics are sorted by their effect. A topic whose
    interval contains 0 is grey. Use :meth:`from_estimator` to make a display. The
    parameters are stored as attributes.

    Parameters
    ----------
    effect, lower, upper : ndarray of shape (n_topics, n_covariates)
        Effects, and the ends of their intervals.
    names : array-like of shape (n_covariates,)
        Names of the covariates.
    words : ndarray of shape (n_topics, n_words)
        Top words of each topic.
    level : float, default=0.9
        Probability of the intervals.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One Axes per covariate.
    figure_ : matplotlib Figure
        The figure that contains the axes.

    See Also
    --------
    sklearn_amortlda.inspection.covariate_effects : Computes the effects.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import CovariateEffectsDisplay
    >>> X = np.repeat([[5, 5, 0, 0], [0, 0, 5, 5]], 60, axis=0)
    >>> is_late = np.repeat([[0.0], [1.0]], 60, axis=0)
    >>> lda = AmortizedLDA(2, random_state=0).fit(X, covariates=is_late)
    >>> display = CovariateEffectsDisplay.from_estimator(lda, X, is_late, n_draws=20)
    >>> display.effect.shape
    (2, 1)
    """

    def __init__(
        self,
        *,
        effect: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
        names: Sequence[str] | np.ndarray,
        words: np.ndarray,
        level: float = 0.9,
    ) -> None:
        self.effect = effect
        self.lower = lower
        self.upper = upper
        self.names = names
        self.words = words
        self.level = level

    @classmethod
    def from_estimator(
        cls,
        estimator: TopicModel,
        X: MatrixLike,
        covariates: MatrixLike,
        names: ArrayLike | None = None,
        feature_names: ArrayLike | None = None,
        *,
        level: float = 0.9,
        n_draws: int = 200,
        n_words: int = 3,
        ranking: str | ArrayLike = "lift",
        random_state: RandomState = 0,
        ax: AxesLike | None = None,
        errorbar_kw: dict[str, Any] | None = None,
    ) -> CovariateEffectsDisplay:
        """Compute and draw the effects of covariates.

        Parameters
        ----------
        estimator : AmortizedLDA or Pipeline that ends in one
            Fitted with covariates.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Integer counts of the training documents, or the input of the Pipeline.
        covariates : array-like of shape (n_samples, n_covariates)
            Covariates of these documents.
        names : array-like of str of shape (n_covariates,), default=None
            Names of the covariates; see
            :func:`~sklearn_amortlda.inspection.covariate_effects`.
        feature_names : array-like of shape (n_features,), default=None
            The words; see :func:`~sklearn_amortlda.inspection.top_words`.
        level : float, default=0.9
            Probability of the intervals.
        n_draws : int, default=200
            Draws of the Markov chain.
        n_words : int, default=3
            Number of words in the label of a topic.
        ranking : {'lift', 'probability'} or array-like of shape (n_topics, \
                n_features), default='lift'
            What ranks the words; see :func:`~sklearn_amortlda.inspection.top_words`.
        random_state : int, RandomState instance or None, default=0
            Seed of the chain.
        ax : matplotlib Axes or array-like of Axes, default=None
            One Axes per covariate. None makes a new figure.
        errorbar_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        display : CovariateEffectsDisplay
            The display, drawn.
        """
        check_matplotlib_support("CovariateEffectsDisplay.from_estimator")
        # First, because the chain takes long and bad parameters raise here.
        words = top_words(estimator, feature_names, n_words=n_words, ranking=ranking)
        effects = covariate_effects(
            estimator,
            X,
            covariates,
            names,
            level=level,
            n_draws=n_draws,
            random_state=random_state,
            as_frame=False,
        )
        display = cls(
            effect=effects.effect,
            lower=effects.lower,
            upper=effects.upper,
            names=effects.names,
            words=words,
            level=level,
        )
        return display.plot(ax=ax, errorbar_kw=errorbar_kw)

    def plot(
        self, *, ax: AxesLike | None = None, errorbar_kw: dict[str, Any] | None = None
    ) -> CovariateEffectsDisplay:
        """Draw the effects.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            One Axes per covariate. None makes a new figure.
        errorbar_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        display : CovariateEffectsDisplay
            The display itself.
        """
        height = 1.4 + _ROW * len(self.effect)
        self.axes_ = panels(
            "CovariateEffectsDisplay.plot",
            ax,
            len(self.names),
            n_cols=2,
            size=(_WIDTH, height),
        )
        self.figure_ = self.axes_[0].figure
        for j, axes in enumerate(self.axes_):
            self._draw(axes, j, errorbar_kw or {})
        return self

    def _draw(self, axes, j, errorbar_kw):
        order = np.argsort(self.effect[:, j], kind="stable")
        effect, lower, upper = (
            values[order, j] for values in (self.effect, self.lower, self.upper)
        )
        rows, differs = np.arange(len(order)), (lower > 0) | (upper < 0)
        axes.axvline(0.0, color="0.6", linewidth=0.8)
        for chosen, color in ((differs, "C0"), (~differs, "0.6")):
            errors = np.array([effect - lower, upper - effect])[:, chosen]
            style = {"fmt": "o", "markersize": 4, "color": color, **errorbar_kw}
            # The mean of skewed draws may be outside of their interval.
            errors = np.maximum(errors, 0.0)
            axes.errorbar(effect[chosen], rows[chosen], xerr=errors, **style)
        labels = [f"{' '.join(shortened(self.words[k]))}  {k}" for k in order]
        axes.set_yticks(rows, labels, fontsize="small")
        axes.set(
            title=str(self.names[j]),
            xlabel=f"effect on the expected share, {100 * self.level:g}% intervals",
            ylabel="topic: top words and index",
        )
        axes.grid(alpha=0.3, axis="x")
