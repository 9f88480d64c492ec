"""Values to hash, which differ if the results of a fit may differ.

Input: a parameter, which may be a function or a random state. Output: a value that
joblib.hash accepts, equal in every process that defines the parameter equally.
"""

from __future__ import annotations

from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType

import numpy as np


def hashable(value, owners=()):
    """A value for joblib.hash.

    Functions are represented by their code, defaults and closure, because their names
    do not show whether their contents have changed.

    Parameters
    ----------
    value : object
    owners : tuple, default=()
        Objects that contain `value`, which may contain them in turn.
    """
    if any(value is owner for owner in owners):
        return "recursion"

    def parts(*values):
        return [hashable(part, (*owners, value)) for part in values]

    if isinstance(value, np.random.RandomState):
        return value.get_state(legacy=False)
    if isinstance(value, partial):
        return ["partial", *parts(value.func, value.args, value.keywords)]
    if isinstance(value, CodeType):
        return [value.co_code, value.co_names, *parts(value.co_consts)]
    if isinstance(value, FunctionType):
        cells = [_content(cell) for cell in value.__closure__ or ()]
        values = value.__code__, value.__defaults__, value.__kwdefaults__, cells
        return [value.__qualname__, *parts(*values)]
    if isinstance(value, MethodType):
        return parts(value.__self__, value.__func__)
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, (list, tuple)):
        return parts(*value)
    if isinstance(value, dict):
        return parts(*sorted(value.items(), key=lambda item: str(item[0])))
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if callable(value):
        return parts(type(value), getattr(value, "__dict__", None))
    return value


def _content(cell):
    """The content of a closure's cell, None before it is assigned."""
    try:
        return cell.cell_contents
    except ValueError:
        return None
