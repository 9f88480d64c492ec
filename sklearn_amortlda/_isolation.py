"""torch as training needs it, whatever the caller has set, and as it was afterwards."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

# Multiply-adds of a product over a batch's non-zeros that a second thread is worth its
# synchronization for. Below, it gains a sixth on an idle machine, and where other
# processes want the cores, threads that wait for one another cost tenfold.
_WORTH_THREADS = 1e7
# In a process forked from one that has used OpenMP's threads, a parallel region waits
# for threads that were not copied, for ever.
_forked = False
# Nor was the thread copied that may have held this.
_drawing = threading.RLock()


def _note_fork():
    global _forked, _drawing
    _forked, _drawing = True, threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)


@contextmanager
def plain_torch(device: torch.device, work: float):
    """Gradients on, autocast and inference mode off, threads only for large products.

    Parameters
    ----------
    device : torch.device
        Where the computation will be.
    work : float
        Multiply-adds of its typical product.

    All of these are settings of the current thread; leaving restores them. Global
    settings (default dtype and device, thread count, seeds, Pyro's store) are never
    used, so they need no restoring.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in {"cpu", device.type}:
            stack.enter_context(torch.autocast(kind, enabled=False))
        if _forked:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        elif device.type == "cpu" and work < _WORTH_THREADS:
            stack.enter_context(_threadpools().limit(limits=1, user_api="openmp"))
        yield


@contextmanager
def seeded_torch(seed: int, device: torch.device):
    """torch's global random state as seeded, for modules that know of no generator.

    Afterwards it is as it was. One thread at a time, so that fits in several threads
    draw what they would draw one after another.
    """
    on_cuda = device.type == "cuda"
    with _drawing, torch.random.fork_rng([device] if on_cuda else []):
        torch.default_generator.manual_seed(seed)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


@cache
def _threadpools() -> ThreadpoolController:
    # Looking through the process's libraries takes milliseconds. OpenMP's limit holds
    # for the calling thread alone, so fits in other threads are not concerned.
    return ThreadpoolController()
