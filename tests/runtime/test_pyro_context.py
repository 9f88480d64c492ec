"""Fits change nothing in Pyro, and Pyro's global state does not change fits."""

import importlib
import os
import threading
from contextlib import ExitStack, contextmanager, suppress

import numpy as np
import pyro
import pytest
import torch
from numpy.testing import assert_array_equal
from pyro import poutine
from pyro.poutine.runtime import _DIM_ALLOCATOR, _PYRO_STACK
from runtime.global_state import global_state, small_lda, use

from sklearn_amortlda.runtime.pyro_context import isolated_pyro

# Calls inside a step, from the batch to the optimizers, and after an epoch.
POINTS = [
    ("data.batches.BatchMaker", "_split_batch"),
    ("encoder.encoder.Encoder", "forward"),
    ("model.lda.LDA", "guide"),
    ("model.lda.LDA", "model"),
    ("model.likelihood.BagOfWords", "log_prob"),
    ("model.objectives.Completion", "statistics"),
    ("model.topics.Topics", "gather"),
    ("model.topics.Topics", "interpolate"),
    ("training.optimizers.Optimizer", "step"),
    ("training.svi.SVI", "state"),
    ("inference.inference.Inference", "bound"),
]


@pytest.fixture
def user_parameter():
    """A parameter in Pyro's store with the name of a weight of the encoder."""
    yield pyro.param("head.weight", torch.ones(3))
    pyro.clear_param_store()


@contextmanager
def user_program():
    """The handlers and the plate of a user's own program."""
    with ExitStack() as stack:
        stack.enter_context(poutine.trace())
        stack.enter_context(poutine.scale(scale=3.0))
        stack.enter_context(pyro.plate("documents", 5))
        yield


def test_stacks_are_empty_inside_and_restored_afterwards():
    with user_program():
        before = global_state()
        assert len(before["handlers"]) == 3 and any(before["dims"])
        with pytest.raises(ZeroDivisionError), isolated_pyro():
            assert not _PYRO_STACK and not _DIM_ALLOCATOR._stack
            pyro.plate("topics", 2).__enter__()
            raise ZeroDivisionError
        assert global_state() == before


@pytest.mark.parametrize("objective", ["completion", "sampled", "logistic_normal"])
def test_fits_leave_global_state_unchanged(corpus, user_parameter, objective):
    before = global_state()
    use(small_lda(objective=objective), corpus)
    assert global_state() == before
    thread = threading.Thread(target=use, args=(small_lda(objective=objective), corpus))
    thread.start()
    thread.join()
    assert global_state() == before
    with pytest.raises(ValueError, match="no words"):
        small_lda().fit(corpus * 0)
    assert global_state() == before


def owner_of(path):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(f"sklearn_amortlda.{module}"), name)


class Failing:
    """A method that raises at its nth call, before or after its own work."""

    def __init__(self, monkeypatch, owner, method, error, *, nth=1, after=False):
        self.n_calls, original = 0, getattr(owner, method)

        def called(*args, **kwargs):
            self.n_calls += 1
            fails = self.n_calls == nth
            if fails and not after:
                raise error("midway")
            result = original(*args, **kwargs)
            if fails:
                raise error("midway")
            return result

        # A class attribute that is a static method must remain one.
        static = isinstance(vars(owner)[method], staticmethod)
        monkeypatch.setattr(owner, method, staticmethod(called) if static else called)


@pytest.mark.parametrize("owner, method", POINTS)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_error_leaves_global_state_unchanged(
    corpus, monkeypatch, user_parameter, owner, method, after, error
):
    with user_program():
        before = global_state()
        with monkeypatch.context() as patch:
            Failing(patch, owner_of(owner), method, error, after=after)
            with pytest.raises(error, match="midway"):
                small_lda().fit(corpus)
        assert global_state() == before
    small_lda().fit(corpus)


@pytest.mark.parametrize("owner, method", POINTS)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.filterwarnings("ignore:Training was interrupted")
def test_interrupt_leaves_global_state_unchanged(
    corpus, monkeypatch, user_parameter, owner, method, after
):
    with user_program():
        before = global_state()
        with monkeypatch.context() as patch:
            failing = Failing(
                patch, owner_of(owner), method, KeyboardInterrupt, after=after
            )
            # The interrupt ends the fit with a warning where a step has been taken.
            with suppress(KeyboardInterrupt):
                small_lda().fit(corpus)
        assert failing.n_calls
        assert global_state() == before
    small_lda().fit(corpus)


@pytest.mark.parametrize(
    "owner, method",
    [
        ("model.lda.LDA", "guide"),
        ("model.lda.LDA", "model"),
        ("training.optimizers.Optimizer", "step"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_interrupt_of_a_later_step_leaves_global_state_unchanged(
    corpus, monkeypatch, user_parameter, owner, method, after
):
    with user_program():
        before = global_state()
        Failing(
            monkeypatch,
            owner_of(owner),
            method,
            KeyboardInterrupt,
            nth=25,
            after=after,
        )
        with pytest.warns(UserWarning, match="Training was interrupted after 1 epochs"):
            lda = small_lda().fit(corpus)
        assert global_state() == before
    assert np.isfinite(lda.score(corpus))


@pytest.mark.parametrize(
    "handler",
    [
        lambda: pyro.validation_enabled(False),
        poutine.trace,
        lambda: poutine.scale(scale=3.0),
        lambda: pyro.plate("documents", 5),
        lambda: pyro.plate("topics", 2, dim=-1),
        lambda: poutine.mask(mask=False),
        lambda: poutine.block(),
        lambda: poutine.condition(data={"theta": torch.ones(3) / 3}),
        user_program,
    ],
)
@pytest.mark.parametrize("objective", ["completion", "sampled"])
def test_callers_handlers_do_not_change_a_fit(corpus, handler, objective):
    expected = small_lda(objective=objective).fit(corpus)
    with handler():
        found = small_lda(objective=objective).fit(corpus)
        theta = found.transform(corpus)
    assert_array_equal(found.components_, expected.components_)
    assert_array_equal(theta, expected.transform(corpus))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_stacks_are_restored_in_a_child_forked_amid_another_threads_step():
    inside, leave = threading.Event(), threading.Event()

    def step():
        with isolated_pyro():
            inside.set()
            # Not forever, because a fork may wait for the lock of this thread.
            leave.wait(0.2)

    with user_program():
        before = global_state()
        thread = threading.Thread(target=step)
        thread.start()
        inside.wait()
        child = os.fork()
        if not child:
            os._exit(0 if global_state() == before else 1)
        leave.set()
        thread.join()
        assert os.waitpid(child, 0)[1] == 0
        assert global_state() == before


def test_fit_inside_a_users_program_adds_no_sites(corpus):
    expected = small_lda().fit(corpus)

    def model():
        with pyro.plate("documents", 7):
            return small_lda().fit(corpus)

    trace = poutine.trace(model).get_trace()
    found = trace.nodes["_RETURN"]["value"]
    assert_array_equal(found.components_, expected.components_)
    assert set(trace.nodes) == {"_INPUT", "documents", "_RETURN"}


class UserInference:
    """A user's own Pyro inference, with sites and parameters named as ours."""

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

    def train(self, n_steps, between_steps=lambda: None):
        pyro.clear_param_store()
        torch.manual_seed(0)
        adam = pyro.optim.Adam({"lr": 0.01})
        svi = pyro.infer.SVI(self.model, self.guide, adam, pyro.infer.Trace_ELBO())
        losses = []
        for _ in range(n_steps):
            losses.append(svi.step())
            between_steps()
        weight = pyro.param("head.weight").tolist()
        pyro.clear_param_store()
        return losses, weight


def test_fits_between_steps_of_a_users_inference_change_neither(corpus):
    user, fits = UserInference(), []
    expected_user = user.train(5)
    expected = small_lda(objective="sampled").fit(corpus)

    def fit():
        fits.append(small_lda(objective="sampled").fit(corpus))

    assert user.train(5, between_steps=fit) == expected_user
    for found in fits:
        assert_array_equal(found.components_, expected.components_)
