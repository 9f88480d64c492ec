"""Attributes that are computed at their first use.

Input: a method without parameters. Output: an attribute, as from
`functools.cached_property`, but without a lock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class lazy_property(Generic[Value]):
    """`functools.cached_property` without a lock.

    Before Python 3.12 `cached_property` has one lock for all instances. Threads would
    wait for one another, and a child that is forked meanwhile would wait for ever.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute, self.__doc__ = compute, compute.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Value:
        if instance is None:
            return self  # type: ignore[return-value]
        value = self._compute(instance)
        # Python looks here before it calls this method again.
        vars(instance)[self._compute.__name__] = value
        return value
