"""Isolation of a fit from the caller's use of Pyro.

Input: a block that runs Pyro's handlers. Output: the block runs with empty handler
stacks, and the caller's stacks are restored, also after an exception or an interrupt.
"""

from __future__ import annotations

from contextlib import contextmanager

import pyro
from pyro.poutine.runtime import _DIM_ALLOCATOR, _PYRO_STACK

from .process_lock import process_lock


@contextmanager
def isolated_pyro():
    """Remove the caller's handlers and plates for the block, in one thread at a time.

    `poutine.block` would hide sites from the caller's handlers, but would not free the
    batch dimensions and the names of the caller's plates. So both stacks are emptied.

    A Pyro program of the user in another thread is not protected during the block,
    because Pyro has one handler stack per process.
    """
    stacks = (_PYRO_STACK, _DIM_ALLOCATOR._stack)
    with process_lock():
        contents = [stack.copy() for stack in stacks]
        try:
            for stack in stacks:
                stack.clear()
            # The program is fixed, so Pyro's checks of it would only cost time.
            with pyro.settings.context(validate_infer=False, validate_poutine=False):
                yield
        finally:
            for stack, content in zip(stacks, contents):
                stack[:] = content
