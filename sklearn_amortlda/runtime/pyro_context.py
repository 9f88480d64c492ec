"""Pyro as if nothing else used it in this process.

Input: a block that runs Pyro's handlers. Output: the handler stack as it was before,
also after an exception or an interrupt.
"""

from __future__ import annotations

from contextlib import contextmanager

import pyro
from pyro.poutine.runtime import _DIM_ALLOCATOR, _PYRO_STACK

from .process_lock import process_lock


@contextmanager
def isolated_pyro():
    """Set the caller's handlers and plates aside, in one thread at a time.

    `poutine.block` hides sites from the caller's handlers. It does not free the batch
    dimensions and the names of the caller's plates, so both stacks are emptied instead.

    A Pyro program of the user's own in another thread at the same moment is not
    protected: Pyro has one handler stack per process.
    """
    stacks = (_PYRO_STACK, _DIM_ALLOCATOR._stack)
    with process_lock():
        contents = [stack.copy() for stack in stacks]
        try:
            for stack in stacks:
                stack.clear()
            # The program is fixed, and Pyro's checks of it cost a tenth of a step.
            with pyro.settings.context(validate_infer=False, validate_poutine=False):
                yield
        finally:
            for stack, content in zip(stacks, contents):
                stack[:] = content
