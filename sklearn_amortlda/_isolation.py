"""torch as training needs it, whatever the caller has set, and as it was afterwards."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager

import torch


@contextmanager
def plain_torch(device: torch.device):
    """Gradients on, autocast and inference mode off.

    All of these are settings of the current thread; leaving restores them. Global
    settings (default dtype and device, thread count, seeds, Pyro's store) are never
    used, so they need no restoring.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in {"cpu", device.type}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        yield
