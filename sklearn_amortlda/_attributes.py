"""The attributes of an estimator: one assignment, snapshots, and saved files.

Input: an estimator. Output: a copy that a concurrent fit does not change, all fitted
attributes assigned at once, and the state for pickle, joblib and skops.io. One thread
at a time fits an estimator, and other threads use the earlier fit until the end.
"""

from __future__ import annotations

from inspect import getattr_static, signature

from .runtime.serialization import FITTED, with_format, without_format
from .training.state_check import COVARIATES, LABELS, check_attributes

# Fitted attributes that depend on X and not on the training.
_COLUMNS = (
    "n_features_in_",
    "feature_names_in_",
    "classes_",
    "covariate_names_in_",
    "_covariate_mean",
    "_covariate_scale",
)
_OPTIONAL = {"feature_names_in_", "covariate_names_in_", *LABELS, *COVARIATES}


class AttributesMixin:
    """Consistent access to parameters and fitted attributes."""

    def __copy__(self):
        """A copy with the same objects as attributes, of one moment."""
        return _with_attributes(type(self), vars(self).copy())

    def __getstate__(self):
        return with_format(super().__getstate__())

    def __setstate__(self, state):
        state = without_format(state)
        _check_state(type(self), state)
        # The file may be older than some parameters.
        super().__setstate__({**_defaults(type(self)), **state})

    def _unfitted(self):
        """A copy without the fitted attributes."""
        attributes = vars(self).copy()
        for name in FITTED:
            attributes.pop(name, None)
        return _with_attributes(type(self), attributes)

    def _fitted(self) -> dict:
        """Fitted attributes, empty before the first fit."""
        fitted = {name: vars(self)[name] for name in FITTED if name in vars(self)}
        return fitted if "components_" in fitted else {}

    def _columns(self) -> dict:
        """Number and names of the columns, as scikit-learn has found them in X."""
        return {name: vars(self)[name] for name in _COLUMNS if name in vars(self)}

    def _assign(self, fitted: dict) -> None:
        """Replace all fitted attributes in one assignment."""
        self.__dict__ = {**vars(self._unfitted()), **fitted}


def _with_attributes(cls, attributes):
    estimator = object.__new__(cls)
    estimator.__dict__ = attributes
    return estimator


def _defaults(cls) -> dict:
    """The defaults of the parameters of a class and of its base classes."""
    inits = [vars(base)["__init__"] for base in cls.__mro__[-2::-1] if _has_init(base)]
    parameters = [p for init in inits for p in signature(init).parameters.values()]
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _has_init(cls):
    return "__init__" in vars(cls)


def _check_state(cls, state: dict) -> None:
    """Raise a ValueError if the attributes of a file cannot be those of a model."""
    fitted = {name: state[name] for name in FITTED if name in state}
    missing = sorted({*FITTED} - fitted.keys() - _OPTIONAL) if fitted else []
    hidden = [name for name in state if _is_method(cls, name)]
    if missing:
        raise _damaged(f"it lacks {', '.join(missing)}")
    if hidden:
        raise _damaged(f"it would replace the methods {', '.join(hidden)}")
    try:
        if fitted:
            check_attributes(fitted)
    # Values of any type raise errors of any type.
    except Exception as error:
        raise _damaged(error) from error


def _damaged(problem):
    return ValueError(
        f"This is not a saved AmortizedLDA, or it is damaged: {problem}. Load another "
        "file, or fit and save the model again."
    )


def _is_method(cls, name):
    # Functions and properties are descriptors.
    return hasattr(getattr_static(cls, name, None), "__get__")
