"""Known settings of torch for a block, independent of the caller's settings.

Input: a device, the size of a product, or a seed. Output: in the block gradients are
on, autocast is off, and threads or the random generator are set. Afterwards the
caller's settings are restored.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

from .process_lock import is_forked, process_lock

# Multiply-adds of a product above which a second thread is used. For smaller products
# two threads take 1/6 less time on an idle machine, and ten times as long on a busy one
# (20NG, 50 topics).
_MIN_THREADED_WORK = 1e7
# The first product initializes torch's kernels, under locks that a fork would copy.
# This module is imported under `import_lock`, for which a fork waits.
torch.ones(2, 2, device="cpu") @ torch.ones(2, 2, device="cpu")


@contextmanager
def isolated_torch(device: torch.device, work: float):
    """Gradients on, autocast and inference mode off, threads for large products only.

    All of these settings belong to the current thread. Global settings (default dtype
    and device, random state) are not changed.

    Parameters
    ----------
    device : torch.device
        The device of the computation.
    work : float
        Multiply-adds of a typical product over the non-zeros of a batch.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in {"cpu", device.type}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        if is_forked():
            # A fork does not copy OpenMP's threads, so a parallel region would hang.
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        elif device.type == "cpu" and work < _MIN_THREADED_WORK:
            # torch's first call in a new thread sets the number of threads, and would
            # replace the limit below.
            torch.get_num_threads()
            stack.enter_context(_threadpools().limit(limits=1, user_api="openmp"))
        yield


@contextmanager
def seeded_torch(seed: int, device: torch.device):
    """Seed torch's global generators in the block, and restore them afterwards.

    One thread at a time is in the block, so that fits in several threads have the draws
    of sequential fits.
    """
    on_cuda = device.type == "cuda"
    with process_lock(), torch.random.fork_rng([device] if on_cuda else []):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


@cache
def _threadpools() -> ThreadpoolController:
    # Cached, because the search through the process's libraries is slow.
    return ThreadpoolController()
