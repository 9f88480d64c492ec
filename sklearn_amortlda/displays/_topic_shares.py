"""A model and grouped documents go in; heat maps of topics by group come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..data.types import MatrixLike, TopicModel
from ..inspection import top_words, topics_over_time, topics_per_class
from ._figure import panels, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches: height of a row, width of a column, of a letter and of the row labels.
_ROW, _COLUMN, _LETTER, _LABELS = 0.2, 0.25, 0.08, 4.0


class _TopicSharesDisplay:
    """Base of the heat maps, with one row per topic and one column per group."""

    @classmethod
    def _of_shares(cls, shares, topics, words, **groups):
        """Return a display of the given topics, or of all topics sorted by their peak.

        The peak of a topic is the group in which its share is largest. `words` has a
        row for every topic.
        """
        if topics is None:
            known = np.nan_to_num(shares)
            topics = np.lexsort((-known.max(axis=0), known.argmax(axis=0)))
        return cls(
            shares=shares[:, topics],
            topics=np.asarray(topics),
            words=words[topics],
            **groups,
        )

    def _draw(self, edges, width, ax, mesh_kw):
        """Draw the heat map, whose columns lie between the edges."""
        rows = np.arange(len(self.topics) + 1) - 0.5
        height = _ROW * len(self.topics)
        (self.ax_,) = panels(
            f"{type(self).__name__}.plot",
            ax,
            1,
            n_cols=1,
            size=(_LABELS + width, 1.8 + height),
        )
        self.figure_ = self.ax_.figure
        # magma is perceptually uniform, also in greyscale and for the colour-blind.
        style = {
            "cmap": "magma_r",
            "vmin": 0.0,
            "edgecolor": "white",
            "linewidth": 0.3,
            **(mesh_kw or {}),
        }
        self.mesh_ = self.ax_.pcolormesh(edges, rows, self.shares.T, **style)
        # Grey distinguishes a group without words (NaN) from a share of 0.
        self.ax_.set_facecolor("0.8")
        self.ax_.set_yticks(
            rows[:-1] + 0.5,
            [f"{' '.join(shortened(w))}  {k}" for k, w in zip(self.topics, self.words)],
            fontsize="small",
        )
        self.ax_.set_ylabel("topic: top words and index")
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.invert_yaxis()
        self.colorbar_ = self.figure_.colorbar(
            self.mesh_, ax=self.ax_, label="share of the words", pad=0.02
        )


class TopicsPerClassDisplay(_TopicSharesDisplay):
    """Heat map of the shares of topics in the words of each class.

    Use :meth:`from_estimator` to make a display. The parameters are stored as
    attributes.

    Parameters
    ----------
    classes : array-like of shape (n_classes,)
        The classes.
    shares : ndarray of shape (n_classes, n_topics)
        Shares of the drawn topics in the words of each class. NaN marks a class without
        words, which is drawn grey.
    topics : ndarray of shape (n_topics,)
        Indices of the drawn topics.
    words : ndarray of shape (n_topics, n_words)
        Top words of each drawn topic.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the heat map.
    figure_ : matplotlib Figure
        The figure that contains the axes.
    mesh_ : matplotlib QuadMesh
        The heat map, with one row per topic and one column per class.
    colorbar_ : matplotlib Colorbar
        The colour scale of the heat map.

    See Also
    --------
    TopicsOverTimeDisplay : Heat map of topics by time span.
    sklearn_amortlda.inspection.topics_per_class : Computes the shares.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import TopicsPerClassDisplay
    >>> X, y = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(5, max_iter=3, random_state=0).fit(X)
    >>> TopicsPerClassDisplay.from_estimator(lda, X, y[:, 0]).shares.shape
    (2, 5)
    """

    def __init__(
        self,
        *,
        classes: ArrayLike,
        shares: np.ndarray,
        topics: np.ndarray,
        words: np.ndarray,
    ) -> None:
        self.classes = classes
        self.shares = shares
        self.topics = topics
        self.words = words

    @classmethod
    def from_estimator(
        cls,
        estimator: TopicModel,
        X: MatrixLike,
        y: ArrayLike,
        feature_names: ArrayLike | None = None,
        *,
        topics: ArrayLike | None = None,
        n_words: int = 3,
        ranking: str | ArrayLike = "lift",
        ax: Axes | None = None,
        mesh_kw: dict[str, Any] | None = None,
    ) -> TopicsPerClassDisplay:
        """Draw the topics of a fitted estimator in each class of documents.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            The model has `transform`, and `topic_word_` or else `components_`.
        X : {array-like, sparse matrix} of shape (n_documents, n_features)
            Counts of the documents, or the input of the Pipeline.
        y : array-like of shape (n_documents,)
            Class of each document.
        feature_names : array-like of shape (n_features,), default=None
            The words; see :func:`~sklearn_amortlda.inspection.top_words`.
        topics : array-like of int, default=None
            Topics to draw, in this order. None draws all topics, sorted by the class in
            which their share is largest.
        n_words : int, default=3
            Number of words in the label of a topic.
        ranking : {'lift', 'probability'} or array-like of shape (n_topics, \
                n_features), default='lift'
            What ranks the words; see :func:`~sklearn_amortlda.inspection.top_words`.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure, whose size grows with the numbers
            of topics and classes.
        mesh_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        display : TopicsPerClassDisplay
            The display, drawn.
        """
        check_matplotlib_support("TopicsPerClassDisplay.from_estimator")
        classes, shares = topics_per_class(estimator, X, y)
        words = top_words(estimator, feature_names, n_words=n_words, ranking=ranking)
        display = cls._of_shares(shares, topics, words, classes=classes)
        return display.plot(ax=ax, mesh_kw=mesh_kw)

    def plot(
        self, *, ax: Axes | None = None, mesh_kw: dict[str, Any] | None = None
    ) -> TopicsPerClassDisplay:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure, whose size grows with the numbers
            of topics and classes.
        mesh_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        display : TopicsPerClassDisplay
            The display itself.
        """
        labels = shortened(self.classes, longest=30)
        width = max(3.0, _COLUMN * len(labels))
        self._draw(np.arange(len(labels) + 1) - 0.5, width, ax, mesh_kw)
        horizontal = max(map(len, labels)) * len(labels) * _LETTER < width
        self.ax_.set_xticks(
            np.arange(len(labels)),
            labels,
            rotation=0 if horizontal else 90,
            fontsize="small",
        )
        self.ax_.set_xlabel("class")
        return self


class TopicsOverTimeDisplay(_TopicSharesDisplay):
    """Heat map of the shares of topics in the words of each time span.

    Use :meth:`from_estimator` to make a display. The parameters are stored as
    attributes.

    Parameters
    ----------
    edges : ndarray of shape (n_spans + 1,)
        Start of each span, and the end of the last span: numbers or datetime64.
    shares : ndarray of shape (n_spans, n_topics)
        Shares of the drawn topics in the words of each span. NaN marks a span without
        words, which is drawn grey.
    topics : ndarray of shape (n_topics,)
        Indices of the drawn topics.
    words : ndarray of shape (n_topics, n_words)
        Top words of each drawn topic.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the heat map.
    figure_ : matplotlib Figure
        The figure that contains the axes.
    mesh_ : matplotlib QuadMesh
        The heat map, with one row per topic and one column per span.
    colorbar_ : matplotlib Colorbar
        The colour scale of the heat map.

    See Also
    --------
    TopicsPerClassDisplay : Heat map of topics by class.
    sklearn_amortlda.inspection.topics_over_time : Computes the shares.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import TopicsOverTimeDisplay
    >>> X, _ = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(5, max_iter=3, random_state=0).fit(X)
    >>> days = np.datetime64("2020-01-01") + np.arange(len(X))
    >>> TopicsOverTimeDisplay.from_estimator(lda, X, days, n_bins=4).shares.shape
    (4, 5)
    """

    def __init__(
        self,
        *,
        edges: np.ndarray,
        shares: np.ndarray,
        topics: np.ndarray,
        words: np.ndarray,
    ) -> None:
        self.edges = edges
        self.shares = shares
        self.topics = topics
        self.words = words

    @classmethod
    def from_estimator(
        cls,
        estimator: TopicModel,
        X: MatrixLike,
        time: ArrayLike,
        feature_names: ArrayLike | None = None,
        *,
        n_bins: int = 10,
        topics: ArrayLike | None = None,
        n_words: int = 3,
        ranking: str | ArrayLike = "lift",
        ax: Axes | None = None,
        mesh_kw: dict[str, Any] | None = None,
    ) -> TopicsOverTimeDisplay:
        """Draw the topics of a fitted estimator in each time span.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            The model has `transform`, and `topic_word_` or else `components_`.
        X : {array-like, sparse matrix} of shape (n_documents, n_features)
            Counts of the documents, or the input of the Pipeline.
        time : array-like of shape (n_documents,)
            Time of each document: numbers, datetimes, numpy.datetime64 or ISO 8601
            strings such as '2024-05-31'.
        feature_names : array-like of shape (n_features,), default=None
            The words; see :func:`~sklearn_amortlda.inspection.top_words`.
        n_bins : int, default=10
            Number of spans, which have equal width.
        topics : array-like of int, default=None
            Topics to draw, in this order. None draws all topics, sorted by the span in
            which their share is largest.
        n_words : int, default=3
            Number of words in the label of a topic.
        ranking : {'lift', 'probability'} or array-like of shape (n_topics, \
                n_features), default='lift'
            What ranks the words; see :func:`~sklearn_amortlda.inspection.top_words`.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure, whose size grows with the numbers
            of topics and spans.
        mesh_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        display : TopicsOverTimeDisplay
            The display, drawn.
        """
        check_matplotlib_support("TopicsOverTimeDisplay.from_estimator")
        edges, shares = topics_over_time(estimator, X, time, n_bins=n_bins)
        words = top_words(estimator, feature_names, n_words=n_words, ranking=ranking)
        display = cls._of_shares(shares, topics, words, edges=edges)
        return display.plot(ax=ax, mesh_kw=mesh_kw)

    def plot(
        self, *, ax: Axes | None = None, mesh_kw: dict[str, Any] | None = None
    ) -> TopicsOverTimeDisplay:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure, whose size grows with the numbers
            of topics and spans.
        mesh_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        display : TopicsOverTimeDisplay
            The display itself.
        """
        width = max(5.0, _COLUMN * len(self.shares))
        self._draw(self.edges, width, ax, mesh_kw)
        if self.edges.dtype.kind == "M":
            from matplotlib.dates import ConciseDateFormatter

            axis = self.ax_.xaxis
            axis.set_major_formatter(ConciseDateFormatter(axis.get_major_locator()))
        self.ax_.set_xlabel("time")
        return self
