"""A fitted model goes in; scores that rank the words of its topics come out."""

from __future__ import annotations

import numpy as np

from ..data.types import TopicModel
from ..metrics._checks import check_topics, top_indices
from ..metrics._models import model_of, topics_of

RANKINGS = ("lift", "probability")


def topic_lift(model: TopicModel, *, prior_count: float = 5.0) -> np.ndarray:
    r"""Return how many times more frequent each word is in a topic than in the corpus.

    With :math:`n_{kv}` the count of word v in topic k, the lift is

    .. math:: \frac{n_{kv} + c}{e_{kv} + c}, \qquad
              e_{kv} = \frac{\sum_w n_{kw} \sum_j n_{jv}}{\sum_{jw} n_{jw}}.

    :math:`e_{kv}` is the count that is expected if all topics have the words of the
    corpus. If the count is Poisson with mean :math:`e_{kv}` times a ratio, and the
    ratio has a Gamma prior with shape and rate c, then the lift is the posterior mean
    of the ratio [1]_. So the lift of a rare word, which a few occurrences can make
    large by chance, is shrunk towards 1, and that of a frequent word is not.

    Parameters
    ----------
    model : fitted estimator or Pipeline
        The counts are its `components_`, which are pseudo-counts in LDA; else its
        `topic_word_`, whose small values order words by :math:`n_{kv} - e_{kv}`.
    prior_count : float, default=5.0
        c, positive. Words with fewer occurrences are shrunk most. Small values give
        rarer words that fewer topics share, and large values more frequent words.

    Returns
    -------
    lift : ndarray of shape (n_topics, n_features)
        Positive. It is 1 for a word that is as frequent in the topic as in the corpus.

    Raises
    ------
    ValueError
        If `prior_count` is not positive and finite.

    See Also
    --------
    top_words : Ranks words by this lift.
    topic_relevance : The lift of LDAvis without shrinkage, which needs documents.

    References
    ----------
    .. [1] W. DuMouchel (1999). Bayesian data mining in large frequency tables. The
       American Statistician 53.

    Examples
    --------
    The word "the" is frequent in both topics, and "cat" and "dog" each in one.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from sklearn_amortlda.inspection import topic_lift
    >>> model = SimpleNamespace(components_=np.array([[60, 40, 0], [60, 0, 40]]))
    >>> topic_lift(model).round(1)  # words: the, cat, dog
    array([[1. , 1.8, 0.2],
           [1. , 0.2, 1.8]])
    """
    if not 0 < prior_count < np.inf:
        raise ValueError(f"prior_count must be positive, got {prior_count!r}.")
    counts = check_topics(_counts_of(model), "the model's topics")
    total = counts.sum()
    # A model of zeros has no words, and all its lifts are 1.
    shares = counts.sum(axis=0) / (total or 1.0)
    expected = np.outer(counts.sum(axis=1), shares)
    return (counts + prior_count) / (expected + prior_count)


def ranked_words(model, n_words, ranking):
    """Return the columns of the top words of each topic, best word first.

    Parameters
    ----------
    model : fitted estimator or Pipeline
    n_words : int
    ranking : {'lift', 'probability'} or array-like of shape (n_topics, n_features)

    Raises
    ------
    ValueError
        If `ranking` is unknown or has another shape, or `n_words` is not an integer
        from 1 to the number of words.
    """
    return top_indices(_scores(model, ranking), n_words, "n_words")


def _scores(model, ranking):
    topics = np.asarray(topics_of(model))
    if isinstance(ranking, str):
        if ranking not in RANKINGS:
            raise ValueError(
                f"ranking must be one of {', '.join(map(repr, RANKINGS))}, or an array "
                f"of scores, got {ranking!r}."
            )
        # A single topic has the words of the corpus, and all its lifts are 1.
        by_lift = ranking == "lift" and len(topics) > 1
        return topic_lift(model) if by_lift else topics
    scores = np.asarray(ranking)
    if scores.shape != topics.shape:
        raise ValueError(
            "ranking must have one row per topic and one column per word, shape "
            f"{topics.shape}, got {scores.shape}."
        )
    return scores


def _counts_of(model):
    fitted = model_of(model)
    return fitted.components_ if hasattr(fitted, "components_") else topics_of(fitted)
