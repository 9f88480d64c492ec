"""Mini-batches: rows of a CSR matrix, cut down to the words that occur in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np
import torch

from ._corpus import Corpus

# Coins that are tossed for a count by the bits of one byte, whose last is for a
# fraction of a word; a larger count is a binomial draw.
_MOST_TOSSES = 7
_HEADS = np.array([byte.bit_count() for byte in range(256)], np.uint8)


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
    weights : Tensor of shape (n_documents,) or None
        Times each document counts; None is once.
    """

    vocabulary: torch.Tensor
    offsets: torch.Tensor
    words: torch.Tensor
    documents: torch.Tensor
    counts: torch.Tensor
    lengths: torch.Tensor
    by_word: WordMajor | None = None
    weights: torch.Tensor | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Documents and distinct words."""
        return len(self.lengths), len(self.vocabulary)

    @cached_property
    def pattern(self) -> torch.Tensor:
        """The places of the non-zeros, as torch's CSR; its values are for any use."""
        return torch.sparse_csr_tensor(
            self.offsets,
            self.words,
            torch.empty_like(self.counts),
            self.shape,
            # Named, for a caller's default device would come before the tensors' own.
            device=self.counts.device,
            check_invariants=False,
        )

    def with_counts(self, counts: torch.Tensor) -> Batch:
        """The same non-zeros with other values."""
        return replace(self, counts=counts)

    def weighted(self, values: torch.Tensor) -> torch.Tensor:
        """Values of the documents, the first axis, times the documents' weights."""
        if self.weights is None:
            return values
        return values * self.weights.view(-1, *[1] * (values.dim() - 1))

    def weighted_entries(self, values: torch.Tensor) -> torch.Tensor:
        """Values of the non-zeros times their documents' weights."""
        if self.weights is None:
            return values
        return values * self.weights.index_select(0, self.documents)


@dataclass(frozen=True)
class SplitBatch:
    """Documents and the two halves of their words, over one vocabulary.

    Where the objective does not split, all three are the same.

    Attributes
    ----------
    whole : Batch
        What the posteriors are to explain.
    observed : Batch
        What they are inferred from.
    hidden : Batch
        What the topics learn from.
    """

    whole: Batch
    observed: Batch
    hidden: Batch


class BatchMaker:
    """Cuts batches out of a CSR matrix at a cost that follows their non-zeros.

    Parameters
    ----------
    corpus : Corpus
        The documents.
    dtype : torch.dtype
        Type of the counts.
    device : torch.device
        Where the batches go.
    """

    def __init__(self, corpus: Corpus, dtype: torch.dtype, device: torch.device):
        self.corpus = corpus
        self.dtype = dtype
        self.device = device
        # Reused from batch to batch: allocating n_features entries for each would
        # make the cost follow the vocabulary.
        self._position = np.empty(corpus.counts.shape[1], dtype=np.int64)

    def shuffled(
        self, sizes: Sequence[int], rng: np.random.Generator, *, split: bool
    ) -> Iterator[SplitBatch]:
        """One epoch in random order, in batches of these relative sizes.

        `split` sends words to two random halves.
        """
        order = rng.permutation(len(self.corpus))
        # Equal parts: a last batch of a few documents would make noisy statistics.
        parts = iter(np.array_split(order, sum(sizes)))
        for size in sizes:
            rows = np.concatenate(list(islice(parts, size)))
            yield self._split_batch(self.corpus[rows], rng if split else None)

    def _split_batch(self, corpus, rng) -> SplitBatch:
        X, weights = corpus.counts, corpus.weights
        pattern = self._pattern(X)
        whole = self._batch(*pattern, X.data, len(corpus), weights, by_word=rng is None)
        if rng is None:
            return SplitBatch(whole, whole, whole)
        observed = thin(X.data, rng)
        halves = [
            self._batch(*pattern, counts, len(corpus), weights, by_word=True)
            for counts in (observed, X.data - observed)
        ]
        return SplitBatch(whole, *halves)

    def in_order(self, batch_size: int) -> Iterator[tuple[slice, Batch]]:
        """Consecutive documents, with the rows they stand for.

        The last batch is filled up with empty documents: products then have one
        shape whatever the number of documents, and so do their rounding errors. A
        row's answer is the same bit for bit in any company.
        """
        n_samples = len(self.corpus)
        for start in range(0, n_samples, batch_size):
            rows = slice(start, min(start + batch_size, n_samples))
            X = self.corpus.counts[rows]
            yield rows, self._batch(*self._pattern(X), X.data, batch_size)

    def _pattern(self, X):
        """Distinct words, and the word and document of each non-zero."""
        # Of the places of a word one is written last: no look at the whole vocabulary.
        words, places = X.indices.astype(np.intp), np.arange(X.nnz)
        self._position[words] = places
        last = np.flatnonzero(self._position.take(words) == places)
        vocabulary = np.sort(words.take(last))
        self._position[vocabulary] = places[: len(vocabulary)]
        documents = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        return vocabulary, self._position.take(words), documents

    def _batch(
        self,
        vocabulary,
        words,
        documents,
        counts,
        n_documents,
        weights=None,
        *,
        by_word=False,
    ):
        present = counts > 0
        if not present.all():
            kept = np.flatnonzero(present)
            words, documents, counts = (
                a.take(kept) for a in (words, documents, counts)
            )
        sizes = np.bincount(documents, minlength=n_documents)
        offsets = _offsets(sizes)
        return Batch(
            vocabulary=self._tensor(vocabulary),
            offsets=self._tensor(offsets),
            words=self._tensor(words),
            documents=self._tensor(documents),
            counts=self._tensor(counts, self.dtype),
            lengths=self._tensor(_sums(counts, offsets, sizes), self.dtype),
            by_word=self._by_word(words, documents, len(vocabulary))
            if by_word
            else None,
            weights=None if weights is None else self._tensor(weights, self.dtype),
        )

    def _by_word(self, words, documents, n_words) -> WordMajor:
        # A stable sort of 16-bit numbers is a radix sort: linear in the non-zeros.
        short = words.astype(np.uint16) if n_words <= 2**16 else words
        order = np.argsort(short, kind="stable")
        return WordMajor(
            offsets=self._tensor(_offsets(np.bincount(words, minlength=n_words))),
            documents=self._tensor(documents.take(order)),
            order=self._tensor(order),
        )

    def _tensor(self, array, dtype=torch.int64):
        return torch.from_numpy(array).to(self.device, dtype)


def thin(counts, rng: np.random.Generator):
    """A random half of every count: each of its words by the toss of a coin.

    The fraction of a count that is no whole number is one word, tossed like the others.
    """
    bits = np.frombuffer(rng.bytes(len(counts)), np.uint8)
    whole = np.minimum(counts, _MOST_TOSSES).astype(np.uint8)
    tossed = np.left_shift(np.uint8(1), whole) - np.uint8(1)
    half = _HEADS.take(bits & tossed).astype(counts.dtype)
    fraction = counts - whole
    more = np.flatnonzero(fraction > 0)
    if len(more):
        half[more] += fraction[more] * (bits[more] >> _MOST_TOSSES)
        many = more[fraction[more] >= 1.0]
        half[many] = _thin_many(counts[many], rng)
    return half


def _thin_many(counts, rng):
    # Beyond 1e9 a half is a half to float32's precision, and binomial's integers end.
    whole = np.floor(np.minimum(counts, 1e9))
    fraction = np.where(counts < 1e9, counts - whole, 0.0)
    tossed = rng.binomial(whole.astype(np.int64), 0.5)
    tossed = tossed + fraction * rng.integers(0, 2, len(counts))
    return np.where(counts > 1e9, counts / 2, tossed)


def _offsets(sizes):
    return np.concatenate([[0], np.cumsum(sizes)])


def _sums(values, offsets, sizes):
    """Sums of consecutive values, so many each."""
    sums, some = np.zeros(len(sizes)), np.flatnonzero(sizes)
    # An eighth of what bincount takes with weights, but not for sums of none.
    if len(some):
        sums[some] = np.add.reduceat(values, offsets[some], dtype=np.float64)
    return sums
