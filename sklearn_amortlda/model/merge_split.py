"""Duplicate topics are merged, and the freed topic takes half of a large topic.

Input: the topics. Output: the moves that were made, for the encoder and alpha to apply.
Two equal topics are a local optimum, in which another topic covers two themes.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from .topics import Topics

# Topics are duplicates if their cosine over top words exceeds this.
_DUPLICATE_COSINE = 0.9
_N_TOP_WORDS = 20


def merge_and_split(
    topics: Topics, already_split: set[int], rng: np.random.Generator
) -> list[tuple[int, int, int]]:
    """Merge each duplicate into its twin, and split the largest topic.

    A topic that covers two themes is large, so the largest topic that was not split
    before is split. The freed topic takes a random share of each of its words. If the
    topic covers one theme only, its halves become duplicates in later training.

    Parameters
    ----------
    topics : Topics
        Changed in place.
    already_split : set of int
        Topics that were split before in this training. The new ones are added.
    rng : numpy.random.Generator
        Draws the share of each word.

    Returns
    -------
    moves : list of (freed, twin, split)
        Indices of topics.
    """
    moves, taken = [], set()
    for twin, freed in _duplicates(topics):
        if twin in taken or freed in taken:
            continue
        by_size = topics.sizes.argsort(descending=True).tolist()
        excluded = already_split | taken | {twin, freed}
        split = next((topic for topic in by_size if topic not in excluded), None)
        if split is None:
            break
        moves.append((freed, twin, split))
        taken.update((freed, twin, split))
        already_split.add(split)

    def move(counts):
        for freed, twin, split in moves:
            share = torch.from_numpy(rng.uniform(0.3, 0.7, len(counts))).to(counts)
            counts[:, twin] += counts[:, freed]
            counts[:, freed] = share * counts[:, split]
            counts[:, split] *= 1.0 - share

    if moves:
        topics.map_counts(move)
    return moves


def _duplicates(topics):
    """Pairs of topics with similar top words, the most similar first."""
    words = _top_words(topics)
    if words is None:
        return []
    lam = topics.concentration(words)
    unit = torch.nn.functional.normalize(lam, dim=0)
    cosines = torch.triu(unit.T @ unit, diagonal=1).cpu().numpy()
    pairs = np.argwhere(cosines > _DUPLICATE_COSINE)
    return pairs[np.argsort(-cosines[tuple(pairs.T)])].tolist()


def _top_words(topics):
    """Words that are among the top words of any topic; None if no word has occurred."""
    top, threshold = None, -math.inf
    # Topics of one class are no duplicates.
    for words in topics.known_words(with_labels=False):
        # A word below every topic's threshold is no top word, and is not sorted.
        candidates = words[(topics.expected_counts(words) > threshold).any(1)]
        words = candidates if top is None else torch.cat([top, candidates])
        # Topics of NaN have no candidates; the end of the epoch raises an error.
        if not len(words):
            continue
        counts = topics.expected_counts(words)
        best, positions = counts.topk(min(_N_TOP_WORDS, len(words)), dim=0)
        top, threshold = words[positions.unique()], best[-1]
    return top
