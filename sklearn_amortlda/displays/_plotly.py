"""A fitted model and documents go in; an interactive map of the topics comes out."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..data.types import MatrixLike, TopicModel
from ..inspection import top_words, topic_sizes
from ..metrics._models import topics_of
from ._topic_map import topic_coordinates

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Pixels: side of the map, and diameter of the circle of a topic with all the words.
_SIDE, _DIAMETER = 800, 450


def to_plotly(
    estimator: TopicModel,
    X: MatrixLike,
    feature_names: ArrayLike | None = None,
    *,
    n_words: int = 15,
    ranking: str | ArrayLike = "lift",
) -> Figure:
    """Return an interactive :class:`TopicMapDisplay`, as a plotly figure.

    ``figure.write_html("topics.html")`` saves the map as one file that needs no other
    file and no network. The pointer on a circle shows the size and the top words of the
    topic. The axes have no labels, because their directions have no meaning.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        The model has `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_features)
        Counts of the documents that determine the sizes of the topics, or the input of
        the Pipeline.
    feature_names : array-like of shape (n_features,), default=None
        The words; see :func:`~sklearn_amortlda.inspection.top_words`.
    n_words : int, default=15
        Number of words that the pointer shows.
    ranking : {'lift', 'probability'} or array-like of shape (n_topics, n_features), \
            default='lift'
        What ranks the words; see :func:`~sklearn_amortlda.inspection.top_words`.

    Returns
    -------
    figure : plotly.graph_objects.Figure
        The map, with one marker per topic.

    Raises
    ------
    ImportError
        If plotly is not installed.

    See Also
    --------
    TopicMapDisplay : The map with words in the circles, by matplotlib.
    to_pyldavis : Input of pyLDAvis, whose page loads its scripts from the internet.

    Examples
    --------
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import to_plotly
    >>> X, _ = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(5, max_iter=3, random_state=0).fit(X)
    >>> figure = to_plotly(lda, X)  # doctest: +SKIP
    >>> figure.write_html("topics.html")  # doctest: +SKIP
    """
    try:
        from plotly.graph_objects import Figure, Scatter
    except ImportError as error:
        raise ImportError(
            "to_plotly needs plotly, which is not installed: pip install plotly."
        ) from error

    sizes = topic_sizes(estimator, X)
    words = top_words(estimator, feature_names, n_words=n_words, ranking=ranking)
    x, y = topic_coordinates(topics_of(estimator)).T
    topics = Scatter(
        x=x,
        y=y,
        mode="markers+text",
        marker={"size": _DIAMETER * np.sqrt(sizes), "opacity": 0.5},
        text=[str(k) for k in range(len(sizes))],
        hovertext=[
            f"<b>topic {k}</b>: {size:.1%} of the words<br>"
            + "<br>".join(map(_text, row))
            for k, (size, row) in enumerate(zip(sizes, words))
        ],
        hoverinfo="text",
    )
    axis = {"visible": False}
    return Figure(
        topics,
        {
            "width": _SIDE,
            "height": _SIDE,
            "title": "Topics; the area of a circle is the share of the words",
            "plot_bgcolor": "white",
            "xaxis": axis,
            # Distances have one scale in all directions.
            "yaxis": {**axis, "scaleanchor": "x"},
        },
    )


def _text(word):
    """Return a word without the characters that HTML interprets."""
    return escape(str(word), quote=False)
