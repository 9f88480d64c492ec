"""Corpora of any size for scaling.py, drawn from a topic model with Zipf's law.

The base measure is the Zipf-Mandelbrot law: the word of rank r has a probability
proportional to (r + q) ** -s. Ranks are drawn by inverting the continuous law and
rounding down, so that the cost of a draw does not depend on the vocabulary. Each of the
K topics is a mixture of two halves: the base measure, and the same law over the words v
with v = k (mod K). Documents have Poisson lengths and theta ~ Dirichlet(alpha). With
5,000 words a batch of 256 documents has 18,700 non-zeros and 4,000 distinct words; in
20 Newsgroups it has 17,300 and 3,900.
"""

from pathlib import Path

import numpy as np
from scipy import sparse

EXPONENT, SHIFT = 1.2, 10.0
N_TOPICS, ALPHA = 50, 0.1
# Documents per draw and per shard; limits the memory of a draw.
CHUNK = 5_000


def draw(n_documents, n_words, *, n_columns=None, length=80, seed=0):
    """Word counts of shape (n_documents, n_columns), as a float32 csr_array.

    `n_columns`, a multiple of `n_words`, spreads the words over more columns; the other
    columns are empty.
    """
    rng = np.random.default_rng(seed)
    sizes = [min(CHUNK, n_documents - start) for start in range(0, n_documents, CHUNK)]
    X = sparse.vstack([_draw_chunk(n, n_words, length, rng) for n in sizes], "csr")
    if n_columns is not None:
        columns = X.indices * (n_columns // n_words)
        X = sparse.csr_array((X.data, columns, X.indptr), (n_documents, n_columns))
    return X


def write_shards(folder, n_documents, n_words, *, length=80):
    """Write word counts as ``shard-*.npz`` with `CHUNK` documents each."""
    for i in range(-(-n_documents // CHUNK)):
        n = min(CHUNK, n_documents - i * CHUNK)
        X = _draw_chunk(n, n_words, length, np.random.default_rng(i))
        sparse.save_npz(Path(folder) / f"shard-{i:05}.npz", X, compressed=False)


def _draw_chunk(n_documents, n_words, length, rng):
    lengths = np.maximum(rng.poisson(length, n_documents), 1)
    ends = np.cumsum(lengths)
    theta = rng.standard_gamma(ALPHA, (n_documents, N_TOPICS), dtype=np.float32)
    words = _draw_words(_draw_topics(theta, lengths, rng), n_words, rng)
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    ones = np.ones(ends[-1], dtype=np.float32)
    X = sparse.csr_array((ones, words, offsets), (n_documents, n_words))
    X.sum_duplicates()
    return X


def _draw_topics(theta, lengths, rng):
    """A topic for each word, by one search in the concatenated distribution functions.

    Row d of `theta` has a distribution function from d to d + 1.
    """
    cumulated = np.cumsum(theta, axis=1, dtype=np.float64) + 1e-30
    cumulated /= cumulated[:, -1:]
    row = np.repeat(np.arange(len(theta)), lengths)
    cumulated += np.arange(len(theta))[:, None]
    found = np.searchsorted(cumulated.ravel(), row + rng.random(len(row)), side="right")
    return np.minimum(found - row * N_TOPICS, N_TOPICS - 1)


def _draw_words(topics, n_words, rng):
    """A word for each topic, from its own words or from the base measure."""
    own = rng.random(len(topics)) < 0.5
    n_ranks = np.where(own, n_words // N_TOPICS, n_words)
    ranks = _draw_ranks(n_ranks, rng)
    return np.where(own, ranks * N_TOPICS + topics, ranks).astype(np.int32)


def _draw_ranks(n_ranks, rng):
    """Zipf-distributed integers from 0 to n_ranks - 1, by inverse transform."""
    tail = (1.0 + n_ranks / SHIFT) ** (1.0 - EXPONENT)
    survival = 1.0 - rng.random(len(n_ranks)) * (1.0 - tail)
    ranks = SHIFT * (survival ** (1.0 / (1.0 - EXPONENT)) - 1.0)
    return np.minimum(ranks.astype(np.int64), n_ranks - 1)
