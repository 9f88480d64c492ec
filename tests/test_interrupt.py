"""Ctrl-C at any moment: a usable model, or the one there was before."""

import pickle
import signal
import subprocess
import sys
import textwrap
import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_amortlda import AmortizedLDA, _topics, _word_table
from sklearn_amortlda._encoder import Encoder
from sklearn_amortlda._inference import Inference
from sklearn_amortlda._learner import Learner
from sklearn_amortlda._topics import Topics
from sklearn_amortlda._training import HeldOut, Training
from sklearn_amortlda._word_table import WordTable

# Two duplicates of every topic at first: recycling is on the way of some interrupts.
SMALL = {
    "n_components": 8,
    "hidden_layer_sizes": (8,),
    "max_iter": 3,
    "batch_size": 30,
    "evaluate_every": 1,
    "early_stopping": True,
    "topic_word_prior": "auto",
    "random_state": 0,
}

# Everything a fit passes through, and the calls after which its state is half changed.
PLACES = [
    (Learner, "epoch"),
    (Learner, "step"),
    (Learner, "_step_encoder"),
    (Learner, "_step_alpha"),
    (Learner, "_recycle"),
    (Learner, "state"),
    (Learner, "evidence_bound"),
    (Topics, "natural_gradient_step"),
    (Topics, "concentration"),
    (Topics, "learn_eta"),
    (Topics, "recycle"),
    (Topics, "settle"),
    (Topics, "_begin"),
    (Topics, "_put"),
    (Topics, "_set_eta"),
    (WordTable, "rows"),
    (WordTable, "step"),
    (Encoder, "forward"),
    (Encoder, "recycle"),
    (Inference, "_posterior"),
    (HeldOut, "score"),
    (Training, "_measure"),
    (Training, "_compare"),
    (torch.optim.Adam, "step"),
    (torch.Tensor, "lerp_"),
    (_topics, "put_rows"),
    (_word_table, "put_rows"),
    (torch.Tensor, "index_select"),
    (torch.Tensor, "sum"),
    (torch.Tensor, "backward"),
]


class CtrlC:
    """A function that is interrupted before or after its nth call."""

    def __init__(self, monkeypatch, place, nth=None, *, after=False):
        owner, name = place
        self.n_calls, self.struck = 0, False
        original = getattr(owner, name)

        def called(*args, **kwargs):
            self.n_calls += 1
            strikes = self.n_calls == nth
            self.struck |= strikes
            if strikes and not after:
                raise KeyboardInterrupt
            result = original(*args, **kwargs)
            if strikes:
                raise KeyboardInterrupt
            return result

        monkeypatch.setattr(owner, name, called)


def assert_usable(lda, X):
    theta = lda.transform(X)
    assert np.isfinite(theta).all() and (theta >= 0).all()
    np.testing.assert_allclose(theta.sum(axis=1), 1.0, rtol=1e-5)
    assert np.isfinite(lda.score(X)) and np.isfinite(lda.components_).all()
    assert len(lda.history_) == lda.n_iter_ and lda.n_batch_iter_ > 0
    copy = pickle.loads(pickle.dumps(lda))
    np.testing.assert_array_equal(copy.transform(X), theta)
    for method, parameters in (("partial_fit", {}), ("fit", {"warm_start": True})):
        further = pickle.loads(pickle.dumps(lda)).set_params(max_iter=1, **parameters)
        getattr(further, method)(X)
        assert further.n_batch_iter_ > lda.n_batch_iter_
        assert np.isfinite(further.score(X))
        assert np.isfinite(further.bound_) == (method == "fit")


def interrupted(lda, X, method="fit"):
    """Whether the exception came through; if not there is to be a warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            getattr(lda, method)(X)
        except KeyboardInterrupt:
            assert not caught
            return True
    assert [str(w.message)[:24] for w in caught] == ["Training was interrupted"]
    assert caught[0].filename == __file__
    return False


@pytest.fixture(scope="module")
def n_calls(corpus):
    """How often a fit passes through each place."""
    with pytest.MonkeyPatch.context() as patch:
        counters = {place: CtrlC(patch, place) for place in PLACES}
        AmortizedLDA(**SMALL).fit(corpus[:100])
    return {place: counter.n_calls for place, counter in counters.items()}


@pytest.mark.parametrize("place", PLACES, ids=lambda p: f"{p[0].__name__}.{p[1]}")
def test_fit_keeps_what_it_learned(corpus, n_calls, monkeypatch, place):
    X = corpus[:100]
    rng = np.random.default_rng(0)
    for after in (False, True):
        nth = rng.integers(1, n_calls[place] + 1)
        lda = AmortizedLDA(**SMALL)
        with monkeypatch.context() as patch:
            blow = CtrlC(patch, place, nth, after=after)
            propagated = interrupted(lda, X)
        assert blow.struck
        if propagated:  # nothing was learned yet
            with pytest.raises(NotFittedError):
                lda.transform(X)
            assert vars(lda) == vars(clone(lda))
        else:
            assert_usable(lda, X)


def test_nothing_learned_yet_keeps_the_old_model(corpus, monkeypatch):
    lda = AmortizedLDA(3, max_iter=1, hidden_layer_sizes=(8,), random_state=0)
    before = joblib.hash(lda.fit(corpus))
    for method in ("fit", "partial_fit"):
        for place in ((Learner, "step"), (Topics, "natural_gradient_step")):
            with monkeypatch.context() as patch:
                CtrlC(patch, place, 1, after=place[1] != "step")
                with pytest.raises(KeyboardInterrupt):
                    getattr(lda, method)(corpus[:, :60])
            assert joblib.hash(lda) == before


def test_an_interrupted_fit_has_the_steps_it_took(corpus, monkeypatch):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), batch_size=60, random_state=0)
    with monkeypatch.context() as patch:
        CtrlC(patch, (Learner, "step"), 13)
        assert not interrupted(lda, corpus)
    assert (lda.n_batch_iter_, lda.n_iter_) == (12, 2)
    assert [record["epoch"] for record in lda.history_] == [1, 2]
    assert np.isnan(lda.bound_)


def test_an_interrupted_bound_costs_the_bound_only(corpus, monkeypatch):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), max_iter=2, random_state=0)
    whole = clone(lda).fit(corpus)
    with monkeypatch.context() as patch:
        CtrlC(patch, (Learner, "evidence_bound"), 1)
        assert not interrupted(lda, corpus)
    np.testing.assert_array_equal(lda.components_, whole.components_)
    assert lda.history_ == whole.history_ and np.isnan(lda.bound_)


def test_the_best_epoch_is_kept(corpus, monkeypatch):
    lda = AmortizedLDA(
        3, hidden_layer_sizes=(8,), early_stopping=True, n_iter_no_change=9
    ).set_params(batch_size=30, random_state=0, max_iter=9)
    scores = iter([-3.0, -2.0, -2.5, -2.6])
    monkeypatch.setattr(HeldOut, "score", lambda *_: next(scores))
    with monkeypatch.context() as patch:
        CtrlC(patch, (Learner, "epoch"), 5)
        assert not interrupted(lda, corpus)
    assert lda.n_batch_iter_ == 2 * 9 and lda.n_iter_ == 4


def test_partial_fit_keeps_what_it_learned(corpus, monkeypatch):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), batch_size=30, random_state=0)
    for n_steps in (4, 7):
        with monkeypatch.context() as patch:
            CtrlC(patch, (Topics, "natural_gradient_step"), 4, after=True)
            assert not interrupted(lda, corpus, "partial_fit")
        assert lda.n_batch_iter_ == {4: 3, 7: 6}[n_steps]
    assert_usable(lda, corpus)


@pytest.mark.parametrize(
    "place", [(Topics, "settle"), (Learner, "state"), (warnings, "warn")]
)
def test_a_second_ctrl_c_leaves_no_mixture(corpus, monkeypatch, place):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), max_iter=1, random_state=0)
    before = joblib.hash(lda.fit(corpus))
    with monkeypatch.context() as patch:
        CtrlC(patch, (Learner, "step"), 3)
        CtrlC(patch, place, 1)
        with pytest.raises(KeyboardInterrupt):
            lda.fit(corpus[:, :40])
    assert joblib.hash(lda) == before
    np.testing.assert_array_equal(lda.transform(corpus).shape, (300, 3))


def test_a_sigint():
    script = textwrap.dedent(
        """
        import logging, sys, warnings
        import numpy as np
        from sklearn_amortlda import AmortizedLDA

        X = np.random.default_rng(0).poisson(0.5, (200, 30))
        lda = AmortizedLDA(3, max_iter=100_000, hidden_layer_sizes=(8,))
        logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            lda.fit(X)
        assert "interrupted" in str(caught[0].message)
        assert np.isfinite(lda.score(X)) and lda.n_iter_ >= 3
        print("usable")
        """
    )
    with subprocess.Popen(
        [sys.executable, "-u", "-c", script], stdout=subprocess.PIPE, text=True
    ) as child:
        for _ in range(3):  # epochs
            assert child.stdout.readline().startswith("epoch")
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read().splitlines()
    assert child.returncode == 0 and rest[-1] == "usable"
