"""Topics, and counts or word vectors, in; coherence and stability out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from ..data.types import MatrixLike
from ._checks import check_counts, check_topics, matched_topics, top_indices

# Roeder et al. (2015) and gensim use this value, so that results are comparable.
_EPSILON = 1e-12


@overload
def topic_coherence(
    topic_word: ArrayLike,
    X: MatrixLike,
    *,
    measure: str = "npmi",
    n_top_words: int = 10,
    average: Literal[True] = True,
) -> float: ...


@overload
def topic_coherence(
    topic_word: ArrayLike,
    X: MatrixLike,
    *,
    measure: str = "npmi",
    n_top_words: int = 10,
    average: Literal[False],
) -> np.ndarray: ...


def topic_coherence(
    topic_word: ArrayLike,
    X: MatrixLike,
    *,
    measure: str = "npmi",
    n_top_words: int = 10,
    average: bool = True,
) -> float | np.ndarray:
    r"""Return the coherence of the topics' top words in the documents of X.

    :math:`p(v)` is the share of the documents that hold word v, and :math:`p(v, w)`
    the share that hold both v and w. The documents are the rows of X, empty rows
    included. A measure depends on the presence of a word in a document, not on its
    count. A measure is computed over the top words of a topic:

    - ``'npmi'`` is the mean over pairs of
      :math:`\log\frac{p(v, w)}{p(v) p(w)} / -\log p(v, w)`, in [-1, 1] [1]_. The
      limits are used where the formula is undefined: -1 for a pair that never
      co-occurs, and 1 for a pair that every document holds.
    - ``'u_mass'`` is the mean of :math:`\log\frac{p(v, w) + \epsilon}{p(w)}` over
      pairs where w ranks above v, at most about 0 [2]_. The value of a pair is
      :math:`\log\epsilon` if no document holds w.
    - ``'c_v'`` is the mean over top words of a cosine similarity [3]_. A word's vector
      is its NPMI with every top word, itself included. The cosine is that of the
      word's vector and the sum of the vectors. This NPMI has
      :math:`p(v, w) + \epsilon` in place of :math:`p(v, w)`. The NPMI is 1 for a pair
      that every document holds, and 0 if no document holds one of the two words.

    Parameters
    ----------
    topic_word : array-like of shape (n_topics, n_words)
        Non-negative weights of the words; only their order in a row matters.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts or other non-negative weights of the reference documents.
    measure : {'npmi', 'u_mass', 'c_v'}, default='npmi'
        The coherence measure. Larger is better for all three.
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
        and X differ, if `measure` is unknown, or if `n_top_words` is not an integer
        from 2 to the number of words.

    Notes
    -----
    :math:`\epsilon` is 1e-12, as in gensim. gensim calls the measures ``'c_npmi'``,
    ``'u_mass'`` and ``'c_v'``. 'npmi' and 'c_v' correspond to a gensim window that is
    wider than any document. The values are those of gensim except in these cases:

    - A pair that never co-occurs: gensim also adds :math:`\epsilon` in 'c_npmi' and
      returns :math:`-1 - \log(p(v) p(w)) / 27.6`, which is -0.67 at p = 0.01.
    - A pair that every document holds: 'c_npmi' of gensim is -1.
    - A word that no document holds: 'c_npmi' and 'c_v' of gensim are infinite or NaN,
      and 'u_mass' of gensim is 0, the best value.

    References
    ----------
    .. [1] G. Bouma (2009). Normalized (pointwise) mutual information in collocation
       extraction. GSCL.
    .. [2] D. Mimno et al. (2011). Optimizing semantic coherence in topic models.
       EMNLP. (The paper adds 1 to the number of documents instead of epsilon.)
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


@overload
def embedding_coherence(
    topic_word: ArrayLike,
    word_vectors: ArrayLike,
    *,
    n_top_words: int = 10,
    average: Literal[True] = True,
) -> float: ...


@overload
def embedding_coherence(
    topic_word: ArrayLike,
    word_vectors: ArrayLike,
    *,
    n_top_words: int = 10,
    average: Literal[False],
) -> np.ndarray: ...


def embedding_coherence(
    topic_word: ArrayLike,
    word_vectors: ArrayLike,
    *,
    n_top_words: int = 10,
    average: bool = True,
) -> float | np.ndarray:
    """Return the mean cosine similarity of the vectors of the topics' top words [1]_.

    The vectors come from other texts, so that coherence does not depend on whether
    words occur together in the documents of a small corpus.

    Parameters
    ----------
    topic_word : array-like of shape (n_topics, n_words)
        Non-negative weights of the words; only their order in a row matters.
    word_vectors : array-like of shape (n_words, n_dims)
        Vectors of the words, such as word2vec or GloVe. A row of zeros or NaN marks a
        word without a vector. Pairs with such a word are left out.
    n_top_words : int, default=10
        Number of top words of a topic, at least 2.
    average : bool, default=True
        Whether to return the mean over topics. Topics without a pair are left out.

    Returns
    -------
    coherence : float, or ndarray of shape (n_topics,) if ``average=False``
        From -1 to 1. NaN for a topic without a pair of words that have vectors.

    Raises
    ------
    ValueError
        If a weight is negative, the numbers of words of `topic_word` and `word_vectors`
        differ, a vector is infinite, no topic has a pair of words with vectors, or
        `n_top_words` is not an integer from 2 to the number of words.

    References
    ----------
    .. [1] Y. Ding, R. Nallapati & B. Xiang (2018). Coherence-aware neural topic
       modeling. EMNLP.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import embedding_coherence
    >>> vectors = [[1, 0], [1, 0], [0, 1], [0, 2]]
    >>> topic_word = [[.4, .4, .1, .1], [.1, .4, .4, .1]]
    >>> embedding_coherence(topic_word, vectors, n_top_words=2, average=False)
    array([1., 0.])
    """
    topic_word = check_topics(topic_word)
    top_words = top_indices(topic_word, n_top_words, "n_top_words", minimum=2)
    vectors = _check_vectors(word_vectors, topic_word.shape[1])
    values = np.array([_mean_cosine(vectors[words]) for words in top_words])
    if np.isnan(values).all():
        raise ValueError(
            "No topic has two top words with vectors. Pass vectors of the vocabulary's "
            "words, in the order of its columns."
        )
    return float(np.nanmean(values)) if average else values


def topic_stability(topic_words: Sequence[ArrayLike]) -> float:
    """Return the mean cosine similarity of the matched topics of several runs.

    The runs may differ in the seed, for example. The Hungarian method matches the
    topics of two runs one to one. The matching has the largest sum of cosine
    similarities. The stability is the mean over the matched topics, then over all
    pairs of runs.

    Parameters
    ----------
    topic_words : sequence of array-like of shape (n_topics, n_words)
        Non-negative weights of the words, one array for each run; at least two.

    Returns
    -------
    stability : float
        Between 0 and 1; 1 if all runs have the same topics, in any order.

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
            f"got {len(runs)} of shapes {shapes}: pass one array for each run, all "
            "with the same numbers of topics and words."
        )
    return float(np.mean([_agreement(a, b) for a, b in combinations(runs, 2)]))


def _check_vectors(word_vectors, n_words):
    """Return unit vectors, with rows of zeros for words without a vector."""
    vectors = check_array(
        word_vectors,
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        input_name="word_vectors",
    )
    if len(vectors) != n_words:
        raise ValueError(
            f"word_vectors has {len(vectors)} rows but topic_word has {n_words} words: "
            "pass one row per word, in the order of the columns."
        )
    missing = np.isnan(vectors).any(axis=1, keepdims=True)
    return normalize(np.where(missing, 0.0, vectors))


def _mean_cosine(vectors):
    """Return the mean cosine of all pairs of unit vectors, without rows of zeros."""
    known = vectors[vectors.any(axis=1)]
    if len(known) < 2:
        return np.nan
    return (known @ known.T)[np.triu_indices(len(known), k=1)].mean()


def _agreement(a, b):
    *_, similarities = matched_topics(a, b)
    # Rounding can make the cosine of a topic with itself exceed 1.
    return min(1.0, similarities.mean())


def _npmi(joint):
    pairs = np.triu_indices(len(joint), k=1)
    return _pairwise_npmi(joint, epsilon=0.0, absent=-1.0)[pairs].mean()


def _u_mass(joint):
    later, earlier = np.tril_indices(len(joint), k=-1)
    # p(earlier) = 0 implies a joint probability of 0: dividing by 1 gives log(epsilon).
    given = np.diag(joint)[earlier]
    return np.log(
        (joint[later, earlier] + _EPSILON) / np.where(given > 0, given, 1.0)
    ).mean()


def _c_v(joint):
    vectors = _pairwise_npmi(joint, epsilon=_EPSILON, absent=0.0)
    return (normalize(vectors) @ normalize(vectors.sum(axis=0, keepdims=True)).T).mean()


_MEASURES = {"npmi": _npmi, "u_mass": _u_mass, "c_v": _c_v}


def _pairwise_npmi(joint, epsilon, absent):
    """Return the NPMI of all pairs, with its limits where the formula is 0 / 0."""
    marginal = np.diag(joint)
    independent = np.outer(marginal, marginal)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_joint = np.log(joint + epsilon)
        npmi = (np.log(independent) - log_joint) / log_joint
    npmi[(joint == 0) & (epsilon == 0)] = -1.0
    npmi[joint == 1] = 1.0
    npmi[independent == 0] = absent
    return npmi
