"""Whether a training has diverged.

Input: the bound of the last epoch and the counts of the words. Output: a warning.
"""

from __future__ import annotations

import numpy as np


def divergence_warning(bound: float, word_counts) -> str | None:
    """A warning if the bound is far below that of a model without topics.

    A diverged encoder is finite, so the bound is compared with the unigram model, in
    which each word has its share of the corpus. The bound of short documents is loose,
    hence the factor 2.

    Parameters
    ----------
    bound : float
        In nats per word.
    word_counts : ndarray of shape (n_features,)
        Occurrences of each word.
    """
    shares = word_counts[word_counts > 0] / word_counts.sum()
    unigram = shares @ np.log(shares)
    if bound >= 2.0 * min(unigram, -2.5):
        return None
    return (
        f"Training ended with a bound of {bound:.3f} nats per word, far below the "
        f"{unigram:.3f} of a model without topics; lower learning_rate_init."
    )
