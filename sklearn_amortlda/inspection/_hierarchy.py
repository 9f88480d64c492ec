"""A fitted model goes in; a tree of its topics comes out, to be cut into groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import pdist

from ..data.types import TopicModel
from ..metrics._checks import check_in_range, simplex
from ..metrics._models import topics_of


@dataclass(frozen=True, eq=False)
class TopicHierarchy:
    """A binary tree of topics, as from :func:`topic_hierarchy`.

    Parameters
    ----------
    linkage : ndarray of shape (n_topics - 1, 4)
        The merges, from the most similar topics to all topics, in the format of
        :func:`scipy.cluster.hierarchy.linkage`. Column 2 has the distances.
    """

    linkage: np.ndarray

    @property
    def n_topics(self) -> int:
        """Number of topics, the leaves of the tree."""
        return len(self.linkage) + 1

    def cut(self, n_groups: int) -> list[np.ndarray]:
        """Return the groups of topics at a level of the tree.

        Parameters
        ----------
        n_groups : int
            Number of groups, from 1 to `n_topics`.

        Returns
        -------
        groups : list of ndarray of int
            The topics of each group, sorted. Groups are sorted by their first topic,
            which is the order of the topics of ``merge_topics(model, groups)``.

        Raises
        ------
        ValueError
            If `n_groups` is not an integer from 1 to `n_topics`.
        """
        check_in_range(n_groups, "n_groups", 1, self.n_topics, "the number of topics")
        labels = cut_tree(self.linkage, n_clusters=n_groups).ravel()
        groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        return sorted(groups, key=lambda group: group[0])


def topic_hierarchy(model: TopicModel, *, method: str = "average") -> TopicHierarchy:
    """Return a tree of topics by agglomerative clustering.

    The two closest topics or groups are merged until one group is left. The distance of
    two topics is the Jensen-Shannon distance of their distributions over words.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The model has `topic_word_`, or else `components_`, and at least two topics.
    method : str, default='average'
        The distance of two groups: 'average', 'complete', 'single' or 'weighted', as in
        :func:`scipy.cluster.hierarchy.linkage`.

    Returns
    -------
    hierarchy : TopicHierarchy
        ``hierarchy.cut(n_groups)`` returns groups of topics, and
        ``hierarchy.linkage`` the tree for the functions of scipy.

    Raises
    ------
    ValueError
        If the model has one topic, or `method` is unknown.

    See Also
    --------
    merge_topics : Merges groups of topics in a model.
    sklearn_amortlda.displays.TopicHierarchyDisplay : Draws the tree.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from sklearn_amortlda.inspection import topic_hierarchy
    >>> topics = np.array([[4, 4, 1, 1], [1, 1, 4, 4], [3, 4, 1, 1]])
    >>> hierarchy = topic_hierarchy(SimpleNamespace(components_=topics))
    >>> hierarchy.cut(2)
    [array([0, 2]), array([1])]
    """
    if method not in _METHODS:
        raise ValueError(f"method must be one of {_METHODS}, got {method!r}.")
    topics = topics_of(model)
    if len(topics) < 2:
        raise ValueError("A hierarchy needs at least two topics, and the model has 1.")
    return TopicHierarchy(linkage(topic_distances(topics), method))


# The other methods of scipy need Euclidean distances.
_METHODS = ("average", "complete", "single", "weighted")


def topic_distances(topic_word):
    """Return the Jensen-Shannon distances of all pairs of topics, as from `pdist`."""
    topic_word = simplex(topic_word, "the model's topics")
    # Rounding can make the squared distance of equal topics negative: the root is NaN.
    return np.nan_to_num(pdist(topic_word, "jensenshannon"))
