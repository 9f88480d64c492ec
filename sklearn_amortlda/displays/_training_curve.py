"""The training history of a model goes in; curves by epoch come out."""

from __future__ import annotations

from typing import Any

from ..data.types import TopicModel
from ..metrics._models import model_of
from ._figure import AxesLike, panels

# Measures that `history_` records, with the labels of their axes.
_LABELS = {
    "bound": "bound (nats per word)",
    "validation_score": "validation score (nats per word)",
}


class TrainingCurveDisplay:
    """Curves of the training bound and of the validation score by epoch.

    Each recorded measure has its own panel, because the scales differ. The validation
    score is recorded with early stopping. Use :meth:`from_estimator` to make a display.
    The parameters are stored as attributes.

    Parameters
    ----------
    history : list of dict
        One record per epoch, as in ``history_`` of
        :class:`~sklearn_amortlda.AmortizedLDA`. A record holds 'epoch', 'bound' and,
        with early stopping, 'validation_score'.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One Axes per measure.
    figure_ : matplotlib Figure
        The figure that contains the axes.
    lines_ : dict of str to matplotlib Line2D
        The curve of each measure.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import TrainingCurveDisplay
    >>> X, _ = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(5, max_iter=3, random_state=0).fit(X)
    >>> display = TrainingCurveDisplay.from_estimator(lda)
    >>> list(display.lines_)
    ['bound']
    """

    def __init__(self, *, history: list[dict[str, Any]]) -> None:
        self.history = history

    @classmethod
    def from_estimator(
        cls,
        estimator: TopicModel,
        *,
        ax: AxesLike | None = None,
        line_kw: dict[str, Any] | None = None,
    ) -> TrainingCurveDisplay:
        """Draw the history of a fitted estimator.

        Parameters
        ----------
        estimator : AmortizedLDA or Pipeline that ends in one
            The fitted model, which has `history_`.
        ax : matplotlib Axes or array-like of Axes, default=None
            One Axes per measure. None makes a new figure.
        line_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : TrainingCurveDisplay
            The display, drawn.
        """
        history = model_of(estimator).history_
        return cls(history=history).plot(ax=ax, line_kw=line_kw)

    def plot(
        self, *, ax: AxesLike | None = None, line_kw: dict[str, Any] | None = None
    ) -> TrainingCurveDisplay:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            One Axes per measure. None makes a new figure.
        line_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : TrainingCurveDisplay
            The display itself.
        """
        measures = [
            name for name in _LABELS if any(name in record for record in self.history)
        ]
        self.axes_ = panels(
            "TrainingCurveDisplay.plot",
            ax,
            len(measures),
            n_cols=1,
            size=(6.4, 2.6 if len(measures) > 1 else 4.0),
            sharex=True,
        )
        self.figure_ = self.axes_[0].figure
        self.lines_ = {}
        for axes, measure in zip(self.axes_, measures):
            # A warm start without early stopping records no validation score.
            points = [
                (record["epoch"], record[measure])
                for record in self.history
                if measure in record
            ]
            (self.lines_[measure],) = axes.plot(
                *zip(*points), **({"marker": "."} | (line_kw or {}))
            )
            axes.set_ylabel(_LABELS[measure])
            axes.grid(alpha=0.3)
            axes.xaxis.get_major_locator().set_params(integer=True)
        self.axes_[-1].set_xlabel("epoch")
        return self
