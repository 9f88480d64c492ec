"""Locks that no thread holds during a fork.

Input: threads that use Pyro's handler stack or torch's global random generator, or
that import torch and Pyro. Output: one thread at a time holds each lock, and a fork
waits for the locks.
"""

from __future__ import annotations

import os
import threading

_lock, _import_lock = threading.RLock(), threading.RLock()
_forked = False


def process_lock():
    """The lock for the global state of Pyro and torch, reentrant."""
    return _lock


def import_lock():
    """The lock for imports of torch and Pyro, which take seconds; reentrant."""
    return _import_lock


def is_forked() -> bool:
    """Whether this process was forked after the package was imported."""
    return _forked


def _begin_fork():
    # In this order, because a thread that holds the first lock may take the second.
    _lock.acquire()
    _import_lock.acquire()


def _end_fork():
    _import_lock.release()
    _lock.release()


def _end_fork_in_child():
    global _forked
    _end_fork()
    _forked = True


# A child that is forked during a draw would inherit the locked mutex of torch's
# generator and the handlers of another thread. A child that is forked during an import
# would wait for the module's import lock for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_begin_fork,
        after_in_parent=_end_fork,
        after_in_child=_end_fork_in_child,
    )
