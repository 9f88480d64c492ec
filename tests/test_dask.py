"""The estimator with dask: inference block by block, and model selection."""

import logging
import os
import signal

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn.model_selection import GridSearchCV

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_scorer

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")
cloudpickle = pytest.importorskip("cloudpickle")


@pytest.fixture(scope="module")
def client():
    """A cluster on this machine: two worker processes of one thread."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def lda(corpus):
    return AmortizedLDA(5, max_iter=2, random_state=0).fit(corpus)


def read(X, rows):
    """Replaces the reading of a block from disk, on a worker."""
    return X[rows]


def blocks_of(X, n_blocks):
    """A dask array of sparse blocks of unequal heights."""
    ends = np.cumsum(np.arange(1, n_blocks + 1))
    ends = np.round(ends / ends[-1] * X.shape[0]).astype(int)
    blocks = [
        da.from_delayed(
            dask.delayed(read)(X, slice(start, end)),
            shape=(end - start, X.shape[1]),
            meta=X[:0],
        )
        for start, end in zip([0, *ends[:-1]], ends)
    ]
    return da.concatenate(blocks)


# As in the README's section on scale.


def infer(block, lda):
    # scikit-learn's transformers raise a ValueError for a block without rows.
    if not block.shape[0]:
        return np.empty((0, lda.n_components))
    return lda.transform(block)


def transform(X, lda):
    return X.map_blocks(
        infer,
        lda=dask.delayed(lda),
        chunks=(X.chunks[0], (lda.n_components,)),
        meta=np.empty((0, lda.n_components)),
    )


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
def test_transform_of_blocks_equals_transform_of_the_whole(lda, corpus, kind):
    X = blocks_of(kind(corpus), 4)
    theta = transform(X, lda)
    assert theta.shape == (corpus.shape[0], 5)
    assert theta.chunks[0] == X.chunks[0]
    np.testing.assert_array_equal(
        theta.compute(scheduler="threads", num_workers=2), lda.transform(corpus)
    )


def test_blocks_without_rows_have_results_without_rows(lda, corpus):
    ends = [0, 5, 5, corpus.shape[0]]
    blocks = [
        da.from_delayed(
            dask.delayed(read)(corpus, slice(start, end)),
            shape=(end - start, corpus.shape[1]),
            meta=corpus[:0],
        )
        for start, end in zip([0, *ends[:-1]], ends)
    ]
    theta = transform(da.concatenate(blocks), lda).compute()
    np.testing.assert_array_equal(theta, lda.transform(corpus))


def test_slice_of_the_result_infers_its_own_blocks_only(lda, corpus, monkeypatch):
    inferred = []
    original = AmortizedLDA.transform

    def counting(self, X):
        inferred.append(X.shape[0])
        return original(self, X)

    monkeypatch.setattr(AmortizedLDA, "transform", counting)
    X = blocks_of(corpus, 4)
    transform(X, lda)[:10].compute(scheduler="synchronous")
    assert inferred == [X.chunks[0][0]]


@pytest.mark.slow
def test_transform_on_a_cluster_equals_local_transform(lda, corpus, client):
    theta = transform(blocks_of(corpus, 4), lda).compute()
    np.testing.assert_array_equal(theta, lda.transform(corpus))


# Otherwise the model would be sent with every block.
def test_graph_contains_the_model_once(lda, corpus):
    tasks = transform(blocks_of(corpus[:40], 12), lda).__dask_graph__()
    model = len(cloudpickle.dumps(lda))
    sizes = [len(cloudpickle.dumps(task)) for task in dict(tasks).values()]
    assert sum(size > model for size in sizes) == 1


@pytest.mark.slow
def test_errors_of_a_worker_name_their_cause(lda, corpus, client):
    for X, message in [(-corpus, "Negative values"), (corpus[:, :9], "9 features")]:
        with pytest.raises(ValueError, match=message):
            client.submit(lda.transform, X).result()


@pytest.mark.slow
def test_grid_search_on_a_cluster_equals_the_local_one(corpus, client):
    search = GridSearchCV(
        AmortizedLDA(max_iter=2, random_state=0),
        {"n_components": [2, 5]},
        scoring=document_completion_scorer,
        cv=2,
    )
    expected = search.fit(corpus).cv_results_["mean_test_score"]
    with joblib.parallel_config("dask", scatter=[corpus]):
        search.fit(corpus)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], expected)
    ran_on = client.run(lambda: "torch" in __import__("sys").modules)
    assert any(ran_on.values()), "no worker has run a fit"


@pytest.mark.slow
def test_fit_by_the_processes_of_a_cluster_equals_the_local_one(
    corpus, client, monkeypatch
):
    monkeypatch.setattr("sklearn_amortlda.training.workers._MIN_DOCUMENTS", 100)
    lda = AmortizedLDA(5, max_iter=2, n_jobs=2, random_state=0)
    local = lda.fit(corpus).components_
    with joblib.parallel_config("dask"):
        np.testing.assert_array_equal(lda.fit(corpus).components_, local)


@pytest.mark.slow
def test_delayed_shards_and_a_killed_worker(client, corpus, caplog, monkeypatch):
    def load(rows):
        return corpus[rows]

    halves = [dask.delayed(load)(slice(i, i + 150)) for i in (0, 150)]
    lda = AmortizedLDA(5, max_iter=2, n_jobs=2, random_state=0)
    with joblib.parallel_config("dask"):
        components = lda.fit(halves).components_
        again = AmortizedLDA(5, max_iter=2, n_jobs=2, random_state=0).fit(halves)
        np.testing.assert_array_equal(again.components_, components)
        processes = list(client.run(os.getpid).values())

        def kill(record):
            # After an epoch, because Dask repeats a task that is killed earlier.
            while processes:
                os.kill(processes.pop(), signal.SIGKILL)

        logger, handler = logging.getLogger("sklearn_amortlda"), logging.Handler()
        handler.emit = kill
        caplog.set_level(logging.INFO, logger.name)
        monkeypatch.setattr(logger, "handlers", [handler])
        with pytest.raises(RuntimeError):
            lda.set_params(max_iter=5_000).fit(halves)
    assert lda.components_ is components
