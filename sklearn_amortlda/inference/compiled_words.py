"""Draws of the topic of every word, in loops that numba compiles.

Input: theta, beta and the non-zeros of counts. Output: counts of words in topics.
Importing this file needs numba.
"""

from __future__ import annotations

import numpy as np

from ..runtime.compiled import kernel
from .compiled_random import TINY, uniform


def draw_counts(theta, beta, occurrences, rng: np.random.Generator):
    """Draw the topics of all words, and count them by document and by word.

    The parameters and results are those of `word_topics.draw_counts`. The draws differ.
    """
    by_document = np.zeros(theta.shape, np.int64)
    by_word = np.zeros(beta.shape, np.int64)
    state = rng.integers(2**63, size=1, dtype=np.uint64)
    _draw(
        theta,
        beta,
        occurrences.documents,
        occurrences.words,
        occurrences.counts,
        state,
        by_document,
        by_word,
    )
    return by_document, by_word


@kernel
def _draw(theta, beta, documents, words, counts, state, by_document, by_word):
    n_topics = theta.shape[1]
    cumulative = np.empty(n_topics)
    for i in range(len(counts)):
        d, v = documents[i], words[i]
        total = TINY
        for k in range(n_topics):
            total += theta[d, k] * beta[v, k]
            cumulative[k] = total
        for _ in range(counts[i]):
            threshold = uniform(state) * total
            k = 0
            while k < n_topics - 1 and cumulative[k] < threshold:
                k += 1
            by_document[d, k] += 1
            by_word[v, k] += 1
