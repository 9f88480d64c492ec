"""The progress bar and the log."""

import subprocess
import sys

import pytest
from numpy.testing import assert_array_equal

from sklearn_amortlda import AmortizedLDA


def small(**parameters):
    return AmortizedLDA(
        3, hidden_layer_sizes=(8,), max_iter=2, random_state=0, **parameters
    )


@pytest.mark.parametrize("method, n_epochs", [("fit", 2), ("partial_fit", 1)])
def test_verbose_shows_a_bar_with_the_bound(corpus, capsys, method, n_epochs):
    getattr(small(verbose=1), method)(corpus)
    shown = capsys.readouterr()
    assert not shown.out
    assert "AmortizedLDA: 100%" in shown.err and f"{n_epochs}/{n_epochs}" in shown.err
    assert "bound=-" in shown.err


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_training_is_silent_by_default(corpus, capfd, method):
    getattr(small(), method)(corpus)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_verbose_fit_without_standard_error_shows_no_bar(corpus, monkeypatch, method):
    expected = getattr(small(), method)(corpus).components_
    # As under pythonw or in a service.
    monkeypatch.setattr(sys, "stderr", None)
    lda = getattr(small(verbose=1), method)(corpus)
    assert_array_equal(lda.components_, expected)


THREADS = """
import sys, threading
import numpy as np
from sklearn_amortlda import AmortizedLDA

X = np.random.default_rng(0).poisson(1.0, (50, 30))
lda = AmortizedLDA(3, max_iter=2, verbose=int(sys.argv[1])).fit(X).partial_fit(X)
print([thread.name for thread in threading.enumerate()])
"""


@pytest.mark.slow
@pytest.mark.parametrize("verbose", ["0", "1"])
def test_no_thread_is_left(verbose):
    command = [sys.executable, "-W", "ignore", "-c", THREADS, verbose]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['MainThread']"
    assert ("AmortizedLDA: " in run.stderr) == (verbose == "1")
