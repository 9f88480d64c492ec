"""Topics seeded with words: a prior that expects them."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral

import numpy as np


def seeded_topic_word_prior(
    seed_words, feature_names, n_components, *, base=0.03, boost=100.0
):
    """Prior of topics that are to be about given words.

    The array is for `topic_word_prior` of AmortizedLDA [1]_. A topic with seed words
    starts from them and gathers what occurs with them; a topic without is free. Seeds
    are a prior, not a constraint: other words join a seeded topic, and a seed word
    leaves it where the documents say otherwise often enough.

    Parameters
    ----------
    seed_words : dict of int to list of str, or list of list of str
        The seed words of topics, by index; a list is of the first topics. A word may
        seed several topics.
    feature_names : array-like of shape (n_features,)
        The words of the columns of X, such as ``vectorizer.get_feature_names_out()``.
    n_components : int
        Number of topics, seeded ones and free ones.
    base : float, default=0.03
        Prior of every word in every topic, as `topic_word_prior` without seeds.
    boost : float, default=100
        Pseudo-count added for each seed word in its topic: how many occurrences of the
        word the prior is worth. It competes with those in the corpus, so it should
        grow with it. Much more than a word occurs makes a topic of the seed words
        alone, of which no document speaks.

    Returns
    -------
    prior : ndarray of shape (n_components, n_features)
        `base`, and `base` + `boost` at the seeds.

    Raises
    ------
    ValueError
        If a seed word is not among `feature_names` or is given twice for one topic, a
        topic's index is not from 0 to n_components - 1, or `base` or `boost` is not
        positive.
    TypeError
        If a topic's words are one string instead of a list.

    Notes
    -----
    A theme that is rare in the corpus does not fill a topic, which takes other words
    in: more topics, more seed words for the theme, or a larger `boost` help.

    References
    ----------
    .. [1] J. Jagarlamudi, H. Daume & R. Udupa (2012). Incorporating lexical priors
       into topic models. EACL.

    Examples
    --------
    >>> from sklearn_amortlda import seeded_topic_word_prior
    >>> words = ["ball", "goal", "law", "vote"]
    >>> seeded_topic_word_prior({1: ["vote", "law"]}, words, 2, base=0.1, boost=5)
    array([[0.1, 0.1, 0.1, 0.1],
           [0.1, 0.1, 5.1, 5.1]])
    """
    if not (base > 0 and boost > 0):
        raise ValueError(
            f"base and boost must be positive, got base={base!r}, boost={boost!r}."
        )
    column_of = {word: v for v, word in enumerate(feature_names)}
    prior = np.full((n_components, len(feature_names)), float(base))
    for topic, words in _items(seed_words):
        _check_topic(topic, words, n_components)
        unknown = [word for word in words if word not in column_of]
        if unknown:
            raise ValueError(
                f"Seed words {unknown} of topic {topic} are not among feature_names. "
                "The vectorizer may write them otherwise (lower case) or have left "
                "them out (stop_words, min_df, max_df, max_features)."
            )
        prior[topic, [column_of[word] for word in words]] += boost
    return prior


def _items(seed_words):
    if isinstance(seed_words, Mapping):
        return seed_words.items()
    return enumerate(seed_words)


def _check_topic(topic, words, n_components):
    if isinstance(words, str):
        raise TypeError(
            f"Seed words of topic {topic} must be a list of words, got the string "
            f"{words!r}."
        )
    if not isinstance(topic, Integral) or not 0 <= topic < n_components:
        raise ValueError(
            f"Seed words are given for topic {topic!r}, but n_components="
            f"{n_components} topics are numbered from 0 to {n_components - 1}."
        )
    if len(set(words)) < len(words):
        raise ValueError(f"A word is given twice among those of topic {topic}: {words}")
