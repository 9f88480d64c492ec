"""The amortized part: a network from a bag of words to the parameters of q(theta).

    words (table of rows) -> body -> head -> norm

The body turns the counts of a batch's documents, and the rows that the table has for
their words, into hidden units; head and norm turn these into numbers for each topic.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ._batches import Batch
from ._kernels import SparseProduct

_WORDS_SCALE = 0.05


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


class Encoder(nn.Module):
    """Body, linear head, and batch norm without a scale.

    Parameters
    ----------
    body : Module
        Called with a `Batch` and the rows of its words; gives hidden units.
    n_hidden : int
        How many.
    n_outputs : int
        Numbers a document's posterior is made of.
    """

    def __init__(self, body, n_hidden, n_outputs, **factory):
        super().__init__()
        self.body = body
        self.head = nn.utils.skip_init(nn.Linear, n_hidden, n_outputs, **factory)
        self.norm = _OutputNorm(n_outputs, **factory)

    def forward(self, batch: Batch, rows):
        """Outputs, shape (n_documents, n_outputs).

        Parameters
        ----------
        batch : Batch
            The documents.
        rows : Tensor of shape (n_words, n_row)
            The table's rows of the batch's vocabulary.
        """
        return self.norm(self.head(self.body(batch, rows)), batch.weights)

    @torch.no_grad()
    def recycle(self, moves, n_topics: int) -> None:
        """Follow `Topics.recycle`: a freed topic has the outputs of the split one."""
        norm, head = self.norm, self.head
        for freed, twin, split in moves:
            # Outputs are logarithms of shares: a twin has twice its own, a half half.
            norm.shift[twin] += math.log(2.0)
            norm.shift[split] -= math.log(2.0)
            # A topic has one output, or two of which the second is a spread.
            for first in range(0, len(norm.shift), n_topics):
                for values in (
                    head.weight,
                    head.bias,
                    norm.shift,
                    norm.running_mean,
                    norm.running_var,
                ):
                    values[first + freed] = values[first + split]


class _OutputNorm(nn.BatchNorm1d):
    """Batch norm with a shift and no scale, over documents that may have weights."""

    def __init__(self, n_outputs, *, dtype, device):
        super().__init__(n_outputs, affine=False, dtype=dtype, device=device)
        self.shift = nn.Parameter(torch.empty(n_outputs, dtype=dtype, device=device))

    def forward(self, x, weights=None):
        if self.training and len(x) == 1:
            # One document has no variance; its own value would be normalized away.
            return x + self.shift
        if self.training and weights is not None:
            return self._weighted(x, weights) + self.shift
        return super().forward(x) + self.shift

    def _weighted(self, x, weights):
        # As of documents that are repeated.
        total = weights.sum()
        mean = weights @ x / total
        variance = weights @ (x - mean).square() / total
        with torch.no_grad():
            unbiased = variance * (total / (total - 1.0).clamp_min(1.0))
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(unbiased, self.momentum)
        return (x - mean) * torch.rsqrt(variance + self.eps)


def load_encoder(weights, *, dtype, device, copy: bool) -> Encoder:
    """The encoder that some weights, a dict of arrays, belong to.

    Without `copy` an encoder on the CPU shares their memory and is only to be read.
    """
    n_layers = sum(name.startswith("body.layers.") for name in weights) // 2
    widths = [len(weights[f"body.layers.{i}.bias"]) for i in range(n_layers)]
    n_outputs, n_hidden = weights["head.weight"].shape
    # On the meta device nothing is allocated, and no random number drawn.
    factory = {"dtype": dtype, "device": torch.device("meta")}
    body = MLPBody([len(weights["body.bias"]), *widths], **factory)
    encoder = Encoder(body, n_hidden, n_outputs, **factory)
    as_tensor = torch.tensor if copy else torch.as_tensor
    tensors = {
        name: as_tensor(value, device=device)
        for name, value in weights.items()
        if name != "words"
    }
    encoder.load_state_dict(tensors, assign=True)
    return encoder.requires_grad_(copy).train(copy)


def initial_weights(n_features, hidden_layer_sizes, n_outputs, rng):
    """Random weights of an encoder and its table, as a dict of float32 arrays.

    Drawn by NumPy, so that a seed means the same on every device. The table's rows do
    not shrink with the vocabulary: most of it is absent from any document.
    """
    widths = [*hidden_layer_sizes, n_outputs]

    def normal(shape, scale):
        return rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)

    weights = {
        "words": normal((n_features, widths[0]), _WORDS_SCALE),
        "body.bias": np.zeros(widths[0], np.float32),
        "norm.shift": np.zeros(n_outputs, np.float32),
        "norm.running_mean": np.zeros(n_outputs, np.float32),
        "norm.running_var": np.ones(n_outputs, np.float32),
        "norm.num_batches_tracked": np.zeros((), np.int64),
    }
    names = [f"body.layers.{i}" for i in range(len(widths) - 2)] + ["head"]
    for name, (fan_in, width) in zip(names, pairwise(widths)):
        weights[f"{name}.weight"] = normal((width, fan_in), 1 / math.sqrt(3 * fan_in))
        weights[f"{name}.bias"] = np.zeros(width, np.float32)
    return weights
