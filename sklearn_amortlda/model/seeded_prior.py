"""The prior eta with seed words, for topics about these words.

Input: seed words for some topics. Output: an array for `topic_word_prior`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral

import numpy as np
from sklearn.utils import check_array

from ..data.types import MatrixLike


def seeded_topic_word_prior(
    seed_words: Mapping[int, Sequence[str]] | Iterable[Sequence[str]],
    feature_names: Sequence[str] | np.ndarray,
    n_components: int,
    *,
    base: float = 0.03,
    boost: float | None = None,
    X: MatrixLike | None = None,
) -> np.ndarray:
    """Prior eta for topics about given words.

    Pass the array as `topic_word_prior` of AmortizedLDA [1]_. A topic with seed words
    starts from these words and takes up words that co-occur with them. A topic without
    seed words is free. Seeds are a prior and no constraint. Other words join a seeded
    topic, and a seed word leaves its topic if enough documents contradict the prior.

    Parameters
    ----------
    seed_words : dict of int to list of str, or list of list of str
        The seed words of each topic. A dict maps indices of topics to their words; a
        list holds the words of the first topics. A word may seed several topics.
    feature_names : array-like of shape (n_features,)
        The words of the columns of X, such as ``vectorizer.get_feature_names_out()``.
    n_components : int
        Number of topics, seeded and free.
    base : float, default=0.03
        Prior of every word in every topic, before the seeds are added.
    boost : float, default=None
        Pseudo-count added for each seed word in its topic; None is 100, or 1 with X. A
        boost has the weight of `boost` occurrences of the word, so a larger corpus
        needs a larger boost. A boost far above the count of a word in the corpus gives
        a topic of the seed words alone, which no document uses.
    X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
        Counts of the corpus. With X, the pseudo-count of a word is `boost` times its
        occurrences in X. The seeds then have the same strength in a corpus of any size,
        and stay in their topic where the documents say otherwise.

    Returns
    -------
    prior : ndarray of shape (n_components, n_features)
        `base` everywhere, and `base` + the pseudo-count at the seed words.

    Raises
    ------
    ValueError
        If a seed word is not in `feature_names` or occurs twice in one topic, the index
        of a topic is not between 0 and n_components - 1, `base` or `boost` is not
        positive, or X has other columns than `feature_names`.
    TypeError
        If the words of a topic are a string instead of a list.

    Notes
    -----
    A theme that is rare in the corpus does not fill a topic, so the topic also takes
    unrelated words. More topics, more seed words or a larger `boost` help.

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
    >>> X = [[4, 2, 0, 1], [0, 0, 3, 9]]
    >>> seeded_topic_word_prior({1: ["vote", "law"]}, words, 2, base=0.1, X=X)
    array([[ 0.1,  0.1,  0.1,  0.1],
           [ 0.1,  0.1,  3.1, 10.1]])
    """
    if boost is None:
        boost = 100.0 if X is None else 1.0
    if not (base > 0 and boost > 0):
        raise ValueError(
            f"base and boost must be positive, got base={base!r}, boost={boost!r}."
        )
    column_of = {word: v for v, word in enumerate(feature_names)}
    boosts = boost * _occurrences(X, len(feature_names))
    prior = np.full((n_components, len(feature_names)), float(base))
    for topic, words in _items(seed_words):
        _check_topic(topic, words, n_components)
        unknown = [word for word in words if word not in column_of]
        if unknown:
            raise ValueError(
                f"Seed words {unknown} of topic {topic} are not in feature_names. The "
                "vectorizer may have changed them (lower case) or dropped them "
                "(stop_words, min_df, max_df, max_features)."
            )
        columns = [column_of[word] for word in words]
        prior[topic, columns] += boosts[columns]
    return prior


def _occurrences(X, n_features):
    """Occurrences of each word in X; ones without X."""
    if X is None:
        return np.ones(n_features)
    X = check_array(X, accept_sparse=True, input_name="X")
    if X.shape[1] != n_features:
        raise ValueError(
            f"X has {X.shape[1]} columns and feature_names {n_features} words: pass "
            "the counts and the words of one vectorizer."
        )
    return np.asarray(X.sum(axis=0, dtype=np.float64)).ravel()


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
            f"Seed words are given for topic {topic!r}; with n_components="
            f"{n_components} topics have indices from 0 to {n_components - 1}."
        )
    if len(set(words)) < len(words):
        raise ValueError(
            f"Topic {topic} has a seed word twice: {words}; remove the repetition."
        )
