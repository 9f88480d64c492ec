"""Counts and a model in; the perplexity of held-out words out."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.utils import check_random_state, gen_batches

from ..data.types import MatrixLike, RandomState, TopicModel
from ._checks import check_counts, check_integers, simplex
from ._models import check_names, model_and_counts, topics_of

# Largest number of floats of a product over non-zeros (32 MB).
_CHUNK = 2**22


def completion_split(
    X: MatrixLike, random_state: RandomState = 0
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Split the words of each document at random into two halves.

    The split is a binomial thinning of the counts: each word token goes to either
    half with probability 1/2, independently of the other tokens. All tokens of a
    short document may go to the same half.

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
    X = check_counts(X)
    check_integers(X, "each word token goes to one half")
    observed = X.copy()
    rng = check_random_state(random_state)
    observed.data = rng.binomial(X.data.astype(np.int64), 0.5).astype(np.float64)
    held_out = X - observed
    observed.eliminate_zeros()
    held_out.eliminate_zeros()
    return observed, held_out


def held_out_perplexity(
    doc_topic: ArrayLike, topic_word: ArrayLike, X: MatrixLike
) -> float:
    r"""Return the perplexity of the words of X under given proportions and topics.

    The perplexity is
    :math:`\exp(-\sum_{dv} x_{dv} \log p_{dv} / \sum_{dv} x_{dv})` with
    :math:`p_{dv} = \sum_k \theta_{dk} \beta_{kv}`.

    Parameters
    ----------
    doc_topic : array-like of shape (n_documents, n_topics)
        Topic weights of the documents. This function normalizes each row. The weights
        must not be inferred from the words of X: see
        :func:`document_completion_perplexity`.
    topic_word : array-like of shape (n_topics, n_words)
        Word weights of the topics. This function normalizes each row.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Counts or non-negative weights of the held-out words.

    Returns
    -------
    perplexity : float
        At least 1. Uniform topics have perplexity n_words. The perplexity is infinite
        if a word of X has probability 0.

    Raises
    ------
    ValueError
        If the shapes do not agree, a value is negative or not finite, a row of
        `doc_topic` or `topic_word` sums to zero, or all counts of X are 0.

    Examples
    --------
    >>> from sklearn_amortlda.metrics import held_out_perplexity
    >>> held_out_perplexity([[1, 1]], [[2, 0, 2], [0, 4, 4]], [[1, 1, 0]])
    4.0
    """
    doc_topic = simplex(doc_topic, "doc_topic")
    topic_word = simplex(topic_word, "topic_word")
    X = check_counts(X, n_words=topic_word.shape[1]).tocoo()
    if doc_topic.shape != (X.shape[0], topic_word.shape[0]):
        raise ValueError(
            f"doc_topic must be of shape (n_documents, n_topics) = "
            f"{(X.shape[0], topic_word.shape[0])}, got {doc_topic.shape}: pass one row "
            "for each row of X and one column for each row of topic_word."
        )
    if X.nnz == 0:
        raise ValueError(
            "X holds no words, all counts are 0: pass documents with more words."
        )
    word_topic = np.ascontiguousarray(topic_word.T)
    log_likelihood = 0.0
    for part in gen_batches(X.nnz, max(1, _CHUNK // len(topic_word))):
        p = np.einsum("ik,ik->i", doc_topic[X.row[part]], word_topic[X.col[part]])
        with np.errstate(divide="ignore"):
            log_likelihood += X.data[part] @ np.log(p)
    return float(np.exp(-log_likelihood / X.data.sum()))


def document_completion_perplexity(
    estimator: TopicModel,
    X: MatrixLike,
    *,
    covariates: MatrixLike | None = None,
    random_state: RandomState = 0,
) -> float:
    """Return the perplexity of half of each document's words, given the other half.

    This is the 'document completion' of [1]_. :func:`completion_split` splits the
    words. ``transform`` infers the topic proportions from the first half.
    :func:`held_out_perplexity` computes the perplexity of the second half under the
    mixture of topics. The perplexity depends on no bound and on no prior, so that the
    perplexities of any two models are comparable.

    Parameters
    ----------
    estimator : fitted estimator or Pipeline
        Has `transform`, and `topic_word_` or else `components_`. For a Pipeline, the
        model is the last step, and the counts are those that reach the last step.
    X : {array-like, sparse matrix, DataFrame} of shape (n_documents, n_words)
        Integer counts of documents that the estimator was not fitted on, or the input
        of the Pipeline. The column names of a DataFrame are compared with
        `feature_names_in_`, as in ``transform``.
    covariates : array-like of shape (n_documents, n_covariates), default=None
        Covariates of the documents, for an AmortizedLDA that was fitted with some.
    random_state : int, RandomState instance or None, default=0
        Seed of the split.

    Returns
    -------
    perplexity : float
        Per word; smaller is better.

    Raises
    ------
    ValueError
        If the columns of a DataFrame have other names than in ``fit``, or the same
        names in another order. Otherwise as in :func:`completion_split` and
        :func:`held_out_perplexity`.

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
    model, counts = model_and_counts(estimator, X)
    check_names(model, counts)
    observed, held_out = completion_split(counts, random_state)
    with warnings.catch_warnings():
        # The split counts have no names, and check_names has compared those of X.
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        options = {} if covariates is None else {"covariates": covariates}
        doc_topic = model.transform(observed, **options)
    return held_out_perplexity(doc_topic, topics_of(model), held_out)
