"""A fitted model and documents go in; a map of the topics on a plane comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import squareform
from sklearn.decomposition import KernelPCA
from sklearn.manifold import smacof
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..data.types import MatrixLike, TopicModel
from ..inspection import top_words, topic_sizes
from ..inspection._hierarchy import topic_distances
from ..metrics._models import topics_of
from ._figure import panels, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Share of the map that all circles together cover. Larger circles hide one another.
_COVERED = 0.25
# Smallest legible size of letters, in points.
_MIN_FONT = 5.0


class TopicMapDisplay:
    r"""Map of the topics on a plane, labelled with their top words.

    The distances between centres approximate the Jensen-Shannon distances of the topics
    by least squares (SMACOF [1]_), which starts from the classical scaling of LDAvis
    [2]_. Classical scaling alone keeps 8 % of the sum of squared distances and crowds
    most topics together; SMACOF keeps 85 % (50 topics of the corpus of
    ``examples/plot_displays.py``). The directions of the axes have no meaning. The area
    of a circle is the share of the topic in the words. Labels are inside of their
    circles. A circle that is too small for legible words has the index of its topic
    alone. Use :meth:`from_estimator` to make a display. The parameters are stored as
    attributes.

    Parameters
    ----------
    coordinates : ndarray of shape (n_topics, 2)
        Coordinates of the topics.
    sizes : ndarray of shape (n_topics,)
        Shares of the topics in the words. They sum to 1.
    words : ndarray of shape (n_topics, n_words)
        Top words of each topic.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the map.
    figure_ : matplotlib Figure
        The figure that contains the axes.
    circles_ : matplotlib PathCollection
        The circles, one per topic.
    texts_ : list of matplotlib Text
        The labels: the index of each topic and its words.

    See Also
    --------
    sklearn_amortlda.inspection.topic_sizes : Shares of the topics in the words.

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

    def __init__(
        self, *, coordinates: np.ndarray, sizes: np.ndarray, words: np.ndarray
    ) -> None:
        self.coordinates = coordinates
        self.sizes = sizes
        self.words = words

    @classmethod
    def from_estimator(
        cls,
        estimator: TopicModel,
        X: MatrixLike,
        feature_names: ArrayLike | None = None,
        *,
        n_words: int = 3,
        ranking: str | ArrayLike = "lift",
        ax: Axes | None = None,
        scatter_kw: dict[str, Any] | None = None,
        text_kw: dict[str, Any] | None = None,
    ) -> TopicMapDisplay:
        """Draw the map of the topics of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            The model has `transform`, and `topic_word_` or else `components_`.
        X : {array-like, sparse matrix} of shape (n_documents, n_features)
            Counts of the documents that determine the sizes of the topics, or the input
            of the Pipeline.
        feature_names : array-like of shape (n_features,), default=None
            The words; see :func:`~sklearn_amortlda.inspection.top_words`.
        n_words : int, default=3
            Number of words in a label.
        ranking : {'lift', 'probability'} or array-like of shape (n_topics, \
                n_features), default='lift'
            What ranks the words; see :func:`~sklearn_amortlda.inspection.top_words`.
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure, whose size grows with the number
            of topics.
        scatter_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.scatter`.
        text_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.text`.

        Returns
        -------
        display : TopicMapDisplay
            The display, drawn.
        """
        check_matplotlib_support("TopicMapDisplay.from_estimator")
        display = cls(
            coordinates=topic_coordinates(topics_of(estimator)),
            sizes=topic_sizes(estimator, X),
            words=top_words(estimator, feature_names, n_words=n_words, ranking=ranking),
        )
        return display.plot(ax=ax, scatter_kw=scatter_kw, text_kw=text_kw)

    def plot(
        self,
        *,
        ax: Axes | None = None,
        scatter_kw: dict[str, Any] | None = None,
        text_kw: dict[str, Any] | None = None,
    ) -> TopicMapDisplay:
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on. None makes a new figure, whose size grows with the number
            of topics.
        scatter_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.scatter`.
        text_kw : dict, default=None
            Keywords of :meth:`matplotlib.axes.Axes.text`.

        Returns
        -------
        display : TopicMapDisplay
            The display itself.
        """
        side = np.clip(1.8 * np.sqrt(len(self.sizes)), 5.0, 20.0)
        (self.ax_,) = panels("TopicMapDisplay.plot", ax, 1, n_cols=1, size=(side, side))
        self.figure_ = self.ax_.figure
        self.ax_.set(xticks=[], yticks=[])
        self.ax_.set_xlabel(
            "distance: Jensen-Shannon; area: share of the words, "
            f"{self.sizes.min():.1%} to {self.sizes.max():.1%}"
        )
        # Sizes of circles and letters depend on the frame, which the layout determines.
        self.figure_.draw_without_rendering()
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
        radii = np.sqrt(self.circles_.get_sizes() / np.pi) * self.figure_.dpi / 72
        for k, (text, radius) in enumerate(zip(self.texts_, radii)):
            _shrink(text, str(k), 2.0 * radius)
        # The largest circle is inside of the frame, wherever its centre is.
        (left, right), (bottom, top) = _limits(
            self.coordinates, np.array([frame.width, frame.height]), 1.1 * radii.max()
        )
        self.ax_.set(xlim=(left, right), ylim=(bottom, top))
        self.ax_.set_aspect("equal", adjustable="datalim")
        return self


def _limits(coordinates, pixels, margin):
    """Return limits of both axes, equally scaled, with margins around the points.

    `pixels` are the width and height of the axes, and `margin` is in pixels.
    """
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    room = np.maximum(pixels - 2.0 * margin, 0.1 * pixels)
    # Units in a pixel; equal points have no extent.
    scale = np.max((high - low) / room) or 1.0
    half = 0.5 * scale * pixels
    centre = 0.5 * (low + high)
    return np.transpose([centre - half, centre + half])


def _shrink(text, short, diameter):
    """Fit a text into a circle, with the short text where letters would be too small.

    The diameter is in pixels.
    """
    size = text.get_fontsize()
    for content, smallest in ((text.get_text(), _MIN_FONT), (short, 0.0)):
        text.set(text=content, fontsize=size)
        box = text.get_window_extent()
        fitting = 0.95 * size * diameter / np.hypot(box.width, box.height)
        if fitting >= smallest:
            break
    text.set_fontsize(min(size, fitting))


def topic_coordinates(topic_word):
    """Return coordinates of topics on a plane, of shape (n_topics, 2)."""
    distances = squareform(topic_distances(topic_word))
    if not distances.any():
        return np.zeros((len(topic_word), 2))
    # Kernel PCA centres its kernel. With this kernel it is classical scaling.
    start = KernelPCA(2, kernel="precomputed").fit_transform(-0.5 * distances**2)
    return smacof(distances, init=start, n_init=1, normalized_stress=False)[0]
