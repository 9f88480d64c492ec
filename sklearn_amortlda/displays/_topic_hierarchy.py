"""A fitted model goes in; a dendrogram of its topics comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.cluster.hierarchy import dendrogram
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..data.types import TopicModel
from ..inspection import TopicHierarchy, top_words, topic_hierarchy
from ._figure import panels, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inches: height of a leaf, and width of the figure.
_LEAF, _WIDTH = 0.2, 8.0


class TopicHierarchyDisplay:
    """Dendrogram of the topics: which are similar, and in which order they merge.

    Use :meth:`from_estimator` to make a display. The parameters are stored as
    attributes.

    Parameters
    ----------
    hierarchy : TopicHierarchy
        The tree, as from :func:`~sklearn_amortlda.inspection.topic_hierarchy`.
    words : ndarray of shape (n_topics, n_words)
        Top words of each topic.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the dendrogram.
    figure_ : matplotlib Figure
        The figure that contains the axes.
    topics_ : list of int
        The topics from bottom to top.

    See Also
    --------
    sklearn_amortlda.inspection.topic_hierarchy : Computes the tree.
    sklearn_amortlda.inspection.merge_topics : Merges groups of topics.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import TopicHierarchyDisplay
    >>> X, _ = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(5, max_iter=3, random_state=0).fit(X)
    >>> display = TopicHierarchyDisplay.from_estimator(lda, n_groups=2)
    >>> sorted(display.topics_)
    [0, 1, 2, 3, 4]
    """

    def __init__(self, *, hierarchy: TopicHierarchy, words: np.ndarray) -> None:
        self.hierarchy = hierarchy
        self.words = words

    @classmethod
    def from_estimator(
        cls,
        estimator: TopicModel,
        feature_names: ArrayLike | None = None,
        *,
        method: str = "average",
        n_groups: int | None = None,
        n_words: int = 5,
        ranking: str | ArrayLike = "lift",
        ax: Axes | None = None,
        dendrogram_kw: dict[str, Any] | None = None,
    ) -> TopicHierarchyDisplay:
        """Draw the dendrogram of the topics of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            The model has `topic_word_`, or else `components_`.
        feature_names : array-like of shape (n_features,), default=None
            The words; see :func:`~sklearn_amortlda.inspection.top_words`.
        method : str, default='average'
            The distance of two groups; see
            :func:`~sklearn_amortlda.inspection.topic_hierarchy`.
        n_groups : int, default=None
            Number of groups at which merges change to the colour of the root. None
            draws all merges in one colour.
        n_words : int, default=5
            Number of words in the label of a topic.
        ranking : {'lift', 'probability'} or array-like of shape (n_topics, \
                n_features), default='lift'
            What ranks the words; see :func:`~sklearn_amortlda.inspection.top_words`.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure, whose height grows with the number
            of topics.
        dendrogram_kw : dict, default=None
            Keywords of :func:`scipy.cluster.hierarchy.dendrogram`.

        Returns
        -------
        display : TopicHierarchyDisplay
            The display, drawn.
        """
        check_matplotlib_support("TopicHierarchyDisplay.from_estimator")
        display = cls(
            hierarchy=topic_hierarchy(estimator, method=method),
            words=top_words(estimator, feature_names, n_words=n_words, ranking=ranking),
        )
        return display.plot(n_groups=n_groups, ax=ax, dendrogram_kw=dendrogram_kw)

    def plot(
        self,
        *,
        n_groups: int | None = None,
        ax: Axes | None = None,
        dendrogram_kw: dict[str, Any] | None = None,
    ) -> TopicHierarchyDisplay:
        """Draw the dendrogram.

        Parameters
        ----------
        n_groups : int, default=None
            Number of groups at which merges change to the colour of the root. None
            draws all merges in one colour.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure, whose height grows with the number
            of topics.
        dendrogram_kw : dict, default=None
            Keywords of :func:`scipy.cluster.hierarchy.dendrogram`.

        Returns
        -------
        display : TopicHierarchyDisplay
            The display itself.
        """
        n_topics = self.hierarchy.n_topics
        (self.ax_,) = panels(
            "TopicHierarchyDisplay.plot",
            ax,
            1,
            n_cols=1,
            size=(_WIDTH, 1.0 + _LEAF * n_topics),
        )
        self.figure_ = self.ax_.figure
        style = {
            "orientation": "right",
            "color_threshold": self._threshold(n_groups),
            "above_threshold_color": "0.5",
            **(dendrogram_kw or {}),
        }
        drawn = dendrogram(
            self.hierarchy.linkage,
            labels=[
                f"{' '.join(shortened(words))}  {k}"
                for k, words in enumerate(self.words)
            ],
            ax=self.ax_,
            **style,
        )
        self.topics_ = drawn["leaves"]
        self.ax_.tick_params(axis="y", length=0, labelsize="small")
        self.ax_.set_xlabel("Jensen-Shannon distance")
        self.ax_.set_ylabel("topic: top words and index")
        self.ax_.spines[["top", "right", "left"]].set_visible(False)
        return self

    def _threshold(self, n_groups):
        """Distance of the first merge that a cut into `n_groups` does not apply."""
        if n_groups is None:
            return 0.0
        self.hierarchy.cut(n_groups)  # raises for an invalid number
        distances = self.hierarchy.linkage[:, 2]
        first = self.hierarchy.n_topics - n_groups
        return distances[first] if first < len(distances) else np.inf
