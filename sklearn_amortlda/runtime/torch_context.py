"""torch in a known state, whatever the caller has set.

Input: a device. Output: gradients switched on, autocast switched off, a sensible
number of threads, and the caller's settings restored afterwards.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

from .process_lock import is_forked, process_lock

# Multiply-adds of a product above which a second thread pays for its synchronization.
# Below, two threads gain a sixth on an idle machine and lose tenfold on a busy one
# (20NG, 50 topics).
_MIN_THREADED_WORK = 1e7


@contextmanager
def isolated_torch(device: torch.device, work: float):
    """Gradients on, autocast and inference mode off, threads for large products only.

    All of these are settings of the current thread. Global settings (default dtype and
    device, random state) are not changed.

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
            # OpenMP's threads are not copied by a fork: a parallel region would hang.
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        elif device.type == "cpu" and work < _MIN_THREADED_WORK:
            # torch sets the threads of a new thread in its first call, so call it now.
            torch.get_num_threads()
            stack.enter_context(_threadpools().limit(limits=1, user_api="openmp"))
        yield


@contextmanager
def seeded_torch(seed: int, device: torch.device):
    """Seed torch's global generators, and restore them afterwards.

    One thread at a time, so that fits in several threads draw what sequential fits
    draw.
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
    # Cached, because the search through the process's libraries takes milliseconds.
    return ThreadpoolController()
