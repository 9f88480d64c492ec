"""Topics on a plane: near ones use the same words."""

import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.decomposition import KernelPCA
from sklearn.manifold import smacof
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..inspection import top_words, topic_sizes
from ..metrics._checks import simplex, topics_of
from ._figure import panels, shortened

# Share of the map that all topics together cover: more, and they hide one another.
_COVERED = 0.1


class TopicMapDisplay:
    r"""Topics on a plane, labelled by their top words.

    Distances between centres approximate the Jensen-Shannon distances of the topics,
    by least squares (SMACOF [1]_) from the classical scaling of LDAvis [2]_. That one
    alone keeps a tenth of the squared distances of 50 topics and crowds the rest; where
    the axes point has no meaning in either. A topic's area is its share of the words.
    To make a map use :meth:`from_estimator`; the parameters are stored as attributes.

    Parameters
    ----------
    coordinates : ndarray of shape (n_topics, 2)
        Places of the topics.
    sizes : ndarray of shape (n_topics,)
        Shares of the words, which sum to 1.
    words : ndarray of shape (n_topics, n_words)
        Top words of each topic.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        The figure that holds them.
    circles_ : matplotlib PathCollection
        The topics.
    texts_ : list of matplotlib Text
        The labels: number of the topic and its words.

    References
    ----------
    .. [1] Borg & Groenen (2005), "Modern Multidimensional Scaling", Springer.
    .. [2] Sievert & Shirley (2014), "LDAvis: A method for visualizing and interpreting
           topics", ACL workshop on interactive language learning.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import TopicMapDisplay
    >>> X, _ = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(5, max_iter=3, random_state=0).fit(X)
    >>> TopicMapDisplay.from_estimator(lda, X).coordinates.shape
    (5, 2)
    """

    def __init__(self, *, coordinates, sizes, words):
        self.coordinates = coordinates
        self.sizes = sizes
        self.words = words

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        feature_names=None,
        *,
        n_words=3,
        ax=None,
        scatter_kw=None,
        text_kw=None,
    ):
        """Draw the map of a fitted estimator's topics.

        Parameters
        ----------
        estimator : fitted estimator
            With `transform`, and `topic_word_` or else `components_`.
        X : {array-like, sparse matrix} of shape (n_documents, n_features)
            Counts of the documents that sizes are taken of.
        feature_names : array-like of shape (n_features,), default=None
            The words; see :func:`~sklearn_amortlda.inspection.top_words`.
        n_words : int, default=3
            Words in a label.
        ax : matplotlib Axes, default=None
            None makes a new figure, the larger the more topics.
        scatter_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.scatter`.
        text_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.text`.

        Returns
        -------
        display : TopicMapDisplay
        """
        check_matplotlib_support("TopicMapDisplay.from_estimator")
        display = cls(
            coordinates=topic_coordinates(topics_of(estimator)),
            sizes=topic_sizes(estimator, X),
            words=top_words(estimator, feature_names, n_words=n_words),
        )
        return display.plot(ax=ax, scatter_kw=scatter_kw, text_kw=text_kw)

    def plot(self, *, ax=None, scatter_kw=None, text_kw=None):
        """Draw the map; for the parameters see :meth:`from_estimator`.

        Returns
        -------
        display : TopicMapDisplay
        """
        side = np.clip(1.4 * np.sqrt(len(self.sizes)), 5.0, 20.0)
        (self.ax_,) = panels("TopicMapDisplay.plot", ax, 1, n_cols=1, size=(side, side))
        self.figure_ = self.ax_.figure
        frame = self.ax_.get_window_extent()
        square_points = frame.width * frame.height * (72 / self.figure_.dpi) ** 2
        self.circles_ = self.ax_.scatter(
            *self.coordinates.T,
            s=_COVERED * square_points * self.sizes,
            **{
                "alpha": 0.4,
                "edgecolor": "0.3",
                "linewidth": 0.5,
                **(scatter_kw or {}),
            },
        )
        style = {"ha": "center", "va": "center", "fontsize": "small", **(text_kw or {})}
        self.texts_ = [
            self.ax_.text(x, y, "\n".join([str(k), *shortened(words)]), **style)
            for k, ((x, y), words) in enumerate(zip(self.coordinates, self.words))
        ]
        self.ax_.set(xticks=[], yticks=[])
        self.ax_.margins(0.12)  # the labels stand out of the circles
        self.ax_.set_aspect("equal", adjustable="datalim")
        self.ax_.set_xlabel(
            "distance: Jensen-Shannon; area: share of the words, "
            f"{self.sizes.min():.1%} to {self.sizes.max():.1%}"
        )
        return self


def topic_coordinates(topic_word):
    """Places of topics on a plane, of shape (n_topics, 2)."""
    topic_word = simplex(topic_word, "the model's topics")
    # Rounding may leave equal topics the root of a negative number.
    distances = np.nan_to_num(squareform(pdist(topic_word, "jensenshannon")))
    if not distances.any():
        return np.zeros((len(topic_word), 2))
    # Kernel PCA centres its kernel: with this one it is classical scaling.
    start = KernelPCA(2, kernel="precomputed").fit_transform(-0.5 * distances**2)
    return smacof(distances, init=start, n_init=1, normalized_stress=False)[0]
