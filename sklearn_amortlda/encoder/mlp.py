"""The default body of the encoder: a bag of words through softplus layers.

Input: a batch and the embedding of its words. Output: hidden units of each document.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ..data.batches import Batch
from ..kernels.blocks import in_blocks
from ..kernels.products import SparseProduct


class MLPBody(nn.Module):
    """Softplus layers; the first is log(1 + counts) @ embedding + bias.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers; the first is the width of the embedding.
    """

    def __init__(self, hidden_layer_sizes, **kw):
        super().__init__()
        self.bias = nn.Parameter(torch.empty(hidden_layer_sizes[0], **kw))
        self.layers = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, a, b, **kw)
            for a, b in pairwise(hidden_layer_sizes)
        )

    def forward(self, batch: Batch, rows):
        """Hidden units, shape (n_documents, n_hidden)."""
        hidden = SparseProduct.apply(rows, torch.log1p(batch.counts), batch) + self.bias
        for layer in self.layers:
            hidden = in_blocks(layer, F.softplus(hidden))
        return F.softplus(hidden)
