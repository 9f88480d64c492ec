"""Fits in threads, worker processes and forked children equal fits in sequence."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import joblib
import pytest
import torch
from numpy.testing import assert_array_equal
from runtime.global_state import small_lda
from sklearn.model_selection import GridSearchCV

from sklearn_amortlda.runtime import process_lock
from sklearn_amortlda.runtime.torch_context import seeded_torch


def test_fits_in_threads_equal_fits_in_sequence(corpus):
    objectives = ["completion", "sampled", "logistic_normal", "bound"] * 2
    expected = [small_lda(objective=name).fit(corpus) for name in objectives]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda name: small_lda(objective=name).fit(corpus), objectives)
        for ours, sequential in zip(found, expected, strict=True):
            assert_array_equal(ours.components_, sequential.components_)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_parallel_grid_search_equals_sequential(corpus, backend):
    grid = {"n_components": [2, 3], "objective": ["completion", "sampled"]}
    search = GridSearchCV(small_lda(), grid, cv=2, refit=False)
    expected = search.fit(corpus).cv_results_["mean_test_score"]
    with joblib.parallel_backend(backend, n_jobs=2):
        found = search.fit(corpus).cv_results_["mean_test_score"]
    assert_array_equal(found, expected)


def test_one_thread_holds_the_lock_and_may_take_it_again():
    with process_lock.process_lock(), process_lock.process_lock():
        with ThreadPoolExecutor(1) as pool:
            acquire = process_lock.process_lock().acquire
            assert not pool.submit(acquire, blocking=False).result()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_child_forked_amid_another_threads_draw_can_draw():
    cpu, begins = torch.device("cpu"), threading.Event()

    def draw():
        with seeded_torch(0, cpu):
            begins.set()
            # torch holds the mutex of its generator for the whole draw.
            torch.distributions.Dirichlet(torch.ones(300_000, 4)).sample()

    thread = threading.Thread(target=draw)
    thread.start()
    begins.wait()
    time.sleep(0.02)
    child = os.fork()
    if not child:
        signal.alarm(100)
        with seeded_torch(0, cpu):
            torch.rand(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    thread.join()
    assert status == 0


FORKING = """
import os, threading
import numpy as np, torch
from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.runtime.process_lock import is_forked

torch.set_num_threads(2)
X = np.random.default_rng(0).poisson(1.0, (400, 300))
wide = AmortizedLDA(200, max_iter=1, batch_size=400, random_state=0, device="cpu")

def narrow(objective):
    return AmortizedLDA(
        3, objective=objective, max_iter=2, random_state=0, device="cpu"
    ).fit(X)

objectives = ["completion", "sampled"]
expected = [narrow(objective).components_ for objective in objectives]
wide.fit(X)  # large enough for two threads
stop = threading.Event()

def fit_in_a_loop():
    while not stop.is_set():
        narrow("sampled")

thread = threading.Thread(target=fit_in_a_loop, daemon=True)
thread.start()
for _ in range(3):
    child = os.fork()
    if not child:
        code = 1
        try:
            found = [narrow(objective).components_ for objective in objectives]
            wide.fit(X)
            # The child has one thread, which rounds differently.
            code = 0 if np.allclose(found, expected, 1e-2) and is_forked() else 2
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    assert status == 0, status
assert not is_forked()
stop.set()
thread.join()
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_child_fits_while_a_thread_of_the_parent_fits():
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]
    subprocess.run(command, env=environment, check=True, timeout=600)


FORKING_AMID_IMPORTS = """
import os, signal, threading, time
import numpy as np
from sklearn_amortlda import AmortizedLDA

X = np.random.default_rng(0).poisson(1.0, (50, 30))
lda = AmortizedLDA(3, max_iter=1, random_state=0, device="cpu")
failures = []

def import_and_fail():
    # Without torch's operations, whose first calls take locks that a fork copies.
    try:
        AmortizedLDA(device="none").fit(X)
    except ValueError as error:
        failures.append(error)

thread = threading.Thread(target=import_and_fail)
thread.start()
children = []
while thread.is_alive() and len(children) < 5:
    # A fork waits while the thread imports torch and Pyro.
    child = os.fork()
    if not child:
        signal.alarm(100)
        lda.fit(X).transform(X)
        os._exit(0)
    children.append(child)
    time.sleep(0.001)
thread.join()
assert failures
statuses = [os.waitpid(child, 0)[1] for child in children]
assert statuses and not any(statuses), statuses
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_forked_amid_the_first_imports_can_fit():
    command = [sys.executable, "-W", "ignore", "-c", FORKING_AMID_IMPORTS]
    subprocess.run(command, check=True, timeout=600)


IMPORTING = """
import sys
import numpy as np
import sklearn_amortlda.inference.threads
import sklearn_amortlda.training.communicator
import sklearn_amortlda.training.session
from sklearn_amortlda import AmortizedLDA

X = np.random.default_rng(0).poisson(1.0, (50, 30))
before = set(sys.modules)
for objective in "completion", "bound", "sampled", "logistic_normal":
    for encoder in "mlp", "transformer":
        for early_stopping in False, True:
            lda = AmortizedLDA(
                3,
                objective=objective,
                encoder=encoder,
                early_stopping=early_stopping,
                topic_word_prior="auto",
                max_iter=2,
                checkpoint=sys.argv[1],
            ).fit(X)
            lda.partial_fit(X).score(X)
            lda.transform(X)
added = sorted(name for name in set(sys.modules) - before)
assert not added, added
"""


@pytest.mark.slow
def test_fits_import_nothing_after_their_first_lines(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", IMPORTING, tmp_path / "checkpoint"]
    subprocess.run(command, check=True, timeout=600)
