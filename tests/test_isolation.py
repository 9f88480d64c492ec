"""Fit leaves no trace in Pyro, torch or NumPy, and does not mind what it finds."""

import importlib
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pyro
import pytest
import torch
from pyro import poutine
from sklearn.model_selection import GridSearchCV

from sklearn_amortlda import AmortizedLDA


def lda(**parameters):
    settings = {"n_components": 3, "max_iter": 2, "hidden_layer_sizes": (8,)}
    settings = {**settings, **parameters}
    return AmortizedLDA(**settings, random_state=0, device="cpu")


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
        lambda: pyro.plate("documents", 5),
        lambda: poutine.mask(mask=False),
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


# -- beside other work ----------------------------------------------------------------


class UserModel:
    """A Pyro program of a user's, with sites and parameters named like ours."""

    def __init__(self):
        self.data = torch.linspace(-1.0, 1.0, 20)

    def model(self):
        with pyro.plate("topics", 2):
            beta = pyro.sample("beta", pyro.distributions.Normal(0.0, 1.0))
        with pyro.plate("documents", 20):
            mean = beta.sum() * self.data
            pyro.sample("words", pyro.distributions.Normal(mean, 1.0), obs=self.data)

    def guide(self):
        weight = pyro.param("head.weight", torch.zeros(2))
        with pyro.plate("topics", 2):
            pyro.sample("beta", pyro.distributions.Normal(weight, 1.0))

    def train(self, n_steps):
        pyro.clear_param_store()
        torch.manual_seed(0)
        adam = pyro.optim.Adam({"lr": 0.01})
        svi = pyro.infer.SVI(self.model, self.guide, adam, pyro.infer.Trace_ELBO())
        losses = [svi.step() for _ in range(n_steps)]
        return losses, pyro.param("head.weight").tolist()


def test_beside_a_users_own_inference_both_are_as_alone(corpus):
    user, found = UserModel(), []
    expected_user = user.train(150)
    expected = lda(max_iter=10, objective="sampled").fit(corpus)
    thread = threading.Thread(target=lambda: found.append(user.train(150)))
    thread.start()
    fits = [lda(max_iter=10, objective="sampled").fit(corpus)]
    while thread.is_alive():
        fits.append(lda(max_iter=10, objective="sampled").fit(corpus))
    thread.join()
    pyro.clear_param_store()
    assert found == [expected_user]
    for fit in fits:
        np.testing.assert_array_equal(fit.components_, expected.components_)


def test_inside_a_users_own_program(corpus):
    expected = lda().fit(corpus)

    def model():
        with pyro.plate("documents", 7):
            return lda().fit(corpus)

    trace = poutine.trace(model).get_trace()
    found = trace.nodes["_RETURN"]["value"]
    np.testing.assert_array_equal(found.components_, expected.components_)
    assert set(trace.nodes) == {"_INPUT", "documents", "_RETURN"}


def test_concurrent_fits_are_sequential_ones(corpus):
    objectives = ["completion", "sampled", "logistic_normal", "bound"] * 2
    expected = [lda(objective=name).fit(corpus).components_ for name in objectives]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda name: lda(objective=name).fit(corpus), objectives)
        for ours, components in zip(found, expected):
            np.testing.assert_array_equal(ours.components_, components)


@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_grid_search_in_parallel_is_sequential(corpus, backend):
    grid = {"n_components": [2, 3], "objective": ["completion", "sampled"]}
    search = GridSearchCV(lda(), grid, cv=2, refit=False)
    expected = search.fit(corpus).cv_results_["mean_test_score"]
    with joblib.parallel_backend(backend, n_jobs=2):
        found = search.fit(corpus).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n_jobs", [2, 4])
def test_workers_share_the_cores(corpus, n_jobs):
    def threads():
        lda().fit(corpus)
        return torch.get_num_threads()

    found = joblib.Parallel(n_jobs)(joblib.delayed(threads)() for _ in range(n_jobs))
    assert max(found) <= max(joblib.cpu_count() // n_jobs, 1)


FORKING = """
import os, sys, threading
import numpy as np, torch
from sklearn_amortlda import AmortizedLDA

torch.set_num_threads(2)
X = np.random.default_rng(0).poisson(1.0, (400, 300))
wide = AmortizedLDA(200, max_iter=1, batch_size=400, random_state=0, device="cpu")
narrow = AmortizedLDA(3, max_iter=2, random_state=0, device="cpu")
wide.fit(X)  # large enough for two threads
stop = threading.Event()

def fit_on():
    while not stop.is_set():
        narrow.fit(X)

thread = threading.Thread(target=fit_on)
thread.start()
for _ in range(3):
    child = os.fork()
    if not child:
        wide.fit(X), AmortizedLDA(3, max_iter=2, random_state=0, device="cpu").fit(X)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
stop.set()
thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_amid_another_threads_fit_fits():
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]
    subprocess.run(command, env=environment, check=True, timeout=120)


POINTS = [
    ("_batches.BatchMaker", "_split_batch"),
    ("_encoder.Encoder", "forward"),
    ("_model.LDAProgram", "loss"),
    ("_bag_of_words.BagOfWords", "log_prob"),
    ("_objectives.Completion", "lesson"),
    ("_topics.Topics", "natural_gradient_step"),
    ("_inference.Inference", "bound"),
    ("_learner.Learner", "state"),
]


@pytest.mark.parametrize("owner, method", POINTS)
@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_no_trace_after_an_exception_anywhere(
    corpus, monkeypatch, owner, method, error
):
    module, name = owner.split(".")
    owner = getattr(importlib.import_module(f"sklearn_amortlda.{module}"), name)

    def fail(*_, **__):
        raise error("midway")

    before = global_state()
    monkeypatch.setattr(owner, method, fail)
    with pytest.raises(error, match="midway"):
        lda().fit(corpus)
    assert global_state() == before
    monkeypatch.undo()
    lda().fit(corpus)
