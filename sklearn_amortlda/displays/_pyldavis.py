"""A fitted model and documents go in; the input of pyLDAvis comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..data.types import MatrixLike, TopicModel
from ..metrics._checks import check_counts, simplex
from ..metrics._models import model_and_counts, names_of, topics_of
from ._topic_map import topic_coordinates

if TYPE_CHECKING:
    from pyLDAvis import PreparedData

# pyLDAvis takes logarithms, and JSON cannot store infinity.
_SMALLEST = 1e-12


def to_pyldavis(
    estimator: TopicModel,
    X: MatrixLike,
    feature_names: ArrayLike | None = None,
    **kwargs: Any,
) -> PreparedData:
    """Return the data of an interactive pyLDAvis visualization [1]_ of a model.

    ``pyLDAvis.display`` and ``pyLDAvis.save_html`` show the data. The saved page loads
    its scripts from the internet, unlike that of :func:`to_plotly`. The order of the
    topics is kept. pyLDAvis counts topics from 1, so topic k of the model is topic
    k + 1 of the visualization. The bars show expected numbers of words, which pyLDAvis
    computes from the topics and from the topic shares of the documents in X.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        The model has `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_features)
        Counts of the documents, or the input of the Pipeline. Documents without words
        have no influence.
    feature_names : array-like of shape (n_features,), default=None
        The words; see :func:`~sklearn_amortlda.inspection.top_words`.
    **kwargs : dict
        Keywords of ``pyLDAvis.prepare``. Three defaults differ from those of pyLDAvis:
        ``sort_topics`` is False, ``n_jobs`` is 1, and ``mds`` returns the coordinates
        of :class:`TopicMapDisplay`, whose axes have no labels.

    Returns
    -------
    prepared : pyLDAvis.PreparedData
        Data for ``pyLDAvis.display`` and ``pyLDAvis.save_html``.

    Raises
    ------
    ImportError
        If pyLDAvis is not installed.

    References
    ----------
    .. [1] Sievert & Shirley (2014), "LDAvis: A method for visualizing and interpreting
           topics", ACL workshop on interactive language learning.

    Examples
    --------
    >>> import pyLDAvis  # doctest: +SKIP
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn_amortlda import AmortizedLDA
    >>> from sklearn_amortlda.displays import to_pyldavis
    >>> X, _ = make_multilabel_classification(random_state=0)
    >>> lda = AmortizedLDA(5, max_iter=3, random_state=0).fit(X)
    >>> prepared = to_pyldavis(lda, X, R=20)  # doctest: +SKIP
    >>> pyLDAvis.save_html(prepared, "topics.html")  # doctest: +SKIP
    """
    try:
        import pyLDAvis
    except ImportError as error:
        raise ImportError(
            "to_pyldavis needs pyLDAvis, which is not installed: pip install pyLDAvis."
        ) from error

    names = names_of(estimator, feature_names)
    model, counts = model_and_counts(estimator, X)
    topics = simplex(topics_of(model), "the model's topics")
    words = check_counts(counts, n_words=topics.shape[1])
    options = {
        "sort_topics": False,
        "n_jobs": 1,
        "mds": topic_coordinates,
        "plot_opts": {"xlab": "", "ylab": ""},
        **kwargs,
    }
    return pyLDAvis.prepare(
        topic_term_dists=np.maximum(topics, _SMALLEST),
        doc_topic_dists=simplex(model.transform(counts), "the model's transform of X"),
        doc_lengths=words.sum(axis=1),
        vocab=names,
        term_frequency=words.sum(axis=0),
        **options,
    )
