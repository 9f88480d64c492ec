"""Two processes fit what one would, end with one model, and wait for no dead one."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pytest
from conftest import draw_corpus
from scipy import sparse
from sklearn.base import clone

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity

pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(),
    reason="forks ranks from a process that has imported torch",
)

EXAMPLE = Path(__file__).parent.parent / "examples" / "distributed.py"
# Steps without random numbers, but for the first topics.
FULL_BATCH = {
    "batch_size": 600,
    "objective": "bound",
    "learning_schedule": "power",
    "max_iter": 5,
    "random_state": 0,
}
CASES = [(alpha, weighted) for alpha in (0.2, "auto") for weighted in (False, True)]


@pytest.fixture
def ranks(tmp_path):
    """Runs a function of the rank in two processes, and gives what they return."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sklearn_amortlda._setup"])

    def run(function, *arguments):
        parents, children = zip(*(context.Pipe() for _ in range(2)))
        store = f"file://{tmp_path}/{function.__name__}"
        processes = [
            context.Process(target=_rank, args=(child, store, r, function, arguments))
            for r, child in enumerate(children)
        ]
        for process in processes:
            process.start()
        for child in children:
            child.close()
        # A rank that is killed closes its end: EOFError, None here.
        results = [_received(parent) for parent in parents]
        for process in processes:
            process.join(10)
        return results

    return run


def _rank(pipe, store, rank, function, arguments):
    import torch.distributed as dist

    timeout = timedelta(seconds=60)
    dist.init_process_group(
        "gloo", init_method=store, rank=rank, world_size=2, timeout=timeout
    )
    pipe.send(function(rank, *arguments))


def _received(pipe):
    assert pipe.poll(60), "a rank hangs"
    try:
        return pipe.recv()
    except EOFError:
        return None


def planted():
    """Training and held-out documents, those that are alike together."""
    X = draw_corpus(800, 6, 150, 50)[0]
    train, test = X[:600], X[600:]
    return train[np.argsort(train.toarray().argmax(axis=1))], test


def shard(X, rank):
    """A fifth of the documents, or the others."""
    fifth = X.shape[0] // 5
    return X[:fifth] if rank == 0 else X[fifth:]


def attempt(action):
    """What an action raises, as text."""
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# -- what the ranks do ----------------------------------------------------------------


def noisy_module(n_features, n_hidden):
    """A user's encoder, each rank's with random numbers and means of its own."""
    from torch import nn

    class Counts(nn.Linear):
        def forward(self, X):
            return super().forward(X.to_dense())

    return nn.Sequential(
        Counts(n_features, n_hidden), nn.BatchNorm1d(n_hidden), nn.Dropout(0.5)
    )


def fits_one_model(rank):
    X = shard(planted()[0], rank)
    # More topics than there are, so that some are recycled; a seed of the ranks' own.
    lda = AmortizedLDA(
        9, topic_word_prior="auto", batch_size=60, max_iter=15, early_stopping=True,
        evaluate_every=5, distributed=True,
    ).fit(X)  # fmt: skip
    fitted = joblib.hash(lda)
    custom = AmortizedLDA(
        3, encoder=noisy_module, batch_size=100, max_iter=2, distributed=True
    ).fit(X)
    others = joblib.hash(lda.partial_fit(X)), joblib.hash(custom._encoder_weights)
    return lda, fitted, *others


def full_batches(alpha, weighted, rank=None):
    """A model of all documents, or what a rank has of it."""
    X, rng = planted()[0], np.random.default_rng(0)
    weights = rng.integers(0, 4, X.shape[0]) if weighted else np.ones(X.shape[0])
    if rank is not None:
        X, weights = shard(X, rank), shard(weights, rank)
    lda = AmortizedLDA(6, doc_topic_prior=alpha, **FULL_BATCH)
    return lda.set_params(distributed=rank is not None).fit(X, sample_weight=weights)


def fits_in_full_batches(rank):
    return [full_batches(*case, rank) for case in CASES]


def is_killed(rank):
    from sklearn_amortlda._learner import Learner

    step = Learner.step

    def fatal_step(learner, *arguments):
        if rank == 1 and learner.n_batch_iter == 30:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(learner, *arguments)

    X = shard(planted()[0], rank)
    lda = AmortizedLDA(3, max_iter=1, distributed=True).fit(X)
    Learner.step, before, begin = fatal_step, joblib.hash(lda), time.monotonic()
    lda.max_iter = 1000
    error = attempt(lambda: lda.fit(X))
    lda.max_iter = 1
    return error, joblib.hash(lda) == before, time.monotonic() - begin


def makes_mistakes(rank):
    X = shard(planted()[0], rank)
    lda = AmortizedLDA(3, max_iter=2, random_state=0, distributed=True)
    bad = {
        "negative": -X if rank else X,
        "columns": X[:, : 150 - rank],
        "documents": X[:300] if rank else X[:2],
    }
    errors = {name: attempt(partial(lda.fit, Y)) for name, Y in bad.items()}
    lda.n_components += rank
    errors["parameters"] = attempt(partial(lda.fit, X))
    lda.n_components = 3
    errors["none"] = attempt(partial(lda.fit, X))
    # Of two ranks one has forgotten the first fit.
    other = lda if rank else clone(lda)
    errors["history"] = attempt(partial(other.partial_fit, X))
    return errors


def counts_messages(rank):
    from sklearn_amortlda._distributed import Peers

    sent, add = [], Peers.add
    Peers.add = lambda peers, tensor: sent.append(tensor.numel()) or add(peers, tensor)
    narrow = sparse.csr_array(shard(planted()[0], rank))
    shape = (narrow.shape[0], 50_000)
    wide = sparse.csr_array((narrow.data, narrow.indices, narrow.indptr), shape=shape)
    largest = []
    for X in narrow, wide:
        lda = AmortizedLDA(3, random_state=0, distributed=True).partial_fit(X)
        sent.clear()  # what it takes to begin
        lda.partial_fit(X)
        largest.append(max(sent))
    return largest


# -- what comes of it -----------------------------------------------------------------


def test_ranks_end_with_one_model_that_one_process_could_have_fitted(ranks):
    (lda, *hashes), (_, *others) = ranks(fits_one_model)
    assert hashes == others
    train, test = planted()
    alone = AmortizedLDA(
        9, topic_word_prior="auto", batch_size=60, max_iter=15, random_state=0
    ).fit(train)
    perplexity, expected = (
        document_completion_perplexity(model, test) for model in (lda, alone)
    )
    assert perplexity < 1.03 * expected


def test_a_step_of_all_ranks_is_that_of_one_process(ranks):
    models, _ = ranks(fits_in_full_batches)
    for (alpha, weighted), lda in zip(CASES, models, strict=True):
        alone = full_batches(alpha, weighted)
        bounds, expected = ([r["bound"] for r in m.history_] for m in (lda, alone))
        assert bounds == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(lda.topic_word_, alone.topic_word_, atol=1e-4)
        # Adam makes steps of rounding errors where the norm cancels the head's bias.
        assert lda.bound_ == pytest.approx(alone.bound_, rel=1e-4)


def test_the_others_end_when_one_is_killed(ranks):
    (error, unchanged, seconds), killed = ranks(is_killed)
    assert killed is None
    assert "RuntimeError: Another rank of the distributed fit has failed" in error
    assert unchanged
    assert seconds < 30


def test_a_mistake_of_one_rank_ends_all_and_the_next_fit_succeeds(ranks):
    first, second = ranks(makes_mistakes)
    assert "Another rank" in first.pop("negative")
    assert "Negative values" in second.pop("negative")
    # Each other mistake is everybody's.
    assert first == second
    assert first["none"] is None
    assert "ValueError: Ranks differ in what they were" in first["history"]
    assert "differ in n_features_in_" in first["columns"]
    assert "[2, 300] documents" in first["documents"]
    assert "differ in the parameter n_components" in first["parameters"]


def test_messages_follow_the_words_of_a_batch(ranks):
    for narrow, wide in ranks(counts_messages):
        assert narrow == wide


def test_one_rank_is_one_process(tmp_path, corpus):
    import torch.distributed as dist

    dist.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    try:
        models = [
            AmortizedLDA(3, max_iter=2, random_state=0, distributed=d).fit(corpus)
            for d in (True, False)
        ]
    finally:
        dist.destroy_process_group()
    assert np.array_equal(models[0].components_, models[1].components_)


def test_without_a_group_it_is_said_how_to_get_one(corpus):
    with pytest.raises(ValueError, match=r"torchrun.*init_process_group"):
        AmortizedLDA(3, distributed=True).fit(corpus)


def test_the_example_runs_under_torchrun(tmp_path):
    train, test = planted()
    for i in range(4):
        sparse.save_npz(tmp_path / f"shard-{i}.npz", train[i::4])
    sparse.save_npz(tmp_path / "held-out.npz", test)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    script = [EXAMPLE, tmp_path, "--n-components", "6", "--max-iter", "5"]
    result = subprocess.run(
        [*torchrun, "--nproc_per_node=2", *script],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert re.findall(r"rank \d: 300 documents", result.stdout)
    assert float(result.stdout.split("perplexity")[1]) < 150
    assert joblib.load(tmp_path / "distributed.joblib").n_iter_ == 5
