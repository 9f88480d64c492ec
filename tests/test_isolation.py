"""Fit leaves no trace in Pyro, torch or NumPy, and does not mind what it finds."""

import threading

import numpy as np
import pyro
import pytest
import torch
from pyro import poutine

from sklearn_amortlda import AmortizedLDA


def lda(**parameters):
    settings = {"n_components": 3, "max_iter": 2, "hidden_layer_sizes": (8,)}
    return AmortizedLDA(**settings, random_state=0, device="cpu", **parameters)


def global_state():
    return {
        "parameters": dict(pyro.get_param_store().items()),
        "handlers": list(poutine.runtime._PYRO_STACK),
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
    estimator.fit(X)
    estimator.partial_fit(X)
    estimator.transform(X)
    estimator.score(X)


@pytest.mark.parametrize("objective", ["completion", "sampled", "logistic_normal"])
def test_no_trace(corpus, objective):
    pyro.param("head.weight", torch.ones(3))
    try:
        before = global_state()
        use(lda(objective=objective), corpus)
        assert global_state() == before
        thread = threading.Thread(target=use, args=(lda(objective=objective), corpus))
        thread.start()
        thread.join()
        assert global_state() == before
        with pytest.raises(ValueError, match="no words"):
            lda().fit(corpus * 0)
        assert global_state() == before
    finally:
        pyro.clear_param_store()


@pytest.mark.parametrize(
    "surroundings",
    [
        torch.no_grad,
        torch.inference_mode,
        lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        lambda: torch.device("meta"),
        lambda: pyro.validation_enabled(False),
        poutine.trace,
        lambda: poutine.scale(scale=3.0),
    ],
)
@pytest.mark.parametrize("objective", ["completion", "sampled"])
def test_surroundings_do_not_matter(corpus, surroundings, objective):
    expected = lda(objective=objective).fit(corpus)
    with surroundings():
        found = lda(objective=objective).fit(corpus)
        theta = found.transform(corpus)
    np.testing.assert_array_equal(found.components_, expected.components_)
    np.testing.assert_array_equal(theta, expected.transform(corpus))


def test_default_dtype_does_not_matter(corpus):
    expected = lda().fit(corpus)
    torch.set_default_dtype(torch.float64)
    try:
        found = lda().fit(corpus)
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(found.components_, expected.components_)
