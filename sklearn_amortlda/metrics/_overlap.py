"""Topics in; the overlap of their top words out: diversity, uniqueness, inverted RBO.

Every function also takes other scores of the words, such as
:func:`sklearn_amortlda.inspection.topic_lift`, because only the order of the words in a
topic matters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from ._checks import check_topics, top_indices


def topic_diversity(topic_word: ArrayLike, *, n_top_words: int = 10) -> float:
    """Return the share of distinct words among the top words of all topics [1]_.

    Parameters
    ----------
    topic_word : array-like of shape (n_topics, n_words)
        Non-negative weights of the words; only their order in a row matters.
    n_top_words : int, default=10
        Number of top words of a topic.

    Returns
    -------
    diversity : float
        1 if no two topics share a top word; 1 / n_topics if all topics have the same
        top words.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or `n_top_words` is not an integer
        from 1 to the number of words.

    References
    ----------
    .. [1] A. B. Dieng, F. J. R. Ruiz & D. M. Blei (2020). Topic modeling in embedding
       spaces. TACL.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import topic_diversity
    >>> topic_diversity([[.5, .4, .1], [.1, .5, .4]], n_top_words=2)
    0.75
    """
    top_words = top_indices(check_topics(topic_word), n_top_words, "n_top_words")
    return float(np.unique(top_words).size / top_words.size)


def topic_uniqueness(topic_word: ArrayLike, *, n_top_words: int = 15) -> float:
    r"""Return the share of the top words that are top words of one topic only.

    It is at most the diversity, which counts a word of several topics once. ECRTM [1]_
    and FASTopic report this share for 15 words. (The topic uniqueness of [2]_ is
    another measure, the mean over top words of 1 / number of topics that have the word,
    and larger.)

    Parameters
    ----------
    topic_word : array-like of shape (n_topics, n_words)
        Non-negative weights of the words; only their order in a row matters.
    n_top_words : int, default=15
        Number of top words of a topic.

    Returns
    -------
    uniqueness : float
        1 if no two topics share a top word; 0 if every top word is in several topics.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or `n_top_words` is not an integer
        from 1 to the number of words.

    See Also
    --------
    topic_diversity : Share of distinct words.

    References
    ----------
    .. [1] X. Wu, X. Dong, T. Nguyen & A. T. Luu (2023). Effective neural topic modeling
       with embedding clustering regularization. ICML.
    .. [2] F. Nan, R. Ding, R. Nallapati & B. Xiang (2019). Topic modeling with
       Wasserstein autoencoders. ACL.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import topic_uniqueness
    >>> topic_uniqueness([[.5, .4, .1], [.1, .5, .4]], n_top_words=2)
    0.5
    """
    top_words = top_indices(check_topics(topic_word), n_top_words, "n_top_words")
    n_topics = np.bincount(top_words.ravel())
    return float(np.mean(n_topics[top_words] == 1))


def inverted_rbo(
    topic_word: ArrayLike, *, n_top_words: int = 10, weight: float = 0.9
) -> float:
    r"""Return 1 minus the mean rank-biased overlap of the topics' top words [1]_.

    The rank-biased overlap (RBO) [2]_ of two topics compares their rankings. A word
    that both topics rank high counts more than a word that both rank low:

    .. math:: \frac{X_n}{n} p^n + \frac{1 - p}{p} \sum_{d=1}^{n} \frac{X_d}{d} p^d

    :math:`X_d` is the number of words that are among the first d of both topics, n is
    `n_top_words`, and p is `weight`. This is the extrapolated RBO of [2]_.

    Parameters
    ----------
    topic_word : array-like of shape (n_topics, n_words)
        Non-negative weights of the words of at least two topics; only their order in a
        row matters.
    n_top_words : int, default=10
        Number of top words of a topic.
    weight : float, default=0.9
        p, between 0 and 1. Small values give more weight to the first words.

    Returns
    -------
    inverted_rbo : float
        1 if no two topics share a top word; 0 if all topics have equal rankings.

    Raises
    ------
    ValueError
        If there are fewer than two topics, a weight is negative or not finite,
        `n_top_words` is not an integer from 1 to the number of words, or `weight` is
        not between 0 and 1.

    References
    ----------
    .. [1] F. Bianchi, S. Terragni & D. Hovy (2021). Pre-training is a hot topic:
       contextualized document embeddings improve topic coherence. ACL.
    .. [2] W. Webber, A. Moffat & J. Zobel (2010). A similarity measure for indefinite
       rankings. ACM Transactions on Information Systems 28.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import inverted_rbo
    >>> inverted_rbo([[.6, .3, .1, 0], [0, .1, .3, .6]], n_top_words=2)
    1.0
    >>> round(inverted_rbo([[.6, .3, .1, 0], [.3, .6, 0, .1]], n_top_words=2), 3)
    0.1
    """
    if not 0 < weight < 1:
        raise ValueError(f"weight must be between 0 and 1, got {weight!r}.")
    topics = check_topics(topic_word)
    if len(topics) < 2:
        raise ValueError(
            f"inverted_rbo compares topics and needs at least two, got {len(topics)}."
        )
    top_words = top_indices(topics, n_top_words, "n_top_words")
    agreements = [
        _shared(top_words[:, :depth]) / depth for depth in range(1, n_top_words + 1)
    ]
    decay = weight ** np.arange(1, n_top_words + 1)
    series = (1 - weight) / weight * np.tensordot(decay, agreements, axes=1)
    overlap = agreements[-1] * decay[-1] + series
    return float(1.0 - overlap[np.triu_indices(len(topics), k=1)].mean())


def _shared(words):
    """Return the number of common words of each pair of topics."""
    n_topics, n_words = words.shape
    rows = np.repeat(np.arange(n_topics), n_words)
    occurs = sparse.csr_array((np.ones(rows.size), (rows, words.ravel())))
    return (occurs @ occurs.T).toarray()
