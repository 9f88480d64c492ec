"""Every public function and method states the types of its parameters and result.

`py.typed` promises them to users' type checkers, and mypy skips functions without.
"""

import inspect

import pytest

import sklearn_amortlda
from sklearn_amortlda import displays, inspection, metrics
from sklearn_amortlda._callbacks import FitCallbacks


def public_callables():
    """Yield the public functions, and the public methods of the public classes."""
    for module in (sklearn_amortlda, metrics, inspection, displays):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value):
                yield from methods(value)
            elif callable(value):
                yield pytest.param(value, id=f"{module.__name__}.{name}")
    yield from methods(FitCallbacks)


def methods(cls):
    """Yield the constructor and the public methods and properties of this package."""
    names = [name for name in dir(cls) if not name.startswith("_")]
    for name in ["__init__", *names]:
        value = inspect.getattr_static(cls, name)
        value = getattr(value, "__func__", getattr(value, "fget", value))
        if inspect.isfunction(value) and is_own(value):
            yield pytest.param(value, id=f"{cls.__name__}.{name}")


def is_own(function):
    # Constructors of dataclasses are generated, with the types of the fields.
    return function.__module__.startswith("sklearn_amortlda")


@pytest.mark.parametrize("function", list(public_callables()))
def test_types_are_stated(function):
    signature = inspect.signature(function)
    missing = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.name not in ("self", "cls")
        and parameter.annotation is parameter.empty
    ]
    if signature.return_annotation is signature.empty:
        missing.append("return")
    assert not missing
