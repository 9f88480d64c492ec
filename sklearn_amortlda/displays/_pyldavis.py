"""The bridge to pyLDAvis."""

import numpy as np

from ..inspection._words import feature_names_of
from ..metrics._checks import check_counts, simplex, topics_of
from ._topic_map import topic_coordinates

# pyLDAvis takes logarithms, and JSON knows no infinity.
_SMALLEST = 1e-12


def to_pyldavis(estimator, X, feature_names=None, **kwargs):
    """What pyLDAvis [1]_ draws of a model, interactively.

    Show it with ``pyLDAvis.display`` or ``pyLDAvis.save_html``. The order of the topics
    is kept, and pyLDAvis counts from 1: topic k of the model is topic k + 1 there. The
    bars are expected numbers of words, under the model and its shares of the documents
    in X, which is how pyLDAvis counts them.

    Parameters
    ----------
    estimator : fitted estimator
        With `transform`, and `topic_word_` or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_features)
        Counts of the documents; those without words have no influence.
    feature_names : array-like of shape (n_features,), default=None
        The words; see :func:`~sklearn_amortlda.inspection.top_words`.
    **kwargs : dict
        Passed to ``pyLDAvis.prepare``. Different from there, the default of
        ``sort_topics`` is False, of ``n_jobs`` 1, and of ``mds`` the places of
        :class:`TopicMapDisplay`, whose axes have no names.

    Returns
    -------
    prepared : pyLDAvis.PreparedData

    Raises
    ------
    ImportError
        If pyLDAvis is not installed.

    References
    ----------
    .. [1] Sievert & Shirley (2014), "LDAvis: A method for visualizing and interpreting
           topics", ACL workshop on interactive language learning.
    """
    try:
        import pyLDAvis
    except ImportError as error:
        raise ImportError(
            'to_pyldavis needs pyLDAvis: pip install "sklearn-amortlda[vis]".'
        ) from error

    topics = simplex(topics_of(estimator), "the model's topics")
    counts = check_counts(X, n_words=topics.shape[1])
    options = {
        "sort_topics": False,
        "n_jobs": 1,
        "mds": topic_coordinates,
        "plot_opts": {"xlab": "", "ylab": ""},
        **kwargs,
    }
    return pyLDAvis.prepare(
        topic_term_dists=np.maximum(topics, _SMALLEST),
        doc_topic_dists=simplex(estimator.transform(X), "the model's transform of X"),
        doc_lengths=counts.sum(axis=1),
        vocab=feature_names_of(estimator, feature_names),
        term_frequency=counts.sum(axis=0),
        **options,
    )
