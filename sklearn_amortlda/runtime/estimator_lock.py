"""One thread at a time fits an estimator.

Input: an estimator. Output: a block that other threads enter for this estimator only
after it has ended. Locks are no attributes, because pickle cannot save them.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from weakref import WeakKeyDictionary

_locks = WeakKeyDictionary()
_guard = threading.Lock()


@contextmanager
def one_writer(estimator):
    """Wait until no other thread is in such a block of this estimator.

    A block may contain another block of the same thread.
    """
    with _guard:
        lock = _locks.setdefault(estimator, threading.RLock())
    with lock:
        yield


def _end_fork_in_child():
    # A fork does not copy the threads that hold the locks.
    global _locks, _guard
    _locks, _guard = WeakKeyDictionary(), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_end_fork_in_child)
