"""Interrupts at any moment leave a usable model, or the earlier fit; warnings."""

import pickle
import signal
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
import torch
from pyro.infer import TraceMeanField_ELBO
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.encoder import word_embedding
from sklearn_amortlda.encoder.encoder import Encoder
from sklearn_amortlda.encoder.word_embedding import WordEmbedding
from sklearn_amortlda.inference.inference import Inference
from sklearn_amortlda.model import doc_topic_prior, topics
from sklearn_amortlda.model.lda import LDA
from sklearn_amortlda.model.topics import Topics
from sklearn_amortlda.training import loop, optimizers, prior_chain, session, svi
from sklearn_amortlda.training.early_stopping import EarlyStopping, HeldOutDocuments
from sklearn_amortlda.training.loop import Training
from sklearn_amortlda.training.optimizers import (
    NaturalGradient,
    Optimizer,
    RowwiseRMSprop,
)
from sklearn_amortlda.training.prior_chain import PriorChain
from sklearn_amortlda.training.session import Session
from sklearn_amortlda.training.svi import SVI

# Most topics are duplicates at first, so interrupts also occur in merge and split.
SMALL = {
    "n_components": 8,
    "hidden_layer_sizes": (8,),
    "max_iter": 3,
    "batch_size": 30,
    "early_stopping": True,
    "topic_word_prior": "auto",
    "random_state": 0,
}

# The functions of a fit, and the calls after which its state is half changed.
CALLS = [
    (Training, "_train"),
    (Training, "_check_finite"),
    (Training, "_evidence_bound"),
    (Training, "inference"),
    (SVI, "step"),
    (SVI, "merge_and_split"),
    (SVI, "end_epoch"),
    (SVI, "state"),
    (SVI, "restore"),
    (svi, "merge_and_split"),
    (SVI, "learn_priors"),
    (PriorChain, "run"),
    (prior_chain, "draw_counts"),
    (TraceMeanField_ELBO, "differentiable_loss"),
    (LDA, "guide"),
    (LDA, "model"),
    (Optimizer, "step"),
    (Optimizer, "_step_encoder"),
    (Optimizer, "_step_topics"),
    (NaturalGradient, "step"),
    (RowwiseRMSprop, "step"),
    (doc_topic_prior, "update"),
    (doc_topic_prior, "clip"),
    (doc_topic_prior, "merge_and_split"),
    (Topics, "interpolate"),
    (Topics, "concentration"),
    (Topics, "map_counts"),
    (Topics, "apply_decay"),
    (Topics, "_restart_decay"),
    (Topics, "_put"),
    (Topics, "set_prior"),
    (WordEmbedding, "gather"),
    (WordEmbedding, "scatter"),
    (Encoder, "forward"),
    (Encoder, "merge_and_split"),
    (Inference, "_posterior"),
    (HeldOutDocuments, "log_likelihood"),
    (EarlyStopping, "update"),
    (loop, "topics_kl"),
    (topics, "scatter_rows"),
    (word_embedding, "scatter_rows"),
    (optimizers, "scatter_rows"),
    (torch.optim.Adam, "step"),
    (torch.Tensor, "lerp_"),
    (torch.Tensor, "index_select"),
    (torch.Tensor, "sum"),
    (torch.Tensor, "backward"),
]


class Interrupt:
    """Replaces a function by one that is interrupted before or after its nth call."""

    def __init__(self, monkeypatch, call, nth=None, *, after=False):
        owner, name = call
        self.n_calls, self.raised = 0, False
        original = getattr(owner, name)

        def called(*args, **kwargs):
            self.n_calls += 1
            raises = self.n_calls == nth
            self.raised |= raises
            if raises and not after:
                raise KeyboardInterrupt
            result = original(*args, **kwargs)
            if raises:
                raise KeyboardInterrupt
            return result

        monkeypatch.setattr(owner, name, called)


def completed_calls(monkeypatch, owner, name) -> list:
    """A list that gets an entry whenever the function returns."""
    completed, original = [], getattr(owner, name)

    def called(*args, **kwargs):
        result = original(*args, **kwargs)
        completed.append(None)
        return result

    monkeypatch.setattr(owner, name, called)
    return completed


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


def propagates(lda, X, method="fit"):
    """Whether the fit raises the interrupt; if not, it must warn."""
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
    """Number of calls of each function until the end of a training."""
    counts, original = {}, Session._attributes
    with pytest.MonkeyPatch.context() as patch:
        counters = {call: Interrupt(patch, call) for call in CALLS}

        def attributes(*args, **options):
            counts.update({call: c.n_calls for call, c in counters.items()})
            return original(*args, **options)

        patch.setattr(Session, "_attributes", attributes)
        AmortizedLDA(**SMALL).fit(corpus[:100])
    return counts


@pytest.mark.parametrize("call", CALLS, ids=lambda c: f"{c[0].__name__}.{c[1]}")
def test_interrupted_fit_keeps_what_it_learned(corpus, n_calls, monkeypatch, call):
    X = corpus[:100]
    rng = np.random.default_rng(0)
    settings = dict(SMALL)
    if call == (doc_topic_prior, "update"):
        # Steps learn alpha if eta is given.
        settings["topic_word_prior"] = 0.03
    for after in (False, True):
        nth = rng.integers(1, max(n_calls[call], 1) + 1)
        lda = AmortizedLDA(**settings)
        with monkeypatch.context() as patch:
            n_steps = completed_calls(patch, Optimizer, "step")
            interrupt = Interrupt(patch, call, nth, after=after)
            propagated = propagates(lda, X)
        assert interrupt.raised
        assert propagated == (not n_steps)
        if propagated:
            with pytest.raises(NotFittedError):
                lda.transform(X)
            assert vars(lda) == vars(clone(lda))
        else:
            assert_usable(lda, X)


def test_interrupt_before_the_first_step_keeps_the_earlier_fit(corpus, monkeypatch):
    lda = AmortizedLDA(3, max_iter=1, hidden_layer_sizes=(8,), random_state=0)
    before = joblib.hash(lda.fit(corpus))
    for method in ("fit", "partial_fit"):
        for call in ((SVI, "step"), (Topics, "interpolate")):
            with monkeypatch.context() as patch:
                Interrupt(patch, call, 1, after=call[1] != "step")
                with pytest.raises(KeyboardInterrupt):
                    getattr(lda, method)(corpus[:, :60])
            assert joblib.hash(lda) == before


def test_interrupted_fit_has_the_steps_before_the_interrupt(corpus, monkeypatch):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), batch_size=60, random_state=0)
    with monkeypatch.context() as patch:
        Interrupt(patch, (SVI, "step"), 13)
        assert not propagates(lda, corpus)
    assert (lda.n_batch_iter_, lda.n_iter_) == (12, 2)
    assert [record["epoch"] for record in lda.history_] == [1, 2]
    assert np.isnan(lda.bound_)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_interrupt_of_the_bound_loses_the_bound_only(
    corpus, monkeypatch, early_stopping
):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), max_iter=2, random_state=0)
    lda.set_params(early_stopping=early_stopping)
    whole = clone(lda).fit(corpus)
    with monkeypatch.context() as patch:
        Interrupt(patch, (Training, "_evidence_bound"), 1)
        assert not propagates(lda, corpus)
    np.testing.assert_array_equal(lda.components_, whole.components_)
    assert lda.history_ == whole.history_ and np.isnan(lda.bound_)


def test_interrupted_early_stopping_keeps_the_best_epoch(corpus, monkeypatch):
    lda = AmortizedLDA(
        3, hidden_layer_sizes=(8,), early_stopping=True, n_iter_no_change=9
    ).set_params(batch_size=30, random_state=0, max_iter=9)
    scores = iter([-3.0, -2.0, -2.5, -2.6])
    monkeypatch.setattr(
        HeldOutDocuments, "log_likelihood", lambda *_: (next(scores), 1.0)
    )
    with monkeypatch.context() as patch:
        Interrupt(patch, (Training, "_train"), 5)
        assert not propagates(lda, corpus)
    assert lda.n_batch_iter_ == 2 * 9 and lda.n_iter_ == 4


def test_interrupted_partial_fit_keeps_what_it_learned(corpus, monkeypatch):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), batch_size=30, random_state=0)
    for n_steps in (3, 6):
        with monkeypatch.context() as patch:
            Interrupt(patch, (Topics, "interpolate"), 4, after=True)
            assert not propagates(lda, corpus, "partial_fit")
        assert lda.n_batch_iter_ == n_steps
    assert_usable(lda, corpus)


@pytest.mark.parametrize(
    "call", [(Topics, "apply_decay"), (SVI, "state"), (warnings, "warn")]
)
@pytest.mark.filterwarnings("ignore:Training was interrupted")
def test_second_interrupt_keeps_the_earlier_fit(corpus, monkeypatch, call):
    lda = AmortizedLDA(3, hidden_layer_sizes=(8,), max_iter=1, random_state=0)
    before = joblib.hash(lda.fit(corpus))
    with monkeypatch.context() as patch:
        Interrupt(patch, (SVI, "step"), 3)
        Interrupt(patch, call, 1)
        with pytest.raises(KeyboardInterrupt):
            lda.fit(corpus[:, :40])
    assert joblib.hash(lda) == before
    np.testing.assert_array_equal(lda.transform(corpus).shape, (300, 3))


def test_convergence_warning_names_the_line_of_the_caller(corpus, monkeypatch):
    monkeypatch.setattr(session, "convergence_warning", lambda *_: "diverged")
    with pytest.warns(ConvergenceWarning, match="diverged") as caught:
        AmortizedLDA(3, max_iter=1, random_state=0).fit(corpus)
    assert caught[0].filename == __file__


INTERRUPTED = """
import logging, signal, sys, warnings
import numpy as np
from sklearn_amortlda import AmortizedLDA

X = np.random.default_rng(0).poisson(0.5, (200, 30))
lda = AmortizedLDA(3, max_iter=100_000, hidden_layer_sizes=(8,))
# A shell's background jobs ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    lda.fit(X)
assert "interrupted" in str(caught[0].message)
assert np.isfinite(lda.score(X)) and lda.n_iter_ >= 3
print("usable")
"""


@pytest.mark.slow
def test_sigint_ends_a_fit_with_a_usable_model():
    with subprocess.Popen(
        [sys.executable, "-u", "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True
    ) as child:
        for _ in range(3):
            assert child.stdout.readline().startswith("epoch")
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read().splitlines()
    assert child.returncode == 0 and rest[-1] == "usable"
