"""What training recorded, epoch by epoch."""

from ._figure import panels

# What the estimator records, with the unit that a reader needs.
_LABELS = {
    "bound": "bound (nats per word)",
    "perplexity": "training perplexity",
    "validation_score": "validation score (nats per word)",
}


class TrainingCurveDisplay:
    """Training bound of each epoch, with perplexity and validation score if recorded.

    A panel a measure, since their scales differ. To make one use
    :meth:`from_estimator`; the parameters are stored as attributes.

    Parameters
    ----------
    history : list of dict
        A record an epoch, as :class:`~sklearn_amortlda.AmortizedLDA` has in
        ``history_``: 'epoch', 'bound' and, in some or all, 'perplexity' and
        'validation_score'.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One a measure.
    figure_ : matplotlib Figure
        The figure that holds them.
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

    def __init__(self, *, history):
        self.history = history

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, line_kw=None):
        """Draw the history of a fitted estimator.

        Parameters
        ----------
        estimator : AmortizedLDA
            Fitted, so that it has `history_`.
        ax : matplotlib Axes or array-like of Axes, default=None
            One a measure; None makes a new figure.
        line_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : TrainingCurveDisplay
        """
        return cls(history=estimator.history_).plot(ax=ax, line_kw=line_kw)

    def plot(self, *, ax=None, line_kw=None):
        """Draw the curves; for the parameters see :meth:`from_estimator`.

        Returns
        -------
        display : TrainingCurveDisplay
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
            # Perplexity is recorded only every so many epochs.
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
