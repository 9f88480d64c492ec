"""Functions of loops that numba compiles.

Input: a function of numbers and NumPy arrays. Output: the compiled function, which
releases the interpreter's lock. numba is optional.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

# Sums may be reordered. NaN and infinity keep their meaning.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


@cache
def has_numba() -> bool:
    """Whether numba is installed."""
    return find_spec("numba") is not None


def kernel(function):
    """A decorator that compiles a function when it is first called.

    The machine code is stored on disk, if a folder for it is writable.
    """
    from numba import njit

    options = {"nogil": True, "fastmath": _FAST, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    # numba has found no folder that is writable.
    except RuntimeError:
        return njit(**options)(function)
