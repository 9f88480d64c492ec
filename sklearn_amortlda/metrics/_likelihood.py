"""Topics, counts and a prior in; log-likelihoods of whole documents out."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from ..data.types import MatrixLike, RandomState, TopicModel
from ..inference.posterior import draw_dirichlet, draw_seed
from ._checks import check_counts, check_integers, simplex
from ._models import check_names, model_and_counts, topics_of

# Relative growth of the number of words between two sweeps.
_GROWTH = 0.05


def held_out_log_likelihood(
    model: TopicModel | ArrayLike,
    X: MatrixLike,
    *,
    doc_topic_prior: ArrayLike | None = None,
    n_particles: int = 50,
    random_state: RandomState = 0,
) -> np.ndarray:
    r"""Return log-likelihoods of documents under LDA, by the left-to-right estimator.

    The function estimates, for each document,

    .. math:: \log p(w_d | \alpha, \beta) = \log \int \mathrm{Dir}(\theta | \alpha)
              \prod_v \Big(\sum_k \theta_k \beta_{kv}\Big)^{c_{dv}} d\theta

    The estimate depends on the topics and the prior only, not on a bound, an encoder
    or an inference algorithm. The estimates of any two models are thus comparable. A
    model's own bound can be compared with the estimate.

    Parameters
    ----------
    model : fitted estimator, Pipeline, or array-like of shape (n_topics, n_words)
        The topics beta are `topic_word_`, or else `components_`, of an estimator, or
        the array. This function normalizes each row.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Integer counts of documents that the topics were not fitted on, or the input of
        the Pipeline.
    doc_topic_prior : float or array-like of shape (n_topics,), default=None
        alpha, the Dirichlet prior of the documents' topic proportions. None takes
        `doc_topic_prior_` of the estimator. gensim's LdaModel stores it as `alpha`.
    n_particles : int, default=50
        Number of particles for each document. The error of the estimate of p is
        proportional to 1 / sqrt(n_particles).
    random_state : int, RandomState instance or None, default=0
        Pass an int for the same estimate in every call.

    Returns
    -------
    log_likelihood : ndarray of shape (n_documents,)
        In nats. The likelihood is that of a sequence of words, without the multinomial
        coefficient. The value is 0 for a document without words. The value is -inf if
        a word of the document has weight 0 in every topic.

    Raises
    ------
    ValueError
        If the numbers of words of the topics and X differ, a value is negative or not
        finite, a count is not an integer, a row of the topics sums to zero,
        `doc_topic_prior` is missing, not positive or of another shape, or `n_particles`
        is not a positive integer.

    Notes
    -----
    The estimator is a particle filter over the words of a document, in random order.
    Each particle holds one topic for every word so far, and :math:`n_k` is the number
    of words with topic k. A particle predicts the next word v with probability
    :math:`\sum_k \beta_{kv} (n_k + \alpha_k) / \sum_k (n_k + \alpha_k)`, and then
    draws the topic of this word [1]_. A Gibbs sweep draws the topics of all words so
    far again, each time that the number of words has grown by 5 %. Resampling replaces
    particles of small weight [2]_.

    The estimate of p is unbiased: the expectation is :math:`p(w_d | \alpha, \beta)`
    for any number of particles. By Jensen's inequality, the expectation of the
    logarithm is lower than :math:`\log p(w_d | \alpha, \beta)`. The difference is
    about half the squared relative error of the estimate of p, and decreases with the
    number of particles. By Markov's inequality, the estimate exceeds
    :math:`\log p(w_d | \alpha, \beta)` by t nats with a probability of at most
    exp(-t). The spread over several values of `random_state` estimates the error.

    The run time is proportional to words (sum of the counts) x topics x particles.

    References
    ----------
    .. [1] H. M. Wallach, I. Murray, R. Salakhutdinov & D. Mimno (2009). Evaluation
       methods for topic models. ICML. (Section 4. The paper runs a sweep at every
       word and does not resample.)
    .. [2] W. Buntine (2009). Estimating likelihoods for topic models. ACML; P. Del
       Moral (2004). Feynman-Kac formulae. (Section 7.4 proves that the estimate is
       unbiased.)

    Examples
    --------
    The two words of the first document have the same topic, those of the second
    document have different topics. The exact values are log 0.375 and log 0.125.

    >>> from sklearn_amortlda.metrics import held_out_log_likelihood
    >>> held_out_log_likelihood(
    ...     [[1, 0], [0, 1]], [[2, 0], [1, 1]], doc_topic_prior=0.5, n_particles=1000
    ... ).round(1)
    array([-1. , -2.1])
    """
    topic_word, X, doc_topic_prior = _of_model(model, X, doc_topic_prior)
    topic_word = simplex(topic_word, "topic_word")
    X = check_counts(X, n_words=topic_word.shape[1])
    check_integers(X, "each word token has one topic")
    alpha = _check_prior(doc_topic_prior, n_topics=len(topic_word))
    if not isinstance(n_particles, Integral) or n_particles < 1:
        raise ValueError(
            f"n_particles must be a positive integer, got {n_particles!r}."
        )
    rng = np.random.default_rng(draw_seed(random_state))
    log_likelihood = np.empty(X.shape[0])
    for d, (begin, end) in enumerate(zip(X.indptr, X.indptr[1:])):
        counts = X.data[begin:end].astype(np.int64)
        words = rng.permutation(np.repeat(X.indices[begin:end], counts))
        beta = np.ascontiguousarray(topic_word[:, words].T)
        log_likelihood[d] = _left_to_right(beta, alpha, n_particles, rng)
    return log_likelihood


def _of_model(model, X, doc_topic_prior):
    """Return the topics, counts and prior of an estimator, or of an array of topics."""
    if not hasattr(model, "fit"):
        if doc_topic_prior is None:
            raise ValueError(
                "doc_topic_prior is missing: pass alpha with an array of topics, or "
                "pass a fitted estimator, which has doc_topic_prior_."
            )
        return model, X, doc_topic_prior
    check_is_fitted(model)
    fitted, counts = model_and_counts(model, X)
    check_names(fitted, counts)
    if doc_topic_prior is None:
        doc_topic_prior = fitted.doc_topic_prior_
    return topics_of(fitted), counts, doc_topic_prior


def _left_to_right(beta, alpha, n_particles, rng):
    """Return the log of the estimate of p for one document.

    Parameters
    ----------
    beta : ndarray of shape (n_words, n_topics)
        Probability of each word of the document in each topic.
    alpha : ndarray of shape (n_topics,)
    n_particles : int
    rng : numpy.random.Generator
    """
    if not beta.any(axis=1).all():
        return -np.inf
    n_topic = np.tile(alpha, (n_particles, 1))
    log_p, weights = 0.0, np.ones(n_particles)
    last_sweep = 0
    for n, beta_n in enumerate(beta):
        if n - last_sweep > _GROWTH * last_sweep:
            n_topic = alpha + _sweep(n_topic, beta[:n], rng)
            last_sweep = n
        joint = n_topic * beta_n
        weights = weights * joint.sum(axis=1) / n_topic.sum(axis=1)
        # Weights with mean 1 do not underflow in long documents.
        mean = weights.mean()
        log_p, weights = log_p + np.log(mean), weights / mean
        n_topic += _draw_topics(joint, rng)
        if (weights**2).sum() > 2 * n_particles:
            n_topic = n_topic[_resample(weights, rng)]
            weights = np.ones(n_particles)
    return log_p


def _sweep(n_topic, beta, rng):
    """Return topic counts after a Gibbs sweep, shape (n_particles, n_topics).

    The sweep draws theta given the topics, then the topics of all words given theta.
    The posterior given the words so far is invariant under both steps.
    """
    joint = draw_dirichlet(n_topic, rng)[:, np.newaxis] * beta
    return _draw_topics(joint, rng).sum(axis=1)


def _draw_topics(joint, rng):
    """Return one-hot topics, drawn in proportion to the entries of the last axis."""
    cumulative = joint.cumsum(axis=-1)
    # A threshold of 0 would draw the first topic even if its probability is 0.
    threshold = (1.0 - rng.random((*joint.shape[:-1], 1))) * cumulative[..., -1:]
    reached = cumulative >= threshold
    reached[..., 1:] ^= reached[..., :-1].copy()
    return reached


def _resample(weights, rng):
    """Return indices of particles, by systematic resampling."""
    cumulative = weights.cumsum() / weights.sum()
    positions = (np.arange(len(weights)) + rng.random()) / len(weights)
    # Rounding can make the last cumulative weight less than 1.
    return np.minimum(np.searchsorted(cumulative, positions), len(weights) - 1)


def _check_prior(alpha, n_topics):
    alpha = np.asarray(alpha, dtype=np.float64)
    if alpha.shape not in [(), (n_topics,)]:
        raise ValueError(
            f"doc_topic_prior must be a number or of shape {(n_topics,)}, one for each "
            f"row of topic_word; got shape {alpha.shape}."
        )
    if not np.all((alpha > 0) & np.isfinite(alpha)):
        raise ValueError(f"doc_topic_prior must be positive and finite, got {alpha}.")
    return np.broadcast_to(alpha, (n_topics,))
