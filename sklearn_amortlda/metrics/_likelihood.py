"""Held-out log-likelihood of whole documents, their topics integrated out."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from .._posterior import draw_dirichlet
from ._checks import check_counts, check_integers, simplex

# Words that a document gains between two sweeps, as a share of those it has.
_GROWTH = 0.05


def held_out_log_likelihood(
    topic_word, X, *, doc_topic_prior, n_particles=50, random_state=0
):
    r"""Log-likelihood of documents under LDA, by the left-to-right estimator.

    Estimates, for each document,

    .. math:: \log p(w_d | \alpha, \beta) = \log \int \mathrm{Dir}(\theta | \alpha)
              \prod_v \Big(\sum_k \theta_k \beta_{kv}\Big)^{c_{dv}} d\theta

    which no bound, no encoder and no rule of inference enters: any two models compare,
    and a model's own bound can be held against it.

    Parameters
    ----------
    topic_word : array-like of shape (n_topics, n_words)
        beta, word weights of the topics, normalized here to the simplex.
    X : {array-like, sparse matrix} of shape (n_documents, n_words)
        Integer counts of documents that the topics were not learned from.
    doc_topic_prior : float or array-like of shape (n_topics,)
        alpha, the Dirichlet prior of the documents' topics: `doc_topic_prior_` of
        AmortizedLDA and of scikit-learn's LatentDirichletAllocation, `alpha` of
        gensim's LdaModel.
    n_particles : int, default=50
        States in parallel for each document. The error of the estimate of p falls
        with their square root.
    random_state : int, RandomState instance or None, default=0
        Pass an int for the same estimate in every call.

    Returns
    -------
    log_likelihood : ndarray of shape (n_documents,)
        Nats a document, of its words in their order: without the multinomial
        coefficient. 0 for a document without words; -inf if no topic has one of its
        words.

    Raises
    ------
    ValueError
        If the numbers of words of `topic_word` and X differ, a value is negative or
        not finite, a count is no integer, a row of `topic_word` sums to zero,
        `doc_topic_prior` is not positive or of another shape, or `n_particles` is not
        a positive integer.

    Notes
    -----
    The words of a document come one by one, in random order. Each particle holds a
    topic for every word so far, and predicts the next by :math:`\sum_k
    \beta_{kv} (n_k + \alpha_k) / \sum_k (n_k + \alpha_k)`, :math:`n_k` its number of
    words of topic k; then it draws a topic for that word, and now and then topics anew
    for all words so far [1]_. Particles that predict badly are replaced by better ones
    as in [2]_.

    The estimate of p is unbiased: its expectation is :math:`p(w_d | \alpha, \beta)`
    for any number of particles. By Jensen's inequality that of its logarithm is lower,
    by about half the squared relative error of the estimate of p; more particles raise
    it towards the truth. By Markov's inequality it exceeds the truth by t nats with a
    probability of at most exp(-t). The spread over a few values of `random_state` is
    the error to quote.

    Time is proportional to words (sum of the counts) x topics x particles.

    References
    ----------
    .. [1] H. M. Wallach, I. Murray, R. Salakhutdinov & D. Mimno (2009). Evaluation
       methods for topic models. ICML. (Section 4; there with a sweep at every word
       and without replacement.)
    .. [2] W. Buntine (2009). Estimating likelihoods for topic models. ACML; P. Del
       Moral (2004). Feynman-Kac formulae, section 7.4, for its being unbiased.

    Examples
    --------
    Two words of one topic and of two; the exact values are log 0.375 and log 0.125.

    >>> from sklearn_amortlda.metrics import held_out_log_likelihood
    >>> held_out_log_likelihood(
    ...     [[1, 0], [0, 1]], [[2, 0], [1, 1]], doc_topic_prior=0.5, n_particles=1000
    ... ).round(1)
    array([-1. , -2.1])
    """
    topic_word = simplex(topic_word, "topic_word")
    X = check_counts(X, n_words=topic_word.shape[1])
    check_integers(X, "every single word has a topic")
    alpha = _check_prior(doc_topic_prior, n_topics=len(topic_word))
    if not isinstance(n_particles, Integral) or n_particles < 1:
        raise ValueError(
            f"n_particles must be a positive integer, got {n_particles!r}."
        )
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    log_likelihood = np.empty(X.shape[0])
    for d, (begin, end) in enumerate(zip(X.indptr, X.indptr[1:])):
        counts = X.data[begin:end].astype(np.int64)
        words = rng.permutation(np.repeat(X.indices[begin:end], counts))
        beta = np.ascontiguousarray(topic_word[:, words].T)
        log_likelihood[d] = _left_to_right(beta, alpha, n_particles, rng)
    return log_likelihood


def _left_to_right(beta, alpha, n_particles, rng):
    """Log of the estimate for one document; beta of shape (n_words, n_topics)."""
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
        # Kept near 1, lest a long document's underflow.
        mean = weights.mean()
        log_p, weights = log_p + np.log(mean), weights / mean
        n_topic += _draw_topics(joint, rng)
        if (weights**2).sum() > 2 * n_particles:
            n_topic = n_topic[_resample(weights, rng)]
            weights = np.ones(n_particles)
    return log_p


def _sweep(n_topic, beta, rng):
    """Topics of all words drawn anew, counted, shape (n_particles, n_topics).

    theta given the topics, then the topics given theta: Gibbs steps that leave the
    posterior of the words so far as it is, for all words at once.
    """
    joint = draw_dirichlet(n_topic, rng)[:, np.newaxis] * beta
    return _draw_topics(joint, rng).sum(axis=1)


def _draw_topics(joint, rng):
    """One topic for each row of the last axis, proportional to it, as a one-hot row."""
    cumulative = joint.cumsum(axis=-1)
    # In (0, 1]: a zero would draw the first topic even where that has probability 0.
    threshold = (1.0 - rng.random((*joint.shape[:-1], 1))) * cumulative[..., -1:]
    reached = cumulative >= threshold
    reached[..., 1:] ^= reached[..., :-1].copy()
    return reached


def _resample(weights, rng):
    """Indices of particles in proportion to their weights, by systematic sampling."""
    cumulative = weights.cumsum() / weights.sum()
    places = (np.arange(len(weights)) + rng.random()) / len(weights)
    # Rounding may leave the last cumulative weight below 1.
    return np.minimum(np.searchsorted(cumulative, places), len(weights) - 1)


def _check_prior(alpha, n_topics):
    alpha = np.asarray(alpha, dtype=np.float64)
    if alpha.shape not in [(), (n_topics,)]:
        raise ValueError(
            f"doc_topic_prior must be a number or of shape {(n_topics,)}, one for each "
            f"row of topic_word; got {alpha.shape}."
        )
    if not np.all((alpha > 0) & np.isfinite(alpha)):
        raise ValueError("doc_topic_prior must be positive and finite.")
    return np.broadcast_to(alpha, (n_topics,))
