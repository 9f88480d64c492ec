"""The default body of an encoder: a bag of words through softplus layers."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ._batches import Batch
from ._kernels import SparseProduct


class MLPBody(nn.Module):
    """Softplus layers, of which the first is log(1 + counts) @ rows + bias.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers; the first is that of the table's rows.
    """

    def __init__(self, hidden_layer_sizes, **factory):
        super().__init__()
        self.bias = nn.Parameter(torch.empty(hidden_layer_sizes[0], **factory))
        self.layers = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, a, b, **factory)
            for a, b in pairwise(hidden_layer_sizes)
        )

    def forward(self, batch: Batch, rows):
        """Hidden units, shape (n_documents, n_hidden)."""
        hidden = SparseProduct.apply(rows, torch.log1p(batch.counts), batch) + self.bias
        for layer in self.layers:
            hidden = layer(F.softplus(hidden))
        return F.softplus(hidden)
