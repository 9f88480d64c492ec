"""Which topic of one model is which of another."""

import numpy as np

from ..metrics._checks import check_topics, matched_topics, topics_of


def align_topics(a, b):
    """Match the topics of two models one to one.

    Such that the sum of the cosine similarities of matched topics is largest (the
    Hungarian method). Of models with different numbers of topics, as many are matched
    as the smaller one has.

    Parameters
    ----------
    a, b : fitted estimators, or array-likes of shape (n_topics, n_words)
        Models of the same vocabulary, or their topics.

    Returns
    -------
    topics_a, topics_b : ndarray of shape (n_matched,)
        ``a.topic_word_[topics_a]`` and ``b.topic_word_[topics_b]`` are alike row by
        row. `topics_a` ascends: it is every topic of a, unless b has fewer.
    similarities : ndarray of shape (n_matched,)
        Cosines of the matched topics, from 0 to 1.

    Raises
    ------
    ValueError
        If the vocabularies differ in size.

    See Also
    --------
    sklearn_amortlda.metrics.topic_stability : The mean similarity over several runs.

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
            f"a has {a.shape[1]} words and b {b.shape[1]}: only models of the same "
            "vocabulary can be aligned."
        )
    topics_a, topics_b, similarities = matched_topics(a, b)
    # Rounding may put the cosine of a topic with itself above 1.
    return topics_a, topics_b, np.minimum(similarities, 1.0)


def _topics(model, name):
    has_topics = hasattr(model, "topic_word_") or hasattr(model, "components_")
    return check_topics(topics_of(model) if has_topics else model, name)
