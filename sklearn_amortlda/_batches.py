"""Mini-batches: rows of a CSR matrix, cut down to the words that occur in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
import torch


@dataclass(frozen=True)
class WordMajor:
    """The non-zeros of a batch sorted by word: what sums over documents read.

    Attributes
    ----------
    offsets : Tensor of shape (n_words + 1,)
        Where each word's non-zeros begin.
    documents : Tensor of shape (nnz,)
        The document of each non-zero, word by word.
    order : Tensor of shape (nnz,)
        Position of each of them among the document-major non-zeros.
    """

    offsets: torch.Tensor
    documents: torch.Tensor
    order: torch.Tensor


@dataclass(frozen=True)
class Batch:
    """Word counts of a few documents over their own distinct words.

    Attributes
    ----------
    vocabulary : Tensor of shape (n_words,)
        Columns of X that occur in the batch, ascending.
    offsets : Tensor of shape (n_documents + 1,)
        Where each document's non-zeros begin.
    words : Tensor of shape (nnz,)
        The word of each non-zero, as a position in `vocabulary`.
    documents : Tensor of shape (nnz,)
        The document of each non-zero.
    counts : Tensor of shape (nnz,)
        The counts, floating.
    lengths : Tensor of shape (n_documents,)
        Sum of the counts of each document.
    by_word : WordMajor or None
        The same non-zeros sorted by word; only training needs them.
    """

    vocabulary: torch.Tensor
    offsets: torch.Tensor
    words: torch.Tensor
    documents: torch.Tensor
    counts: torch.Tensor
    lengths: torch.Tensor
    by_word: WordMajor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Documents and distinct words."""
        return len(self.lengths), len(self.vocabulary)

    def with_counts(self, counts: torch.Tensor) -> Batch:
        """The same non-zeros with other values."""
        return replace(self, counts=counts)


class BatchMaker:
    """Cuts batches out of a CSR matrix at a cost that follows their non-zeros.

    Parameters
    ----------
    X : csr_matrix or csr_array of shape (n_samples, n_features)
        Canonical, non-negative counts.
    dtype : torch.dtype
        Type of the counts.
    device : torch.device
        Where the batches go.
    """

    def __init__(self, X, dtype: torch.dtype, device: torch.device):
        self.X = X
        self.dtype = dtype
        self.device = device
        # Reused from batch to batch: allocating n_features entries for each would
        # make the cost follow the vocabulary.
        self._seen = np.zeros(X.shape[1], dtype=bool)
        self._position = np.empty(X.shape[1], dtype=np.int64)

    def shuffled(self, batch_size: int, rng: np.random.Generator) -> Iterator[Batch]:
        """Batches of one epoch, in random order."""
        n_samples = self.X.shape[0]
        # Equal sizes: a last batch of a few documents would make noisy statistics.
        n_batches = max(1, round(n_samples / batch_size))
        for rows in np.array_split(rng.permutation(n_samples), n_batches):
            yield self._make(self.X[rows], by_word=True)

    def in_order(self, batch_size: int) -> Iterator[tuple[slice, Batch]]:
        """Consecutive documents, with the rows they stand for.

        The last batch is filled up with empty documents: products then have one
        shape whatever the number of documents, and so do their rounding errors. A
        row's answer is the same bit for bit in any company.
        """
        n_samples = self.X.shape[0]
        for start in range(0, n_samples, batch_size):
            rows = slice(start, min(start + batch_size, n_samples))
            yield rows, self._make(self.X[rows], n_documents=batch_size)

    def _make(self, X, *, by_word=False, n_documents=None) -> Batch:
        vocabulary, words = self._distinct(X.indices)
        offsets = X.indptr.astype(np.int64)
        if n_documents is not None:
            padding = np.full(n_documents + 1 - len(offsets), offsets[-1])
            offsets = np.concatenate([offsets, padding])
        documents = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        lengths = np.bincount(documents, X.data, minlength=len(offsets) - 1)
        return Batch(
            vocabulary=self._tensor(vocabulary),
            offsets=self._tensor(offsets),
            words=self._tensor(words),
            documents=self._tensor(documents),
            counts=self._tensor(X.data, self.dtype),
            lengths=self._tensor(lengths, self.dtype),
            by_word=self._by_word(words, documents, len(vocabulary))
            if by_word
            else None,
        )

    def _distinct(self, indices):
        self._seen[indices] = True
        vocabulary = np.flatnonzero(self._seen)
        self._seen[vocabulary] = False
        self._position[vocabulary] = np.arange(len(vocabulary))
        return vocabulary, self._position[indices]

    def _by_word(self, words, documents, n_words) -> WordMajor:
        # scipy's CSR to CSC conversion is a counting sort: linear in the non-zeros.
        shape = (documents[-1] + 1 if len(documents) else 1, max(n_words, 1))
        positions = np.arange(len(words))
        columns = sp.coo_array((positions, (documents, words)), shape=shape).tocsc()
        return WordMajor(
            offsets=self._tensor(columns.indptr.astype(np.int64)),
            documents=self._tensor(columns.indices.astype(np.int64)),
            order=self._tensor(columns.data),
        )

    def _tensor(self, array, dtype=torch.int64):
        return torch.tensor(array, dtype=dtype, device=self.device)
