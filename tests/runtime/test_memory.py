"""The memory that a fit needs, and the error before a fit that is too large."""

import pickle
import re

import pytest
import scipy.sparse as sp

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.runtime import memory
from sklearn_amortlda.training.svi import SVI

X = sp.random(40, 12, density=0.5, format="csr", random_state=0)


def small(**parameters):
    settings = {
        "n_components": 3,
        "hidden_layer_sizes": (4,),
        "max_iter": 1,
        "random_state": 0,
        "device": "cpu",
    }
    return AmortizedLDA(**{**settings, **parameters})


def test_fit_beyond_memory_raises_before_training(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 1e4)
    # None cannot be called: training is not reached.
    monkeypatch.setattr(SVI, "__init__", None)
    lda = small(n_components=100)
    with pytest.raises(MemoryError, match=r"topics .*GB.*Lower n_components=100"):
        lda.fit(X)
    assert not hasattr(lda, "n_features_in_")


@pytest.mark.parametrize(
    ("parameters", "remedy"),
    [
        ({"n_components": 500}, "n_components=500"),
        ({"hidden_layer_sizes": (500,)}, "hidden_layer_sizes"),
    ],
)
def test_error_names_the_parameter_of_the_largest_part(parameters, remedy, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 0.0)
    with pytest.raises(MemoryError, match=f"Lower {remedy}"):
        small(**parameters).fit(X)


def test_estimate_is_near_the_size_of_the_model(monkeypatch):
    X = sp.random(100, 5000, density=0.01, format="csr", random_state=0)
    model = len(pickle.dumps(small(n_components=20).fit(X)))
    monkeypatch.setattr(memory, "available_memory", lambda device: 0.0)
    with pytest.raises(MemoryError) as error:
        small(n_components=20).fit(X)
    estimate = re.search(r"needs at least (\S+) GB", str(error.value))[1]
    assert 1.0 < 1e9 * float(estimate) / model < 3.0


def test_available_memory_is_read_from_meminfo(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:   7 kB\n")
    assert memory._machine_memory(meminfo) == 7 * 1024


def test_available_memory_without_meminfo_is_positive(tmp_path):
    assert memory._machine_memory(tmp_path / "absent") > 0
