"""The amortized part: a network from a bag of words to the parameters of q(theta)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ._batches import Batch
from ._kernels import SparseProduct

_FIRST_LAYER_SCALE = 0.05


class SparseLinear(nn.Module):
    """First layer: log(1 + counts) @ weight + bias, over the non-zeros only.

    The gradient of the weight is sparse: it has the rows of the batch's words.
    """

    def __init__(self, n_features, n_outputs, **factory):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_features, n_outputs, **factory))
        self.bias = nn.Parameter(torch.empty(n_outputs, **factory))

    def forward(self, batch: Batch):
        values = torch.log1p(batch.counts)
        return SparseProduct.apply(self.weight, values, batch) + self.bias


class MLPEncoder(nn.Module):
    """Softplus network whose outputs are batch-normalized without a scale.

    Parameters
    ----------
    n_features : int
        Size of the vocabulary.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers, the sparse one first.
    n_outputs : int
        Numbers a document's posterior is made of.
    """

    def __init__(self, n_features, hidden_layer_sizes, n_outputs, **factory):
        super().__init__()
        widths = [*hidden_layer_sizes, n_outputs]
        self.first = SparseLinear(n_features, widths[0], **factory)
        self.rest = nn.ModuleList(
            nn.utils.skip_init(nn.Linear, a, b, **factory) for a, b in pairwise(widths)
        )
        self.norm = _OutputNorm(n_outputs, **factory)

    def forward(self, batch: Batch):
        hidden = self.first(batch)
        for layer in self.rest:
            hidden = layer(F.softplus(hidden))
        return self.norm(hidden)

    @torch.no_grad()
    def recycle(self, moves, n_topics: int) -> None:
        """Follow `Topics.recycle`: a freed topic has the outputs of the split one."""
        norm, last = self.norm, self.rest[-1]
        for freed, twin, split in moves:
            # Outputs are logarithms of shares: a twin has twice its own, a half half.
            norm.shift[twin] += math.log(2.0)
            norm.shift[split] -= math.log(2.0)
            # A topic has one output, or two of which the second is a spread.
            for first in range(0, len(norm.shift), n_topics):
                for values in (
                    last.weight,
                    last.bias,
                    norm.shift,
                    norm.running_mean,
                    norm.running_var,
                ):
                    values[first + freed] = values[first + split]


class _OutputNorm(nn.BatchNorm1d):
    """Batch norm with a shift and no scale, that also takes a batch of one document."""

    def __init__(self, n_outputs, *, dtype, device):
        super().__init__(n_outputs, affine=False, dtype=dtype, device=device)
        self.shift = nn.Parameter(torch.empty(n_outputs, dtype=dtype, device=device))

    def forward(self, x):
        if self.training and len(x) == 1:
            # One document has no variance; its own value would be normalized away.
            return x + self.shift
        return super().forward(x) + self.shift


def load_encoder(weights, *, dtype, device, copy: bool) -> MLPEncoder:
    """The encoder that some weights, a dict of arrays, belong to.

    Without `copy` an encoder on the CPU shares their memory and is only to be read.
    """
    n_layers = sum(name.startswith("rest.") for name in weights) // 2
    widths = [len(weights[f"rest.{i}.bias"]) for i in range(n_layers)]
    n_features, n_hidden = weights["first.weight"].shape
    # On the meta device nothing is allocated, and no random number drawn.
    encoder = MLPEncoder(
        n_features,
        [n_hidden, *widths[:-1]],
        widths[-1],
        dtype=dtype,
        device=torch.device("meta"),
    )
    as_tensor = torch.tensor if copy else torch.as_tensor
    tensors = {k: as_tensor(v, device=device) for k, v in weights.items()}
    encoder.load_state_dict(tensors, assign=True)
    return encoder.requires_grad_(copy).train(copy)


def initial_weights(n_features, hidden_layer_sizes, n_outputs, rng):
    """Random weights of an `MLPEncoder`, as a dict of float32 arrays.

    Drawn by NumPy, so that a seed means the same on every device. The first layer's
    do not shrink with the vocabulary: most of it is absent from any document.
    """
    widths = [*hidden_layer_sizes, n_outputs]
    weights = {
        "norm.shift": np.zeros(n_outputs, np.float32),
        "norm.running_mean": np.zeros(n_outputs, np.float32),
        "norm.running_var": np.ones(n_outputs, np.float32),
        "norm.num_batches_tracked": np.zeros((), np.int64),
    }
    layers = [("first", (n_features, widths[0]), _FIRST_LAYER_SCALE)]
    for i, (fan_in, width) in enumerate(pairwise(widths)):
        layers.append((f"rest.{i}", (width, fan_in), 1.0 / math.sqrt(3.0 * fan_in)))
    for (name, shape, scale), width in zip(layers, widths):
        draw = rng.standard_normal(shape, dtype=np.float32)
        weights[f"{name}.weight"] = draw * np.float32(scale)
        weights[f"{name}.bias"] = np.zeros(width, np.float32)
    return weights
