"""Quality of topics as lists of words: coherence, diversity, stability."""

from itertools import combinations

import numpy as np
from sklearn.preprocessing import normalize

from ._checks import check_counts, check_topics, matched_topics, top_indices

# The smoothing of Roeder et al. (2015) and of gensim, so that figures compare.
_EPSILON = 1e-12


def topic_coherence(topic_word, X, *, measure="npmi", n_top_words=10, average=True):
    r"""Coherence of each topic's top words, by co-occurrence in the documents of X.

    With the document as the window, :math:`p(v)` and :math:`p(v, w)` are the shares
    of the documents (rows of X, empty ones included) that hold the word and both
    words; how often does not matter. Over the top words of a topic,

    - ``'npmi'`` is the mean over pairs of
      :math:`\log\frac{p(v, w)}{p(v) p(w)} / -\log p(v, w)`, in [-1, 1] [1]_. A pair
      that never co-occurs counts -1 and one found in every document 1, its limits.
    - ``'u_mass'`` is the mean of :math:`\log\frac{p(v, w) + \epsilon}{p(w)}` over
      pairs where w ranks above v, at most about 0 [2]_. If no document holds w, the
      pair counts :math:`\log\epsilon`.
    - ``'c_v'`` is the mean cosine between a word's vector of NPMI with every top word
      (itself included) and the sum of these vectors [3]_. Its NPMI has
      :math:`p(v, w) + \epsilon` for :math:`p(v, w)`; it is 1 for a pair found in
      every document and 0 if no document holds one of the words.

    Parameters
    ----------
    topic_word : array-like of shape (n_topics, n_words)
        Non-negative weights of the words; only their order in a row matters.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts or any non-negative weights of the reference documents.
    measure : {'npmi', 'u_mass', 'c_v'}, default='npmi'
        The coherence measure; larger is better for each.
    n_top_words : int, default=10
        Number of top words of a topic, at least 2.
    average : bool, default=True
        Whether to return the mean over topics.

    Returns
    -------
    coherence : float, or ndarray of shape (n_topics,) if ``average=False``

    Raises
    ------
    ValueError
        If a value is negative or not finite, if the numbers of words of `topic_word`
        and X differ, or if `measure` or `n_top_words` is not one of the above.

    Notes
    -----
    :math:`\epsilon` is 1e-12, as in gensim, where 'u_mass' is ``'u_mass'`` and 'npmi'
    and 'c_v' are ``'c_npmi'`` and ``'c_v'`` with a window wider than any document.
    The values are gensim's but for the limits: it smooths NPMI too, so that a pair
    that never co-occurs gets :math:`-1 - \log(p(v) p(w)) / 27.6` (-0.67 at p = 0.01)
    and one found in every document -1; words that no document holds make its
    'c_npmi' and 'c_v' infinite or NaN and count 0, the best value, in 'u_mass'.

    References
    ----------
    .. [1] G. Bouma (2009). Normalized (pointwise) mutual information in collocation
       extraction. GSCL.
    .. [2] D. Mimno et al. (2011). Optimizing semantic coherence in topic models.
       EMNLP. (There with one document added to the count in place of epsilon.)
    .. [3] M. Roeder, A. Both & A. Hinneburg (2015). Exploring the space of topic
       coherence measures. WSDM.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import topic_coherence
    >>> X = [[1, 2, 0, 0], [3, 1, 0, 0], [0, 0, 1, 1], [0, 0, 2, 0]]
    >>> topic_word = [[.4, .4, .1, .1], [.1, .4, .1, .4]]
    >>> topic_coherence(topic_word, X, n_top_words=2, average=False)
    array([ 1., -1.])
    """
    if measure not in _MEASURES:
        raise ValueError(
            f"measure must be one of {sorted(_MEASURES)}, got {measure!r}."
        )
    topic_word = check_topics(topic_word)
    top_words = top_indices(topic_word, n_top_words, "n_top_words", minimum=2)
    occurs = check_counts(X, n_words=topic_word.shape[1]).tocsc()
    occurs.data[:] = 1.0
    values = np.empty(len(top_words))
    for k, words in enumerate(top_words):
        in_topic = occurs[:, words]
        joint = (in_topic.T @ in_topic).toarray() / occurs.shape[0]
        values[k] = _MEASURES[measure](joint)
    return float(values.mean()) if average else values


def topic_diversity(topic_word, *, n_top_words=10):
    """Share of distinct words among the top words of all topics [1]_.

    Parameters
    ----------
    topic_word : array-like of shape (n_topics, n_words)
        Non-negative weights of the words; only their order in a row matters.
    n_top_words : int, default=10
        Number of top words of a topic.

    Returns
    -------
    diversity : float
        1 if no two topics share a top word, 1 / n_topics if all are the same.

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


def topic_stability(topic_words):
    """Agreement of the topics of several runs, such as of several seeds.

    The topics of two runs are matched one to one such that the sum of the cosine
    similarities of matched topics is largest (the Hungarian method). The value is
    the mean over matched topics, then over all pairs of runs.

    Parameters
    ----------
    topic_words : sequence of array-like of shape (n_topics, n_words)
        Non-negative weights of the words, one array a run; at least two.

    Returns
    -------
    stability : float
        Between 0 and 1; 1 if all runs found the same topics in any order.

    Raises
    ------
    ValueError
        If there are fewer than two runs, their shapes differ, or a weight is
        negative or not finite.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import topic_stability
    >>> topic_stability([[[1, 0], [0, 1]], [[0, 2], [3, 0]]])
    1.0
    """
    runs = [check_topics(run) for run in topic_words]
    shapes = sorted({run.shape for run in runs})
    if len(runs) < 2 or len(shapes) > 1:
        raise ValueError(
            "topic_words must hold at least two arrays of one shape, "
            f"got {len(runs)} of shapes {shapes}."
        )
    return float(np.mean([_agreement(a, b) for a, b in combinations(runs, 2)]))


def _agreement(a, b):
    *_, similarities = matched_topics(a, b)
    # Rounding may put the cosine of a topic with itself above 1.
    return min(1.0, similarities.mean())


def _npmi(joint):
    pairs = np.triu_indices(len(joint), k=1)
    return _pairwise_npmi(joint, epsilon=0.0, absent=-1.0)[pairs].mean()


def _u_mass(joint):
    later, earlier = np.tril_indices(len(joint), k=-1)
    # Without a document that holds `earlier` both probabilities are 0: the ratio
    # takes 1 in the place of the lower one.
    given = np.diag(joint)[earlier]
    return np.log(
        (joint[later, earlier] + _EPSILON) / np.where(given > 0, given, 1.0)
    ).mean()


def _c_v(joint):
    vectors = _pairwise_npmi(joint, epsilon=_EPSILON, absent=0.0)
    return (normalize(vectors) @ normalize(vectors.sum(axis=0, keepdims=True)).T).mean()


_MEASURES = {"npmi": _npmi, "u_mass": _u_mass, "c_v": _c_v}


def _pairwise_npmi(joint, epsilon, absent):
    """NPMI of all pairs, with its limits where the formula is 0 / 0."""
    marginal = np.diag(joint)
    independent = np.outer(marginal, marginal)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_joint = np.log(joint + epsilon)
        npmi = (np.log(independent) - log_joint) / log_joint
    npmi[(joint == 0) & (epsilon == 0)] = -1.0
    npmi[joint == 1] = 1.0
    npmi[independent == 0] = absent
    return npmi
