"""A body that looks at a document's words again, knowing what the document is about."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ._batches import Batch
from ._kernels import (
    SparseProduct,
    pair_dots,
    sum_by_document,
    sum_over_documents,
    sum_over_words,
)

_LARGEST_N_HEADS = 4


class TransformerBody(nn.Module):
    """Layers that attend to a document's distinct words, as a Perceiver's do.

    The document begins as the first layer of `MLPBody`, the sum of its words' rows. In
    each layer it asks, head by head, for the rows of some of its words, and what it
    gets is merged into it. Attention is from documents to words and not among words, so
    that its cost follows the non-zeros (Jaegle et al. 2021, "Perceiver").

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Widths of the layers; the first is also that of the table's rows, which its
        heads share out: four, or fewer if they do not divide it.
    """

    def __init__(self, hidden_layer_sizes, **factory):
        super().__init__()
        n_row = hidden_layer_sizes[0]
        self.n_heads = math.gcd(n_row, _LARGEST_N_HEADS)
        self.start = nn.Parameter(torch.empty(n_row, **factory))
        widths = [n_row, *hidden_layer_sizes]
        self.queries = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, a, n_row, **factory) for a in widths[:-1]
        )
        self.layers = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, a + n_row, b, **factory)
            for a, b in pairwise(widths)
        )

    def forward(self, batch: Batch, rows):
        """Hidden units, shape (n_documents, n_hidden)."""
        weights = torch.log1p(batch.counts)
        hidden = F.softplus(SparseProduct.apply(rows, weights, batch) + self.start)
        heads = [part.contiguous() for part in rows.chunk(self.n_heads, 1)]
        for query, layer in zip(self.queries, self.layers):
            asked = query(hidden).chunk(self.n_heads, 1)
            seen = [
                Attention.apply(part.contiguous(), head, weights, batch)
                for part, head in zip(asked, heads)
            ]
            hidden = F.softplus(layer(torch.cat([hidden, *seen], 1)))
        return hidden


class Attention(torch.autograd.Function):
    """sum_v p_dv rows_v with p_d = softmax_v(queries_d . rows_v + log weights_dv).

    Over the words v of document d; a document without words has 0. A weight is as
    that many occurrences. Rows are keys and values at once, so that no product is of
    the size words x hidden x hidden, and no array of the size non-zeros x hidden.
    """

    @staticmethod
    def forward(ctx, queries, rows, weights, batch):
        logits = pair_dots(queries, rows, batch)
        largest = logits.new_full(batch.shape[:1], -math.inf)
        largest.scatter_reduce_(0, batch.documents, logits, "amax")
        shares = weights * torch.exp(logits - _of_document(largest, batch))
        shares /= _of_document(sum_by_document(shares, batch), batch)
        ctx.batch = batch
        ctx.save_for_backward(queries, rows, shares)
        return sum_over_words(shares, rows, batch)

    @staticmethod
    def backward(ctx, gradient):
        (queries, rows, shares), batch = ctx.saved_tensors, ctx.batch
        gradient = gradient.contiguous()
        slopes = pair_dots(gradient, rows, batch)
        mean = sum_by_document(shares * slopes, batch)
        logits = shares * (slopes - _of_document(mean, batch))
        as_keys = sum_over_documents(logits, queries, batch)
        as_values = sum_over_documents(shares, gradient, batch)
        return sum_over_words(logits, rows, batch), as_keys + as_values, None, None


def _of_document(values, batch: Batch):
    """The document's value at each of its non-zeros."""
    return values.index_select(0, batch.documents)
