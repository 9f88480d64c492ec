"""Quality of topics: coherence, diversity, stability, held-out perplexity.

Everything here works on arrays and sparse counts of any topic model; only the
functions that take an `estimator` need one, and any will do that has `transform`
and either `topic_word_` or `components_`. Logarithms are natural, ``X`` is never
densified and never changed.
"""

from itertools import combinations

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from sklearn.preprocessing import normalize
from sklearn.utils import check_array, check_random_state, gen_batches

__all__ = [
    "completion_split",
    "document_completion_perplexity",
    "document_completion_scorer",
    "held_out_perplexity",
    "npmi_scorer",
    "topic_coherence",
    "topic_diversity",
    "topic_stability",
]

# The smoothing of Roeder et al. (2015) and of gensim, so that figures compare.
_EPSILON = 1e-12
# Products over the non-zeros are made this many floats at a time (32 MB).
_CHUNK = 2**22


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
    topic_word = _check_topics(topic_word)
    top_words = _top_words(topic_word, n_top_words, minimum=2)
    occurs = _check_counts(X, n_words=topic_word.shape[1]).tocsc()
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
    top_words = _top_words(_check_topics(topic_word), n_top_words, minimum=1)
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
    runs = [normalize(_check_topics(run)) for run in topic_words]
    shapes = sorted({run.shape for run in runs})
    if len(runs) < 2 or len(shapes) > 1:
        raise ValueError(
            "topic_words must hold at least two arrays of one shape, "
            f"got {len(runs)} of shapes {shapes}."
        )
    return float(np.mean([_matched_similarity(a, b) for a, b in combinations(runs, 2)]))


def completion_split(X, random_state=0):
    """Split the words of each document at random in two halves.

    Every single word goes to either half with probability 1/2 (binomial thinning of
    the counts), independently; a short document may land in one half as a whole.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts: non-negative integers, of any dtype.
    random_state : int, RandomState instance or None, default=0
        Pass an int for the same split in every call.

    Returns
    -------
    observed, held_out : csr_array of shape (n_documents, n_words)
        Float64 counts that add up to X.

    Raises
    ------
    ValueError
        If a count is negative, not finite or not an integer.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import completion_split
    >>> observed, held_out = completion_split([[4, 0, 10], [1, 1, 0]])
    >>> (observed + held_out).toarray()
    array([[ 4.,  0., 10.],
           [ 1.,  1.,  0.]])
    """
    X = _check_counts(X)
    if np.any(X.data != np.floor(X.data)):
        raise ValueError(
            "X must hold integer counts: only whole words can be split in halves. Pass "
            "counts (CountVectorizer), not weights such as tf-idf."
        )
    observed = X.copy()
    rng = check_random_state(random_state)
    observed.data = rng.binomial(X.data.astype(np.int64), 0.5).astype(np.float64)
    held_out = X - observed
    observed.eliminate_zeros()
    held_out.eliminate_zeros()
    return observed, held_out


def held_out_perplexity(doc_topic, topic_word, X):
    r"""Perplexity of the words X under known proportions of known topics.

    :math:`\exp(-\sum_{dv} x_{dv} \log p_{dv} / \sum_{dv} x_{dv})` with
    :math:`p_{dv} = \sum_k \theta_{dk} \beta_{kv}`.

    Parameters
    ----------
    doc_topic : array-like of shape (n_documents, n_topics)
        Topic weights of the documents, normalized here to the simplex. They must not
        be inferred from the words of X: see :func:`document_completion_perplexity`.
    topic_word : array-like of shape (n_topics, n_words)
        Word weights of the topics, normalized here to the simplex.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts or non-negative weights of the held-out words.

    Returns
    -------
    perplexity : float
        At least 1; n_words for a uniform guess; infinite if a word of X has
        probability 0.

    Raises
    ------
    ValueError
        If the shapes do not agree, a value is negative or not finite, a row of
        `doc_topic` or `topic_word` sums to zero, or X holds no words.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import held_out_perplexity
    >>> held_out_perplexity([[1, 1]], [[2, 0, 2], [0, 4, 4]], [[1, 1, 0]])
    4.0
    """
    doc_topic = _simplex(doc_topic, "doc_topic")
    topic_word = _simplex(topic_word, "topic_word")
    X = _check_counts(X, n_words=topic_word.shape[1]).tocoo()
    if doc_topic.shape != (X.shape[0], topic_word.shape[0]):
        raise ValueError(
            f"doc_topic must be of shape (n_documents, n_topics) = "
            f"{(X.shape[0], topic_word.shape[0])}, got {doc_topic.shape}."
        )
    if X.nnz == 0:
        raise ValueError("X holds no words to score: pass documents with more words.")
    word_topic = np.ascontiguousarray(topic_word.T)
    log_likelihood = 0.0
    for part in gen_batches(X.nnz, max(1, _CHUNK // len(topic_word))):
        p = np.einsum("ik,ik->i", doc_topic[X.row[part]], word_topic[X.col[part]])
        with np.errstate(divide="ignore"):
            log_likelihood += X.data[part] @ np.log(p)
    return float(np.exp(-log_likelihood / X.data.sum()))


def document_completion_perplexity(estimator, X, *, random_state=0):
    """Perplexity of one half of each document's words, given the other half.

    ``estimator.transform`` infers topic proportions from the first half and the
    second is scored under the mixture of topics (:func:`completion_split`, then
    :func:`held_out_perplexity`), the 'document completion' of [1]_. No bound and no
    prior enters, so that any two models compare.

    Parameters
    ----------
    estimator : fitted estimator
        With `transform`, and `topic_word_` or else `components_` for the topics. Of
        a Pipeline pass the last step, and the counts that reach it.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Integer counts of documents that the estimator was not fitted on.
    random_state : int, RandomState instance or None, default=0
        Seed of the split.

    Returns
    -------
    perplexity : float
        Per word; smaller is better.

    Raises
    ------
    ValueError
        As :func:`completion_split` and :func:`held_out_perplexity`.

    References
    ----------
    .. [1] H. M. Wallach et al. (2009). Evaluation methods for topic models. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> from sklearn_amortlda.metrics import document_completion_perplexity
    >>> X = np.kron(np.eye(2, dtype=int), np.full((20, 3), 4))
    >>> lda = LatentDirichletAllocation(2, random_state=0).fit(X)
    >>> document_completion_perplexity(lda, X) < 4  # 3 words a topic
    True
    """
    observed, held_out = completion_split(X, random_state)
    doc_topic = estimator.transform(observed)
    return held_out_perplexity(doc_topic, _topics_of(estimator), held_out)


def document_completion_scorer(estimator, X, y=None):
    """Mean log probability of a held-out word: a scorer for model selection.

    Minus the logarithm of :func:`document_completion_perplexity`, thus greater is
    better. Takes the estimator alone; for a Pipeline whose last step is the topic
    model write ``def scorer(p, X, y=None): return document_completion_scorer(p[-1],
    p[:-1].transform(X))``.

    Parameters
    ----------
    estimator : fitted estimator
        See :func:`document_completion_perplexity`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Integer counts.
    y : None
        Ignored.

    Returns
    -------
    score : float

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import LatentDirichletAllocation
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn_amortlda.metrics import document_completion_scorer
    >>> X = np.tile(np.kron(np.eye(2, dtype=int), np.full((1, 3), 4)), (20, 1))
    >>> lda = LatentDirichletAllocation(random_state=0)
    >>> search = GridSearchCV(lda, {"n_components": [1, 2]}, cv=2,
    ...                       scoring=document_completion_scorer)
    >>> search.fit(X).best_params_
    {'n_components': 2}
    """
    return -float(np.log(document_completion_perplexity(estimator, X)))


def npmi_scorer(estimator, X, y=None):
    """NPMI of the estimator's top 10 words in X: a scorer for model selection.

    Parameters
    ----------
    estimator : fitted estimator
        With `topic_word_`, or else `components_`.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Reference documents, see :func:`topic_coherence`.
    y : None
        Ignored.

    Returns
    -------
    score : float
    """
    return topic_coherence(_topics_of(estimator), X)


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


def _matched_similarity(a, b):
    similarity = a @ b.T
    # Rounding may put the cosine of a topic with itself above 1.
    return min(1.0, similarity[linear_sum_assignment(similarity, maximize=True)].mean())


def _top_words(topic_word, n_top_words, minimum):
    """Indices of the top words of each topic, best first, ties by index."""
    n_words = topic_word.shape[1]
    if (
        not isinstance(n_top_words, (int, np.integer))
        or not minimum <= n_top_words <= n_words
    ):
        raise ValueError(
            f"n_top_words must be an integer from {minimum} to the number of words, "
            f"{n_words}, got {n_top_words!r}."
        )
    # A full sort of a large vocabulary would cost more than all that follows.
    top = np.argpartition(-topic_word, n_top_words - 1, axis=1)[:, :n_top_words]
    top.sort(axis=1)
    order = np.argsort(
        -np.take_along_axis(topic_word, top, axis=1), axis=1, kind="stable"
    )
    return np.take_along_axis(top, order, axis=1)


def _topics_of(estimator):
    return (
        estimator.topic_word_
        if hasattr(estimator, "topic_word_")
        else estimator.components_
    )


def _check_topics(topic_word, name="topic_word"):
    return check_array(
        topic_word, dtype=np.float64, ensure_non_negative=True, input_name=name
    )


def _simplex(weights, name):
    weights = _check_topics(weights, name)
    totals = weights.sum(axis=1, keepdims=True)
    if np.any(totals == 0):
        raise ValueError(
            f"Row {int(np.argmin(totals))} of {name} sums to zero, so that it is no "
            "distribution: give it positive weights, the prior's if nothing is known."
        )
    return weights / totals


def _check_counts(X, n_words=None):
    """X as a canonical float64 CSR array that shares nothing with the caller's."""
    X = check_array(
        X,
        accept_sparse="csr",
        dtype=np.float64,
        ensure_non_negative=True,
        input_name="X",
    )
    if n_words is not None and X.shape[1] != n_words:
        raise ValueError(
            f"X has {X.shape[1]} words (columns) but topic_word has {n_words}: count "
            "the documents with the vocabulary that the topics were fitted on."
        )
    X = sparse.csr_array(X, copy=True)
    X.sum_duplicates()
    X.eliminate_zeros()
    return X
