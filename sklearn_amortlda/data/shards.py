"""Shards of a corpus in place of X, each loaded by the process that trains on it.

Input: a list of sparse matrices, of functions that return them, or of Dask's delayed
objects. Output: the shards of each process, and the counts of the shards of one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array

from .validation import canonical_counts, well_formed


def is_shards(X) -> bool:
    """Whether X is a list or tuple of sparse matrices, or of objects that load them."""
    return isinstance(X, (list, tuple)) and any(map(_is_shard, X))


def refuse_shards(X, whom: str) -> None:
    """Raise a ValueError if X is a list of shards, which only `fit` takes."""
    if is_shards(X):
        raise ValueError(
            f"X is a list of shards, which {whom} does not take: call fit with the "
            "shards, and other methods with one matrix, such as each shard in turn."
        )


def _is_shard(value):
    return sp.issparse(value) or callable(value) or hasattr(value, "compute")


@dataclass(frozen=True)
class Shards:
    """Some of the shards of a corpus.

    Attributes
    ----------
    shards : list
        Sparse matrices, functions without parameters, or objects with a method
        `compute`.
    numbers : list of int
        The places of these shards in the list that the user has passed.
    """

    shards: list
    numbers: list

    @classmethod
    def of(cls, X) -> Shards:
        """All shards of a list.

        Raises
        ------
        ValueError
            If an item is no shard.
        """
        for number, shard in enumerate(X):
            if not _is_shard(shard):
                raise ValueError(
                    f"Item {number} of X is a {type(shard).__name__}, and other items "
                    "are shards: pass sparse matrices, functions that return them, or "
                    "delayed objects."
                )
        return cls(list(X), list(range(len(X))))

    def __len__(self):
        return len(self.shards)

    def dealt(self, n_parts: int) -> list[Shards]:
        """Every n-th shard for each of `n_parts` processes."""
        return [
            Shards(self.shards[part::n_parts], self.numbers[part::n_parts])
            for part in range(n_parts)
        ]

    def load(self, n_features: int | None = None) -> sp.csr_array:
        """The counts of all these shards, one below the other.

        Parameters
        ----------
        n_features : int, default=None
            Columns that each shard must have; None is the number of the first one.

        Raises
        ------
        ValueError
            If a shard is no matrix of counts, or has another number of columns, or no
            shard has words.
        """
        parts = []
        for number, shard in zip(self.numbers, self.shards):
            counts = _load(shard, number)
            n_features = counts.shape[1] if n_features is None else n_features
            if counts.shape[1] != n_features:
                raise ValueError(
                    f"Shard {number} has {counts.shape[1]} columns, and other shards "
                    f"have {n_features}: count the words of all shards with one "
                    "vocabulary."
                )
            parts.append(counts)
        if not any(counts.nnz for counts in parts):
            raise ValueError(
                f"The shards {self.numbers}, all those of a process, have no words: "
                "check the vectorizer's vocabulary, or distribute the documents evenly "
                "over the shards, or lower n_jobs."
            )
        return sp.vstack(parts, format="csr")


def _load(shard, number):
    # First, because Dask's delayed objects are callable too.
    if hasattr(shard, "compute"):
        shard = shard.compute()
    elif callable(shard):
        shard = shard()
    if not sp.issparse(shard):
        raise ValueError(
            f"Shard {number} is a {type(shard).__name__}: return a sparse matrix of "
            "counts."
        )
    options = {
        "accept_sparse": "csr",
        "dtype": [np.float64, np.float32],
        # A filter may have left no documents.
        "ensure_min_samples": 0,
    }
    try:
        shard = check_array(well_formed(shard), **options)
        counts = canonical_counts(shard, whom="AmortizedLDA.fit")
    except ValueError as error:
        raise ValueError(f"Shard {number}: {error}") from error
    return counts.astype(shard.dtype, copy=False)
