"""Mini-batches: rows of a CSR matrix over the words that occur in them.

Input: a corpus. Output: tensors of a few documents on the device, at a cost that
follows their non-zeros and not the vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch

from ..runtime.lazy import lazy_property
from .corpus import Corpus
from .thinning import thin


@dataclass(frozen=True)
class WordMajor:
    """The non-zeros of a batch sorted by word, for sums over documents.

    Attributes
    ----------
    offsets : Tensor of shape (n_words + 1,)
        Where the non-zeros of each word begin.
    documents : Tensor of shape (nnz,)
        The document of each non-zero, word by word.
    order : Tensor of shape (nnz,)
        Position of each of these non-zeros in the batch, which is sorted by document.
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
        Where the non-zeros of each document begin.
    words : Tensor of shape (nnz,)
        The word of each non-zero, as a position in `vocabulary`.
    documents : Tensor of shape (nnz,)
        The document of each non-zero.
    counts : Tensor of shape (nnz,)
        The counts, of a floating-point dtype.
    lengths : Tensor of shape (n_documents,)
        Number of words of each document.
    by_word : WordMajor or None
        The non-zeros sorted by word, which only training needs.
    weights : Tensor of shape (n_documents,) or None
        Number of times each document counts; None means once.
    covariates : Tensor of shape (n_documents, n_covariates) or None
        Standardized covariates of the documents.
    """

    vocabulary: torch.Tensor
    offsets: torch.Tensor
    words: torch.Tensor
    documents: torch.Tensor
    counts: torch.Tensor
    lengths: torch.Tensor
    by_word: WordMajor | None = None
    weights: torch.Tensor | None = None
    covariates: torch.Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of documents and of distinct words."""
        return len(self.lengths), len(self.vocabulary)

    @lazy_property
    def pattern(self) -> torch.Tensor:
        """A CSR tensor at the non-zeros, whose values are uninitialized."""
        return torch.sparse_csr_tensor(
            self.offsets,
            self.words,
            torch.empty_like(self.counts),
            self.shape,
            # Without it torch would use the caller's default device.
            device=self.counts.device,
            check_invariants=False,
        )

    def with_counts(self, counts: torch.Tensor) -> Batch:
        """The batch with other values at its non-zeros."""
        return replace(self, counts=counts)

    def weighted(self, values: torch.Tensor) -> torch.Tensor:
        """Values of the documents, on the first axis, times the documents' weights."""
        if self.weights is None:
            return values
        return values * self.weights.view(-1, *[1] * (values.dim() - 1))


@dataclass(frozen=True)
class SplitBatch:
    """Documents and two halves of their words, over one vocabulary.

    If the objective does not split words, the first three attributes are one batch.

    Attributes
    ----------
    whole : Batch
        The documents whose likelihood the encoder is trained on.
    observed : Batch
        The words from which the posterior of theta is inferred.
    held_out : Batch
        The words whose counts give the topics' statistics.
    read : Batch
        The words that the encoder reads: `observed` without the tokens of labels, which
        new documents do not have.
    """

    whole: Batch
    observed: Batch
    held_out: Batch
    read: Batch


class BatchMaker:
    """Makes batches from rows of a corpus.

    Parameters
    ----------
    corpus : Corpus
    dtype : torch.dtype
        Type of the counts.
    device : torch.device
        Device of the batches.
    """

    def __init__(self, corpus: Corpus, dtype: torch.dtype, device: torch.device):
        self.corpus = corpus
        self.dtype = dtype
        self.device = device
        # Allocated once, because n_features entries for each batch would make the cost
        # follow the vocabulary.
        self._position = np.empty(corpus.counts.shape[1], dtype=np.int64)

    def shuffled(
        self, sizes: Sequence[int], rng: np.random.Generator, *, split: bool
    ) -> Iterator[SplitBatch]:
        """The batches of one epoch, in random order.

        Parameters
        ----------
        sizes : sequence of int
            Relative sizes of the batches.
        rng : numpy.random.Generator
        split : bool
            Whether the words of each document are split into two random halves.

        Yields
        ------
        batch : SplitBatch
        """
        order = rng.permutation(len(self.corpus))
        # Parts of equal size, because a small last batch would have noisy statistics.
        parts = iter(np.array_split(order, sum(sizes)))
        for size in sizes:
            rows = np.concatenate(list(islice(parts, size)))
            yield self._split_batch(self.corpus[rows], rng if split else None)

    def in_order(self, batch_size: int, block: int) -> Iterator[tuple[slice, Batch]]:
        """Batches of consecutive documents, with their rows of X.

        The last batch is padded with empty documents to whole blocks
        (`kernels.blocks`), so that the result of a row does not depend on its batch,
        bit for bit.

        Parameters
        ----------
        batch_size : int
            Documents in a batch, a multiple of `block`.
        block : int

        Yields
        ------
        rows : slice
            The rows of X in the batch.
        batch : Batch
            At most `batch_size` documents, whole blocks.
        """
        n_samples = len(self.corpus)
        for start in range(0, n_samples, batch_size):
            rows = slice(start, min(start + batch_size, n_samples))
            # Slicing would copy a single batch.
            whole = n_samples <= batch_size
            documents = self.corpus if whole else self.corpus[rows]
            X = documents.counts
            n_padded = -(-X.shape[0] // block) * block
            covariates = documents.covariates
            if covariates is not None:
                covariates = np.pad(covariates, ((0, n_padded - X.shape[0]), (0, 0)))
            covariates = self._optional(covariates)
            pattern = self._pattern(X)
            yield rows, self._batch(*pattern, X.data, n_padded, covariates=covariates)

    def _split_batch(self, corpus, rng) -> SplitBatch:
        X, pattern = corpus.counts, self._pattern(corpus.counts)
        # Once, because the batches of a step share these tensors.
        weights = self._optional(corpus.weights)
        covariates = self._optional(corpus.covariates)

        def batch(counts, by_word=True):
            n_documents = len(corpus)
            return self._batch(
                *pattern, counts, n_documents, weights, covariates, by_word=by_word
            )

        whole = batch(X.data, by_word=rng is None)
        if rng is None:
            counts, observed, held_out = X.data, whole, whole
        else:
            counts = _half(corpus, rng)
            observed, held_out = batch(counts), batch(X.data - counts)
        read = observed
        if corpus.n_labels:
            read = batch(np.where(corpus.is_label, 0, counts))
        return SplitBatch(whole, observed, held_out, read)

    def _pattern(self, X):
        """Distinct words as a tensor, and the word and document of each non-zero."""
        # The last position that is written for a word stays. This finds the distinct
        # words without a pass over the vocabulary.
        words, positions = X.indices.astype(np.intp), np.arange(X.nnz)
        self._position[words] = positions
        last = np.flatnonzero(self._position.take(words) == positions)
        vocabulary = np.sort(words.take(last))
        self._position[vocabulary] = positions[: len(vocabulary)]
        documents = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        return self._tensor(vocabulary), self._position.take(words), documents

    def _batch(
        self,
        vocabulary,
        words,
        documents,
        counts,
        n_documents,
        weights=None,
        covariates=None,
        *,
        by_word=False,
    ):
        positive = counts > 0
        if not positive.all():
            kept = np.flatnonzero(positive)
            words, documents, counts = (
                array.take(kept) for array in (words, documents, counts)
            )
        sizes = np.bincount(documents, minlength=n_documents)
        offsets = _offsets(sizes)
        return Batch(
            vocabulary=vocabulary,
            offsets=self._tensor(offsets),
            words=self._tensor(words),
            documents=self._tensor(documents),
            counts=self._tensor(counts, self.dtype),
            lengths=self._tensor(_segment_sums(counts, offsets, sizes), self.dtype),
            by_word=self._by_word(words, documents, len(vocabulary))
            if by_word
            else None,
            weights=weights,
            covariates=covariates,
        )

    def _by_word(self, words, documents, n_words) -> WordMajor:
        # numpy sorts 16-bit integers by radix, in time linear in the non-zeros.
        short = words.astype(np.uint16) if n_words <= 2**16 else words
        order = np.argsort(short, kind="stable")
        return WordMajor(
            offsets=self._tensor(_offsets(np.bincount(words, minlength=n_words))),
            documents=self._tensor(documents.take(order)),
            order=self._tensor(order),
        )

    def _optional(self, array):
        return None if array is None else self._tensor(array, self.dtype)

    def _tensor(self, array, dtype=torch.int64):
        return torch.from_numpy(array).to(self.device, dtype)


def _half(corpus, rng):
    """A random half of the words, and half of each label, of which there are few."""
    half = thin(corpus.counts.data, rng)
    if corpus.n_labels:
        half = np.where(corpus.is_label, corpus.counts.data / 2, half)
    return half


def _offsets(sizes):
    return np.concatenate([[0], np.cumsum(sizes)])


def _segment_sums(values, offsets, sizes):
    """Sums of consecutive segments of `values`, of the given sizes."""
    sums, nonempty = np.zeros(len(sizes)), np.flatnonzero(sizes)
    # reduceat is faster than bincount, but has no sum for an empty segment.
    if len(nonempty):
        sums[nonempty] = np.add.reduceat(values, offsets[nonempty], dtype=np.float64)
    return sums
