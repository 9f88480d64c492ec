"""One lock for the global state of Pyro and torch.

Input: threads that use Pyro's handler stack or torch's global random generator. Output:
one thread at a time holds the lock, and no thread during a fork.
"""

from __future__ import annotations

import os
import threading

_lock = threading.RLock()
_forked = False


def process_lock():
    """The lock of this process, reentrant."""
    return _lock


def is_forked() -> bool:
    """Whether this process was forked after the package was imported."""
    return _forked


def _end_fork_in_child():
    global _forked
    _lock.release()
    _forked = True


# A fork waits for the lock. A child that is forked during a draw would inherit the
# locked mutex of torch's generator and the handlers of another thread.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_end_fork_in_child,
    )
