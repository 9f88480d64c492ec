"""The encoder network.

    counts and word embedding -> body -> head -> norm -> outputs

Input: a batch. Output: one or two numbers for each document and topic. The body
computes hidden units of each document, from which head and norm compute the outputs.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from ..data.batches import Batch
from ..kernels.blocks import in_blocks
from .word_embedding import WordEmbedding


class Encoder(nn.Module):
    """Word embedding, body, linear head, and batch norm without a scale.

    Parameters
    ----------
    embedding : WordEmbedding or None
        None if the body reads the counts directly.
    body : Module
        Called with a `Batch` and the embedding's rows of its words; returns hidden
        units of shape (n_documents, n_hidden).
    n_hidden : int
    n_outputs : int
        Number of outputs for a document, one or two for each topic.
    """

    def __init__(
        self, embedding: WordEmbedding | None, body, n_hidden, n_outputs, **kw
    ):
        super().__init__()
        self.embedding = embedding
        self.body = body
        self.head = nn.utils.skip_init(nn.Linear, n_hidden, n_outputs, **kw)
        self.norm = OutputNorm(n_outputs, **kw)

    def forward(self, batch: Batch):
        """Outputs, shape (n_documents, n_outputs)."""
        rows = None
        if self.embedding is not None:
            rows = self.embedding.gather(batch.vocabulary, training=self.training)
        return self.norm(in_blocks(self.head, self.body(batch, rows)), batch.weights)

    @torch.no_grad()
    def merge_and_split(self, moves, n_topics: int) -> None:
        """Apply the moves of `merge_split.merge_and_split` to the outputs.

        The outputs of a freed topic become a copy of those of the split topic.
        """
        norm, head = self.norm, self.head
        for freed, twin, split in moves:
            # Outputs are logarithms: the twin's share doubles, the split one's halves.
            norm.shift[twin] += math.log(2.0)
            norm.shift[split] -= math.log(2.0)
            # A topic has one output, or a second one for its standard deviation.
            for first in range(0, len(norm.shift), n_topics):
                for values in (
                    head.weight,
                    head.bias,
                    norm.shift,
                    norm.running_mean,
                    norm.running_var,
                ):
                    values[first + freed] = values[first + split]


class OutputNorm(nn.BatchNorm1d):
    """Batch norm with a shift and no scale, over documents that may have weights."""

    def __init__(self, n_outputs, *, dtype, device):
        super().__init__(n_outputs, affine=False, dtype=dtype, device=device)
        self.shift = nn.Parameter(torch.empty(n_outputs, dtype=dtype, device=device))

    def forward(self, x, weights=None):
        if self.training and len(x) == 1:
            # One document has no variance, and the normalized value would be zero.
            return x + self.shift
        if self.training and weights is not None:
            return self.weighted(x, weights) + self.shift
        return super().forward(x) + self.shift

    def weighted(self, x, weights):
        """Batch norm in which each document is repeated by its weight."""
        total, mean, variance = self.moments(x, weights)
        with torch.no_grad():
            unbiased = variance * (total / (total - 1.0).clamp_min(1.0))
            self.running_mean.lerp_(mean.to(x), self.momentum)
            self.running_var.lerp_(unbiased.to(x), self.momentum)
        return (x - mean.to(x)) * torch.rsqrt(variance + self.eps).to(x)

    def moments(self, x, weights):
        """Sum of the weights; weighted means and variances of the outputs."""
        total = weights.sum()
        mean = weights @ x / total
        return total, mean, weights @ (x - mean).square() / total
