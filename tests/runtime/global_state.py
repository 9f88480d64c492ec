"""Global state of Pyro, torch and NumPy, and small fits that must not change it."""

import numpy as np
import pyro
import torch
from pyro.poutine.runtime import _DIM_ALLOCATOR, _PYRO_STACK

from sklearn_amortlda import AmortizedLDA


def small_lda(**parameters):
    settings = {"n_components": 3, "max_iter": 2, "hidden_layer_sizes": (8,)}
    settings |= {"random_state": 0, "device": "cpu"}
    return AmortizedLDA(**{**settings, **parameters})


def global_state():
    return {
        "parameters": {
            name: value.tolist() for name, value in pyro.get_param_store().items()
        },
        "handlers": list(_PYRO_STACK),
        "dims": list(_DIM_ALLOCATOR._stack),
        "settings": pyro.settings.get(),
        "torch": torch.get_rng_state().tolist(),
        "numpy": [str(part) for part in np.random.get_state()],  # noqa: NPY002
        "dtype": torch.get_default_dtype(),
        "device": str(torch.get_default_device()),
        "grad": torch.is_grad_enabled(),
        "threads": torch.get_num_threads(),
        "validation": torch.distributions.Distribution._validate_args,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
    }


def use(estimator, X):
    """Call the methods of an estimator that compute."""
    estimator.fit(X)
    estimator.partial_fit(X)
    estimator.transform(X)
    estimator.score(X)
