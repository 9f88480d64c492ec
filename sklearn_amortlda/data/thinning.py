"""The words of documents, split at random into two halves.

Input: counts. Output: the counts of one half; the other half is the difference.
"""

from __future__ import annotations

import numpy as np

# Seven bits of a random byte are coin tosses for the words of a count, and the eighth
# is for its fractional part. Larger counts take a binomial draw.
_MAX_TOSSES = 7
_HEADS = np.array([byte.bit_count() for byte in range(256)], np.uint8)


def thin(counts, rng: np.random.Generator):
    """A random half of every count: each word is kept with probability 1/2.

    The fractional part of a count is kept or dropped as one word.

    Parameters
    ----------
    counts : ndarray of shape (nnz,)
        Counts, positive.
    rng : numpy.random.Generator

    Returns
    -------
    half : ndarray of shape (nnz,)
        Between 0 and `counts`, of the same dtype.
    """
    bits = np.frombuffer(rng.bytes(len(counts)), np.uint8)
    whole = np.minimum(counts, _MAX_TOSSES).astype(np.uint8)
    tossed = np.left_shift(np.uint8(1), whole) - np.uint8(1)
    half = _HEADS.take(bits & tossed).astype(counts.dtype)
    fraction = counts - whole
    more = np.flatnonzero(fraction > 0)
    if len(more):
        half[more] += fraction[more] * (bits[more] >> _MAX_TOSSES)
        many = more[fraction[more] >= 1.0]
        half[many] = _thin_large(counts[many], rng)
    return half


def _thin_large(counts, rng):
    # Above 1e9 a draw differs from the exact half by little, relative to the count.
    whole = np.floor(np.minimum(counts, 1e9))
    fraction = np.where(counts < 1e9, counts - whole, 0.0)
    tossed = rng.binomial(whole.astype(np.int64), 0.5)
    tossed = tossed + fraction * rng.integers(0, 2, len(counts))
    return np.where(counts > 1e9, counts / 2, tossed)
