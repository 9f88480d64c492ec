"""The amortized part: a network from a bag of words to the parameters of q(theta).

    words (table of rows) -> body -> head -> norm

The body turns the counts of a batch's documents, and the rows that the table has for
their words, into hidden units; head and norm turn these into numbers for each topic.
"""

from __future__ import annotations

import math
import re

import numpy as np
import torch
from torch import nn

from ._batches import Batch
from ._custom import CustomBody
from ._mlp import MLPBody
from ._transformer import TransformerBody
from ._word_vectors import rows_from_vectors

_WORDS_SCALE = 0.05
# Of the layers whose widths are `hidden_layer_sizes`.
_BODY_BIAS = re.compile(r"body\.(layers\.\d+\.)?bias")


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
        total, mean, variance = self._moments(x, weights)
        with torch.no_grad():
            unbiased = variance * (total / (total - 1.0).clamp_min(1.0))
            self.running_mean.lerp_(mean.to(x), self.momentum)
            self.running_var.lerp_(unbiased.to(x), self.momentum)
        return (x - mean.to(x)) * torch.rsqrt(variance + self.eps).to(x)

    def _moments(self, x, weights):
        """Sum of the weights, and the outputs' means and variances under them."""
        total = weights.sum()
        mean = weights @ x / total
        return total, mean, weights @ (x - mean).square() / total


def load_encoder(
    weights, *, kind="mlp", dtype, device, training: bool, generator=None
) -> Encoder:
    """The encoder that some weights, a dict of arrays, belong to.

    Parameters
    ----------
    weights : dict of ndarray
        As from `initial_weights`.
    kind : 'mlp', 'transformer' or callable
        The estimator's `encoder`.
    training : bool
        Whether it is to learn, or to be used as it is, in eval mode.
    generator : torch.Generator or None
        For what a user's module draws in training.

    Raises
    ------
    ValueError
        If the weights are those of another kind of encoder.
    """
    n_features = len(weights["words"])
    widths = [len(v) for name, v in weights.items() if _BODY_BIAS.fullmatch(name)]
    n_outputs, n_hidden = weights["head.weight"].shape
    # On the meta device nothing is allocated, and no random number drawn. A user's
    # module may share weights among its parts, so it is filled instead of replaced.
    filled = callable(kind)
    factory = {"dtype": dtype, "device": device if filled else torch.device("meta")}
    body = _make_body(kind, widths or [n_hidden], n_features, generator, factory)
    encoder = Encoder(body, n_hidden, n_outputs, **factory)
    tensors = {
        name: torch.tensor(value, device=device)
        for name, value in weights.items()
        if name != "words"
    }
    try:
        encoder.load_state_dict(tensors, assign=not filled)
    except RuntimeError as error:
        raise ValueError(
            f"encoder={kind!r} does not go with the weights fitted before: set it "
            "back, or fit again with warm_start=False."
        ) from error
    if not training:
        encoder.requires_grad_(False)
    return encoder.train(training)


def initial_weights(
    occurs, hidden_layer_sizes, n_outputs, rng, *, kind="mlp", word_vectors=None
):
    """Random weights of an encoder and its table, as a dict of float32 arrays.

    Drawn by NumPy, so that a seed means the same on every device. The table's rows do
    not shrink with the vocabulary: most of it is absent from any document. Those of
    words that do not occur (`occurs` is of shape (n_features,)) are zero: the encoder
    is not to read what it has not learned. Those of a user's module have no columns.
    """
    n_features, n_row = len(occurs), 0 if callable(kind) else hidden_layer_sizes[0]
    words = np.zeros((n_features, n_row), np.float32)
    words[occurs] = _normal(rng, (np.count_nonzero(occurs), n_row), _WORDS_SCALE)
    weights = {"words": words}
    generator = None
    if callable(kind):
        generator = torch.Generator("cpu").manual_seed(int(rng.integers(2**62)))
    factory = {"dtype": torch.float32, "device": torch.device("cpu")}
    body = _make_body(kind, hidden_layer_sizes, n_features, generator, factory)
    encoder = Encoder(body, hidden_layer_sizes[-1], n_outputs, **factory)
    if callable(kind):
        body.try_out()
    for name, tensor in encoder.state_dict().items():
        blank = tensor.numpy()
        if name.startswith("body.module."):
            weights[name] = blank.copy()  # which the user's module has drawn itself
        elif name.endswith("weight"):
            weights[name] = _normal(rng, blank.shape, 1 / math.sqrt(3 * blank.shape[1]))
        else:
            start = np.ones_like if name == "norm.running_var" else np.zeros_like
            weights[name] = start(blank)
    if word_vectors is not None:
        weights["words"] = rows_from_vectors(word_vectors, words, _WORDS_SCALE, rng)
    return weights


def _make_body(kind, widths, n_features, generator, factory):
    if callable(kind):
        return CustomBody(kind, n_features, widths[-1], generator=generator, **factory)
    return {"mlp": MLPBody, "transformer": TransformerBody}[kind](widths, **factory)


def _normal(rng, shape, scale):
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)
