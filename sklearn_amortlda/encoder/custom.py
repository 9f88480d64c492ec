"""The body of an encoder that is the user's module.

Input: a batch, whose counts the user's module receives as a sparse CSR tensor over the
whole vocabulary. Output: hidden units, checked for shape and finiteness.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ..data.batches import Batch
from ..runtime.torch_context import seeded_torch


class CustomBody(nn.Module):
    """A user's module from sparse counts to hidden units.

    Dropout draws from torch's global generators. In training the caller seeds these
    generators (`seeded_torch`). In eval mode this class seeds them, so that `transform`
    is deterministic.

    Parameters
    ----------
    build : callable
        ``build(n_features, n_hidden)`` returns the module.
    n_features : int
        Words of the vocabulary.
    n_hidden : int
        Width of the module's output.
    seed : int, default=0
        Seed of the module's initial weights.
    """

    def __init__(
        self,
        build: Callable[[int, int], nn.Module],
        n_features: int,
        n_hidden: int,
        *,
        dtype: torch.dtype,
        device: torch.device,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.shape = n_features, n_hidden
        if isinstance(build, nn.Module):
            raise TypeError(
                f"encoder is a module, {type(build).__name__}(...); it must be a "
                "callable that builds one: its class, or a function of n_features and "
                "n_hidden."
            )
        # On the CPU, so that the initial weights do not depend on the device.
        cpu = torch.device("cpu")
        with seeded_torch(seed, cpu), cpu:
            module = build(n_features, n_hidden)
        if not isinstance(module, nn.Module):
            raise TypeError(
                "encoder(n_features, n_hidden) must return a torch.nn.Module, got "
                f"{type(module).__name__}."
            )
        self.module = module.to(dtype=dtype, device=device)

    def forward(self, batch: Batch, rows: None = None) -> torch.Tensor:
        """Hidden units, shape (n_documents, n_hidden)."""
        words = batch.vocabulary.index_select(0, batch.words)
        return self._call(batch.offsets, words, batch.counts)

    @torch.no_grad()
    def try_out(self) -> None:
        """Call the module on two documents, one without words and one with one word.

        So errors of the module are raised before training, and lazy modules get their
        shapes.
        """
        cpu = {"device": torch.device("cpu")}
        offsets, words = torch.tensor([0, 0, 1], **cpu), torch.tensor([0], **cpu)
        self.eval()
        self._call(offsets, words, torch.ones(1, dtype=torch.float32, **cpu))
        self.train()

    def _call(self, offsets, words, counts):
        if self.training:
            return self._checked_call(offsets, words, counts)
        with seeded_torch(0, counts.device):
            return self._checked_call(offsets, words, counts)

    def _checked_call(self, offsets, words, counts):
        n_features, n_hidden = self.shape
        shape, device = (len(offsets) - 1, n_features), counts.device
        with device:
            X = torch.sparse_csr_tensor(
                offsets, words, counts, shape, device=device, check_invariants=False
            )
            hidden = self.module(X)
        expected = shape[0], n_hidden
        found = getattr(hidden, "shape", type(hidden).__name__)
        if found != expected:
            raise ValueError(
                f"encoder's module returned {found} for {shape[0]} documents; it must "
                f"return a tensor of shape {expected}: the last of hidden_layer_sizes "
                "is its number of columns."
            )
        if not torch.isfinite(hidden).all():
            raise ValueError(
                "encoder's module returned NaN or infinity. Check that it does not "
                "divide by the length of a document, which may be 0; else lower "
                "learning_rate_init."
            )
        return hidden
