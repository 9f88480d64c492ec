"""An estimator and counts go in; curves of its quality by number of topics come out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..data.types import MatrixLike, RandomState, TopicModel
from ..inspection import n_components_curve
from ._figure import AxesLike, panels

_LABELS = {
    "perplexity": "held-out perplexity",
    "coherence": "coherence (NPMI)",
    "diversity": "diversity",
}


class NComponentsCurveDisplay:
    """Curves of the quality by number of topics, with error bars.

    A curve shows the mean over the splits. An error bar shows one standard deviation
    to either side; the label of the first axis says so. A single split has no bars.
    Use :meth:`from_estimator` to make a display, or
    ``NComponentsCurveDisplay(**curve)`` with the result of
    :func:`~sklearn_amortlda.inspection.n_components_curve`. The parameters are stored
    as attributes.

    Parameters
    ----------
    n_components : ndarray of shape (n_values,)
        Numbers of topics.
    perplexity, coherence, diversity : ndarray of shape (n_values, n_splits)
        Quality for each number of topics and each split.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One Axes per measure.
    figure_ : matplotlib Figure
        The figure that contains the axes.
    errorbars_ : dict of str to matplotlib ErrorbarContainer
        The curve of each measure.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import NComponentsCurveDisplay
    >>> rng = np.random.default_rng(0)
    >>> X = rng.poisson(1.0, (60, 20))
    >>> lda = AmortizedLDA(max_iter=2, random_state=0)
    >>> display = NComponentsCurveDisplay.from_estimator(lda, X, [1, 2], cv=2)
    >>> display.perplexity.shape
    (2, 2)
    """

    def __init__(
        self,
        *,
        n_components: np.ndarray,
        perplexity: np.ndarray,
        coherence: np.ndarray,
        diversity: np.ndarray,
    ) -> None:
        self.n_components = n_components
        self.perplexity = perplexity
        self.coherence = coherence
        self.diversity = diversity

    @classmethod
    def from_estimator(
        cls,
        estimator: TopicModel,
        X: MatrixLike,
        n_components_range: ArrayLike,
        *,
        cv: object = None,
        random_state: RandomState = 0,
        n_jobs: int | None = None,
        ax: AxesLike | None = None,
        errorbar_kw: dict[str, Any] | None = None,
    ) -> NComponentsCurveDisplay:
        """Fit the estimator with each number of topics and draw its quality.

        Parameters
        ----------
        estimator : estimator or Pipeline
            The estimator, or the last step of the Pipeline, has the parameter
            `n_components`. It is cloned and not changed.
        X : {array-like, sparse matrix} of shape (n_documents, n_words)
            Integer counts of the documents, or the input of the Pipeline.
        n_components_range : array-like of int
            Numbers of topics to fit.
        cv : int, cross-validation splitter or iterable, default=None
            Splits into training and held-out documents; see
            :func:`~sklearn_amortlda.inspection.n_components_curve`.
        random_state : int, RandomState instance or None, default=0
            Seed of the default splits.
        n_jobs : int, default=None
            Number of parallel fits, as in GridSearchCV.
        ax : array-like of 3 matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.
        errorbar_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        display : NComponentsCurveDisplay
            The display, drawn.
        """
        check_matplotlib_support("NComponentsCurveDisplay.from_estimator")
        curve = n_components_curve(
            estimator,
            X,
            n_components_range,
            cv=cv,
            random_state=random_state,
            n_jobs=n_jobs,
        )
        return cls(**curve).plot(ax=ax, errorbar_kw=errorbar_kw)

    def plot(
        self, *, ax: AxesLike | None = None, errorbar_kw: dict[str, Any] | None = None
    ) -> NComponentsCurveDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : array-like of 3 matplotlib Axes, default=None
            Axes to draw on. None makes a new figure.
        errorbar_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.errorbar`.

        Returns
        -------
        display : NComponentsCurveDisplay
            The display itself.
        """
        self.axes_ = panels(
            "NComponentsCurveDisplay.plot", ax, len(_LABELS), n_cols=3, size=(3.6, 3.4)
        )
        self.figure_ = self.axes_[0].figure
        self.errorbars_ = {}
        n_splits = self.perplexity.shape[1]
        self.axes_[0].set_ylabel(
            f"mean ± standard deviation of {n_splits} splits"
            if n_splits > 1
            else "value of one split"
        )
        for axes, (measure, label) in zip(self.axes_, _LABELS.items()):
            values = getattr(self, measure)
            self.errorbars_[measure] = axes.errorbar(
                self.n_components,
                values.mean(axis=1),
                values.std(axis=1) if n_splits > 1 else None,
                **({"marker": ".", "capsize": 3} | (errorbar_kw or {})),
            )
            axes.set(title=label, xlabel="number of topics")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
        return self
