"""Two models go in; the one-to-one matching of their topics comes out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..data.types import TopicModel
from ..metrics._checks import check_topics, matched_topics
from ..metrics._models import model_of, topics_of


def align_topics(
    a: TopicModel | ArrayLike, b: TopicModel | ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Match the topics of two models one to one.

    The matching maximizes the sum of the cosine similarities of matched topics
    (Hungarian method). If the models have different numbers of topics, every topic of
    the smaller model is matched and some topics of the larger model are not.

    Parameters
    ----------
    a, b : fitted estimators or Pipelines, or array-likes of shape (n_topics, n_words)
        Models of the same vocabulary, or their topics.

    Returns
    -------
    topics_a, topics_b : ndarray of shape (n_matched,)
        Topic ``topics_a[i]`` of a is matched with topic ``topics_b[i]`` of b.
        `topics_a` is sorted. It holds every topic of a unless b has fewer topics.
    similarities : ndarray of shape (n_matched,)
        Cosine similarities of the matched topics, from 0 to 1.

    Raises
    ------
    ValueError
        If the vocabularies differ in size.

    See Also
    --------
    sklearn_amortlda.metrics.topic_stability : Mean similarity over several runs.

    Examples
    --------
    >>> from sklearn_amortlda.inspection import align_topics
    >>> topics_a, topics_b, similarities = align_topics(
    ...     [[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 2, 0], [3, 0, 0]]
    ... )
    >>> topics_b
    array([2, 1])
    >>> similarities
    array([1., 1.])
    """
    a, b = _topics(a, "a"), _topics(b, "b")
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"a has {a.shape[1]} words and b has {b.shape[1]} words. Pass two models "
            "of the same vocabulary."
        )
    topics_a, topics_b, similarities = matched_topics(a, b)
    # Rounding can raise the cosine of equal topics above 1.
    return topics_a, topics_b, np.minimum(similarities, 1.0)


def _topics(model, name):
    fitted = model_of(model)
    has_topics = hasattr(fitted, "topic_word_") or hasattr(fitted, "components_")
    return check_topics(topics_of(fitted) if has_topics else fitted, name)
