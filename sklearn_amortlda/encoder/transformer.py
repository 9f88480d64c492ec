"""A transformer body: each layer attends to the document's words.

Input: a batch and the embedding of its words. Output: hidden units of each document.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..kernels.blocks import in_blocks
from ..kernels.products import (
    SparseProduct,
    at_entries,
    pair_dots,
    sum_by_document,
    sum_over_documents,
    sum_over_words,
)

_MAX_HEADS = 4


class TransformerBody(nn.Module):
    """Layers with cross-attention from a document to its distinct words.

    The initial state of a document is the first layer of `MLPBody`, a weighted sum of
    the embedding's rows of its words. In each layer every head attends to the rows, and
    a linear layer combines the results with the state. Words do not attend to one
    another, so the cost follows the non-zeros (Jaegle et al. 2021, "Perceiver").

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Widths of the layers. The first is also the width of the embedding. The heads
        are equal parts of this width: four heads, or fewer if four does not divide it.
    """

    def __init__(self, hidden_layer_sizes, **kw):
        super().__init__()
        n_row = hidden_layer_sizes[0]
        self.n_heads = math.gcd(n_row, _MAX_HEADS)
        self.start = nn.Parameter(torch.empty(n_row, **kw))
        widths = [n_row, *hidden_layer_sizes]
        self.queries = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, a, n_row, **kw) for a in widths[:-1]
        )
        self.layers = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, a + n_row, b, **kw)
            for a, b in pairwise(widths)
        )

    def forward(self, batch: Batch, rows):
        """Hidden units, shape (n_documents, n_hidden)."""
        weights = torch.log1p(batch.counts)
        hidden = F.softplus(SparseProduct.apply(rows, weights, batch) + self.start)
        heads = [part.contiguous() for part in rows.chunk(self.n_heads, 1)]
        for query, layer in zip(self.queries, self.layers):
            queries = in_blocks(query, hidden).chunk(self.n_heads, 1)
            attended = [
                Attention.apply(part.contiguous(), head, weights, batch)
                for part, head in zip(queries, heads)
            ]
            hidden = F.softplus(in_blocks(layer, torch.cat([hidden, *attended], 1)))
        return hidden


class Attention(torch.autograd.Function):
    """sum_v p_dv rows_v with p_d = softmax_v(queries_d . rows_v + log weights_dv).

    The sum is over the words v of document d; a document without words has 0. A word of
    weight w counts as w occurrences. The rows are both keys and values. So no product
    has the size words x hidden x hidden, and no array has the size non-zeros x hidden.
    """

    @staticmethod
    def forward(ctx, queries, rows, weights, batch):
        logits = pair_dots(queries, rows, batch)
        largest = logits.new_full(batch.shape[:1], -math.inf)
        largest.scatter_reduce_(0, batch.documents, logits, "amax")
        shares = weights * torch.exp(logits - at_entries(largest, batch))
        shares /= at_entries(sum_by_document(shares, batch), batch)
        ctx.batch = batch
        ctx.save_for_backward(queries, rows, shares)
        return sum_over_words(shares, rows, batch)

    @staticmethod
    def backward(ctx, gradient):
        (queries, rows, shares), batch = ctx.saved_tensors, ctx.batch
        gradient = gradient.contiguous()
        slopes = pair_dots(gradient, rows, batch)
        mean = sum_by_document(shares * slopes, batch)
        logits = shares * (slopes - at_entries(mean, batch))
        as_keys = sum_over_documents(logits, queries, batch)
        as_values = sum_over_documents(shares, gradient, batch)
        return sum_over_words(logits, rows, batch), as_keys + as_values, None, None
