"""A body that the user has written."""

from __future__ import annotations

import torch
from torch import nn

from ._batches import Batch
from ._isolation import seeded_torch


class CustomBody(nn.Module):
    """A user's module from sparse counts to hidden units.

    Parameters
    ----------
    build : callable
        ``build(n_features, n_hidden)`` returns the module.
    n_features : int
        Words of the vocabulary.
    n_hidden : int
        Width of the module's output.
    generator : torch.Generator or None
        Seeds what the module draws: its initial weights, and in training its dropout.
        None where it is not to draw, or to no effect.
    """

    def __init__(self, build, n_features, n_hidden, *, dtype, device, generator=None):
        super().__init__()
        self.shape = n_features, n_hidden
        self.generator = generator
        if isinstance(build, nn.Module):
            raise TypeError(
                f"encoder is a module, {type(build).__name__}(...), and must be a "
                "callable that builds one: its class, or a function of n_features and "
                "n_hidden."
            )
        # On the CPU, as the initial weights are to be the same on every device.
        cpu = torch.device("cpu")
        with seeded_torch(self._seed(), cpu), cpu:
            module = build(n_features, n_hidden)
        if not isinstance(module, nn.Module):
            raise TypeError(
                "encoder(n_features, n_hidden) must return a torch.nn.Module, got "
                f"{type(module).__name__}."
            )
        self.module = module.to(dtype=dtype, device=device)

    def forward(self, batch: Batch, rows):
        """Hidden units, shape (n_documents, n_hidden)."""
        words = batch.vocabulary.index_select(0, batch.words)
        hidden = self._call(batch.offsets, words, batch.counts)
        # The rows have no columns; with this they have a gradient, as others do.
        return hidden + rows.sum()

    @torch.no_grad()
    def try_out(self) -> None:
        """Raise now what would be raised after the first or the last batch.

        On a document without words and one of one word. Lazy modules take shape.
        """
        cpu = {"device": torch.device("cpu")}
        offsets, words = torch.tensor([0, 0, 1], **cpu), torch.tensor([0], **cpu)
        self.module.eval()
        self._call(offsets, words, torch.ones(1, dtype=torch.float32, **cpu))
        self.module.train()

    def _call(self, offsets, words, counts):
        n_features, n_hidden = self.shape
        shape = len(offsets) - 1, n_features
        device = counts.device
        with seeded_torch(self._seed(), device), device:
            X = torch.sparse_csr_tensor(
                offsets, words, counts, shape, device=device, check_invariants=False
            )
            hidden = self.module(X)
        expected = shape[0], n_hidden
        found = getattr(hidden, "shape", type(hidden).__name__)
        if found != expected:
            raise ValueError(
                f"encoder's module returned {found} for {shape[0]} documents; it must "
                f"return a tensor of shape {expected}, the last of hidden_layer_sizes "
                "columns."
            )
        if not torch.isfinite(hidden).all():
            raise ValueError(
                "encoder's module returned NaN or infinity. Documents without words "
                "are legal: does it divide by their length? Else lower "
                "learning_rate_init."
            )
        return hidden

    def _seed(self) -> int:
        if self.generator is None or not self.training:
            return 0
        where = {"generator": self.generator, "device": self.generator.device}
        return int(torch.randint(2**62, (), **where))
