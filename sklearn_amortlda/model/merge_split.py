"""Duplicate topics: merged, and the freed topic given half of a large one.

Input: the topics. Output: the moves that were made, which the encoder and alpha follow.
Two equal topics are a local optimum, in which another topic stands for two themes.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from .topics import Topics

# Topics whose cosine over top words exceeds this are duplicates.
_DUPLICATE_COSINE = 0.9
_N_TOP_WORDS = 20


def merge_and_split(
    topics: Topics, already_split: set[int], rng: np.random.Generator
) -> list[tuple[int, int, int]]:
    """Merge each duplicate into its twin, and split the largest topic in its place.

    A topic that stands for two themes is large, so the largest topic that was not split
    before is split. Each of its words gives a random share to the freed topic. A topic
    that stood for one theme becomes a pair of duplicates again.

    Parameters
    ----------
    topics : Topics
        Changed in place.
    already_split : set of int
        Topics that were split before in this training; extended.
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
    """Pairs of topics that are alike in their top words, the most alike first."""
    lam = topics.concentration(_top_words(topics))
    unit = torch.nn.functional.normalize(lam, dim=0)
    cosines = torch.triu(unit.T @ unit, diagonal=1).cpu().numpy()
    pairs = np.argwhere(cosines > _DUPLICATE_COSINE)
    return pairs[np.argsort(-cosines[tuple(pairs.T)])].tolist()


def _top_words(topics):
    """Words that are among the top words of any topic."""
    top, threshold = None, -math.inf
    for words in topics.known_words():
        # Words below every threshold need no sorting.
        candidates = words[(topics.expected_counts(words) > threshold).any(1)]
        words = candidates if top is None else torch.cat([top, candidates])
        counts = topics.expected_counts(words)
        best, positions = counts.topk(min(_N_TOP_WORDS, len(words)), dim=0)
        top, threshold = words[positions.unique()], best[-1]
    return top
