"""A fitted model goes in; bars of the top words of its topics come out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data.types import TopicModel
from ..inspection._ranking import ranked_words
from ..inspection._sizes import training_shares
from ..metrics._checks import simplex
from ..metrics._models import names_of, topics_of
from ._figure import AxesLike, panels, shortened


class TopicsDisplay:
    """Bars of the top words of each topic, in one panel per topic.

    The length of a bar is the probability of the word in the topic. The largest topics
    come first.

    Use :meth:`from_estimator` to make a display. The parameters are stored as
    attributes.

    Parameters
    ----------
    words : ndarray of shape (n_topics, n_words)
        Top words of each topic, best word first.
    probabilities : ndarray of shape (n_topics, n_words)
        Probabilities of these words in the topic.
    topics : ndarray of shape (n_topics,)
        Indices of the topics, which are the titles of the panels.
    sizes : ndarray of shape (n_topics,), default=None
        Shares of the topics in the words of the training corpus, for the titles.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One Axes per topic.
    figure_ : matplotlib Figure
        The figure that contains the axes.
    bars_ : list of matplotlib BarContainer
        The bars of each topic, best word first.

    See Also
    --------
    sklearn_amortlda.inspection.top_words : Returns the words.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import TopicsDisplay
    >>> X, _ = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(5, max_iter=3, random_state=0).fit(X)
    >>> display = TopicsDisplay.from_estimator(lda, topics=[1, 3], n_words=4)
    >>> display.words.shape
    (2, 4)
    """

    def __init__(
        self,
        *,
        words: np.ndarray,
        probabilities: np.ndarray,
        topics: np.ndarray,
        sizes: np.ndarray | None = None,
    ) -> None:
        self.words = words
        self.probabilities = probabilities
        self.topics = topics
        self.sizes = sizes

    @classmethod
    def from_estimator(
        cls,
        estimator: TopicModel,
        feature_names: ArrayLike | None = None,
        *,
        topics: ArrayLike | None = None,
        n_words: int = 10,
        ranking: str | ArrayLike = "lift",
        ax: AxesLike | None = None,
        n_cols: int = 5,
        bar_kw: dict[str, Any] | None = None,
    ) -> TopicsDisplay:
        """Draw the topics of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            The model has `topic_word_`, or else `components_`, whose rows are
            normalized here.
        feature_names : array-like of shape (n_features,), default=None
            The words; see :func:`~sklearn_amortlda.inspection.top_words`.
        topics : array-like of int, default=None
            Topics to draw, in this order. None draws all topics, the largest first. The
            size of a topic is its share of the sums of `components_`. A model that has
            `topic_word_` alone keeps its order.
        n_words : int, default=10
            Number of words of each topic.
        ranking : {'lift', 'probability'} or array-like of shape (n_topics, \
                n_features), default='lift'
            What ranks the words; see :func:`~sklearn_amortlda.inspection.top_words`.
        ax : array-like of matplotlib Axes, default=None
            One Axes per topic. None makes a new figure.
        n_cols : int, default=5
            Largest number of panels in a row of the new figure.
        bar_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : TopicsDisplay
            The display, drawn.
        """
        topic_word = simplex(topics_of(estimator), "the model's topics")
        sizes = training_shares(estimator)
        if topics is None and sizes is not None:
            topics = np.argsort(-sizes, kind="stable")
        topics = np.arange(len(topic_word)) if topics is None else np.asarray(topics)
        names = names_of(estimator, feature_names)
        ranked = ranked_words(estimator, n_words, ranking)
        probabilities = np.take_along_axis(topic_word, ranked, axis=1)
        display = cls(
            words=names[ranked][topics],
            probabilities=probabilities[topics],
            topics=topics,
            sizes=None if sizes is None else sizes[topics],
        )
        return display.plot(ax=ax, n_cols=n_cols, bar_kw=bar_kw)

    def plot(
        self,
        *,
        ax: AxesLike | None = None,
        n_cols: int = 5,
        bar_kw: dict[str, Any] | None = None,
    ) -> TopicsDisplay:
        """Draw the bars.

        Parameters
        ----------
        ax : array-like of matplotlib Axes, default=None
            One Axes per topic. None makes a new figure.
        n_cols : int, default=5
            Largest number of panels in a row of the new figure.
        bar_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : TopicsDisplay
            The display itself.
        """
        n_topics, n_words = self.words.shape
        self.axes_ = panels(
            "TopicsDisplay.plot",
            ax,
            n_topics,
            n_cols=n_cols,
            size=(2.6, 0.55 + 0.17 * n_words),
        )
        self.figure_ = self.axes_[0].figure
        self.bars_ = []
        # One scale for all panels, so that a concentrated topic has the longest bars.
        longest = 1.05 * self.probabilities.max()
        for axes, title, words, lengths in zip(
            self.axes_, self._titles(), self.words, self.probabilities
        ):
            places = np.arange(n_words)
            self.bars_.append(axes.barh(places, lengths, **(bar_kw or {})))
            axes.set_yticks(places, shortened(words), fontsize="small")
            axes.tick_params(axis="x", labelsize="x-small")
            axes.tick_params(axis="y", length=0)
            axes.locator_params(axis="x", nbins=3)
            axes.set(title=title, xlim=(0, longest))
            axes.invert_yaxis()
            axes.spines[["top", "right"]].set_visible(False)
        # In a new figure the lowest panel of each column has the label.
        for axes in self.axes_ if ax is not None else self.axes_[-n_cols:]:
            axes.set_xlabel("probability in the topic", fontsize="small")
        return self

    def _titles(self):
        if self.sizes is None:
            return [f"topic {topic}" for topic in self.topics]
        return [f"topic {k} ({size:.1%})" for k, size in zip(self.topics, self.sizes)]
