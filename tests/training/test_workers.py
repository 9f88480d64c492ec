"""Fits by several processes that joblib starts."""

import functools
import os
import signal
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
from conftest import draw_corpus, small_estimator
from joblib._parallel_backends import LokyBackend
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.model_selection import GridSearchCV

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity
from sklearn_amortlda.runtime.jobs import number_of_jobs
from sklearn_amortlda.training import loop, workers

PARAMETERS = {"n_components": 6, "n_jobs": 2}
FITTED = ("components_", "doc_topic_prior_", "bound_")


@pytest.fixture
def small_shards(monkeypatch):
    """Workers of a few documents, so that tests are fast."""
    monkeypatch.setattr(workers, "_MIN_DOCUMENTS", 100)


def assert_equal_models(one, other):
    for name in FITTED:
        assert_array_equal(getattr(one, name), getattr(other, name))
    assert joblib.hash(one._encoder_weights) == joblib.hash(other._encoder_weights)


@pytest.mark.slow
def test_two_workers_fit_as_well_as_one():
    X = draw_corpus(4800, 6, 150, 50)[0]
    train, test = X[:4200], X[4200:]
    one, two, again = (
        AmortizedLDA(6, max_iter=6, n_jobs=n, random_state=0).fit(train)
        for n in (1, 2, 2)
    )
    perplexity, expected = (document_completion_perplexity(m, test) for m in (two, one))
    assert perplexity < 1.02 * expected
    assert two.bound_ == pytest.approx(one.bound_, rel=0.02)
    assert_equal_models(two, again)


@pytest.mark.slow
def test_workers_leave_no_trace_and_fit_streams_and_labels(corpus, small_shards):
    import torch.distributed as dist

    y = np.arange(300) % 3
    lda = small_estimator(**PARAMETERS, label_weight=0.5, early_stopping=True)
    lda.fit(corpus, y)
    n_threads = threading.active_count()
    lda.fit(corpus, y)
    assert threading.active_count() == n_threads
    assert not dist.is_initialized()
    lda.partial_fit(corpus, y)
    assert lda.n_iter_ == len(lda.history_)
    assert np.isfinite(lda.label_proba(corpus)).all()


@pytest.mark.slow
def test_checkpoint_of_all_workers(corpus, small_shards, tmp_path, monkeypatch):
    parameters = {**PARAMETERS, "max_iter": 4}
    whole = small_estimator(**parameters).fit(corpus)
    original = loop.Training.next_epoch

    def stop_after_two(training):
        if training.epoch == 2:
            raise OSError("stopped")
        return original(training)

    # In this process only, so a worker is stopped by the closed group.
    lda = small_estimator(**parameters, checkpoint=tmp_path / "fit.npz")
    monkeypatch.setattr(loop.Training, "next_epoch", stop_after_two)
    with pytest.raises(OSError, match="stopped"):
        lda.fit(corpus)
    monkeypatch.setattr(loop.Training, "next_epoch", original)
    assert_equal_models(lda.fit(corpus), whole)


@pytest.mark.slow
def test_killed_worker_raises_and_keeps_the_fit(corpus, small_shards, monkeypatch):
    from joblib.externals.loky import reusable_executor

    lda = small_estimator(**PARAMETERS).fit(corpus)
    before = joblib.hash(lda)
    original = loop.Training.next_epoch

    def kill(training):
        for pid in list(reusable_executor._executor._processes):
            os.kill(pid, signal.SIGKILL)
        return original(training)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Training, "next_epoch", kill)
        with pytest.raises(RuntimeError, match="worker process of n_jobs failed"):
            lda.fit(corpus)
    assert joblib.hash(lda) == before
    assert lda.fit(corpus).n_iter_ == 3


@pytest.mark.slow
def test_interrupt_before_the_start_ends_the_workers(corpus, small_shards, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    lda = small_estimator(**PARAMETERS)
    with monkeypatch.context() as patch:
        patch.setattr(workers._Workers, "wait_until_all_joined", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lda.fit(corpus)
    assert lda.fit(corpus).n_iter_ == 3


def fails_elsewhere(pid):
    """An encoder that only one process can build."""

    def build(n_features, n_hidden):
        import torch

        class Counts(torch.nn.Linear):
            def forward(self, X):
                if os.getpid() != pid:
                    raise LookupError("no such file")
                return super().forward(X.to_dense())

        return Counts(n_features, n_hidden)

    return build


@pytest.mark.slow
def test_error_of_a_worker_is_the_cause(corpus, small_shards):
    lda = small_estimator(**PARAMETERS, encoder=fails_elsewhere(os.getpid()))
    with pytest.raises(RuntimeError, match="failed with LookupError: no such file"):
        lda.fit(corpus)
    assert not hasattr(lda, "components_")


@pytest.mark.slow
def test_workers_start_no_workers(corpus, small_shards):
    search = GridSearchCV(
        small_estimator(**PARAMETERS, max_iter=1), {"refine": [0, 1]}, cv=2, n_jobs=2
    )
    assert search.fit(corpus).best_estimator_.n_iter_ == 1


def test_threads_and_small_corpora_have_one_process(corpus, monkeypatch):
    monkeypatch.setattr(workers, "joined_workers", None)
    one = small_estimator(max_iter=1).fit(corpus)
    few = small_estimator(max_iter=1, n_jobs=2).fit(corpus)
    assert_equal_models(few, one)
    monkeypatch.setattr(workers, "_MIN_DOCUMENTS", 100)
    with joblib.parallel_config(backend="threading"):
        assert_equal_models(small_estimator(max_iter=1, n_jobs=2).fit(corpus), one)


def test_number_of_workers_is_joblibs():
    assert workers.count_workers(None, 10**6) == 1
    assert workers.count_workers(3, 10**6) == 3
    assert workers.count_workers(3, 5000) == 2
    assert workers.count_workers(-1, 10**6) == joblib.cpu_count()
    with joblib.parallel_config(n_jobs=2):
        assert workers.count_workers(None, 10**6) == 2
    # In a task, where another backend than threads is active under Dask.
    with joblib.parallel_config(LokyBackend(nesting_level=1), n_jobs=2):
        assert number_of_jobs(None) == 1
        assert workers.count_workers(2, 10**6) == 1


@pytest.mark.parametrize(
    ("n_jobs", "match"), [(0, "n_jobs=0 has no meaning"), ("2", "'n_jobs' parameter")]
)
def test_invalid_number_raises(corpus, n_jobs, match):
    with pytest.raises(ValueError, match=match):
        small_estimator(n_jobs=n_jobs).fit(corpus)


def test_process_in_a_group_starts_no_workers(corpus, small_shards, tmp_path):
    import torch.distributed as dist

    dist.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    try:
        with pytest.raises(ValueError, match="is in one already"):
            small_estimator(**PARAMETERS).fit(corpus)
    finally:
        dist.destroy_process_group()


@pytest.mark.slow
def test_each_worker_loads_its_own_shards(tmp_path):
    X = draw_corpus(2400, 6, 150, 50)[0]
    train, test = X[:2000], X[2000:]
    log, loaders = str(tmp_path / "log"), []

    # A local function, which is pickled by value.
    def load(path):
        with open(log, "a") as file:
            file.write(f"{os.getpid()} {path}\n")
        return sparse.load_npz(path)

    for number, part in enumerate(np.array_split(np.arange(2000), 4)):
        path = tmp_path / f"{number}.npz"
        sparse.save_npz(path, train[part])
        loaders.append(functools.partial(load, str(path)))
    whole, sharded, again = (
        AmortizedLDA(6, max_iter=10, n_jobs=n, random_state=0).fit(documents)
        for n, documents in ((1, train), (2, loaders), (2, loaders))
    )
    lines = [line.split() for line in Path(log).read_text().splitlines()]
    owners = {}
    for process, path in lines[:4]:
        owners.setdefault(process, set()).add(path[-5])
    assert sorted(map(sorted, owners.values())) == [["0", "2"], ["1", "3"]]
    assert set(owners) >= {str(os.getpid())}
    assert_equal_models(sharded, again)
    perplexity, expected = (
        document_completion_perplexity(model, test) for model in (sharded, whole)
    )
    assert perplexity < 1.03 * expected


@pytest.mark.slow
def test_shard_that_cannot_be_loaded_raises(corpus):
    def fails_to_load():
        raise OSError("no such shard")

    lda = small_estimator(**PARAMETERS).fit(corpus)
    before = dict(vars(lda))
    with pytest.raises(RuntimeError, match="OSError: no such shard"):
        lda.fit([corpus, fails_to_load])
    with pytest.raises(RuntimeError, match="Shard 1 has 5 columns"):
        lda.fit([corpus, corpus[:, :5]])
    with pytest.raises(RuntimeError, match=r"The shards \[1\], all those of a process"):
        lda.fit([corpus, corpus[:9] * 0])
    assert vars(lda) == before
