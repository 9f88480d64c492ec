"""One measurement of scaling.py, in its own process.

scaling.py passes the name of the measurement and its settings as JSON. The output is a
JSON record. Imports, the drawing of the corpus and a first small fit are not timed. The
seconds of an epoch are those between two log records of the package.
"""

import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from worker import peak_memory_mb, stopwatch

MB = 2**20
WARM_UP_DOCUMENTS = 600
# `transform` is repeated for this time or longer.
SECONDS = 1.0


class EpochClock(logging.Handler):
    """CPU and wall seconds of the epochs of all fits in a block."""

    logger = logging.getLogger("sklearn_amortlda")

    def __enter__(self):
        self.stamps = []
        self.logger.addHandler(self)
        self.logger.setLevel(logging.INFO)
        return self

    def __exit__(self, *_):
        self.logger.removeHandler(self)

    def emit(self, record):
        self.stamps.append((time.process_time(), time.perf_counter()))

    def seconds(self):
        """Seconds of each epoch but the first, which includes the initialization."""
        cpu, wall = np.diff(self.stamps, axis=0).T
        return {"cpu": cpu, "wall": wall}

    def seconds_per_epoch(self, batch_size):
        """The minimum; for batch_size='auto', whose batches grow, the mean."""
        typical = np.mean if batch_size == "auto" else np.min
        return {kind: float(typical(s)) for kind, s in self.seconds().items()}


def epochs(*, n_topics, n_epochs, batch_size, **corpus):
    """Seconds of an epoch of `fit` on a synthetic corpus."""
    from synthetic import draw

    X = draw(**corpus)
    warm_up(X)
    lda = estimator(n_topics, batch_size, max_iter=n_epochs + 1)
    with EpochClock() as clock, stopwatch() as fit:
        lda.fit(X)
    epoch = clock.seconds_per_epoch(batch_size)
    every_epoch = clock.seconds()["cpu"]
    n_steps = lda.n_batch_iter_ / lda.n_iter_
    return {
        "documents": X.shape[0],
        "words": X.shape[1],
        "topics": n_topics,
        "nonzeros_per_document": X.nnz / X.shape[0],
        "documents_per_batch": X.shape[0] / n_steps,
        "distinct_words_per_batch": distinct_words(X, int(X.shape[0] / n_steps)),
        "epoch_cpu_s": epoch["cpu"],
        "epoch_wall_s": epoch["wall"],
        "epochs_cpu_s": list(every_epoch),
        "step_cpu_ms": 1e3 * epoch["cpu"] / n_steps,
        "ns_per_nonzero": 1e9 * epoch["cpu"] / X.nnz,
        "us_per_document": 1e6 * epoch["cpu"] / X.shape[0],
        # Outside of the epochs: the initial state, the evidence bound of the corpus,
        # and the conversion of the result to arrays.
        "fixed_cpu_s": fit["cpu"] - lda.n_iter_ * float(np.mean(every_epoch)),
        "peak_memory_mb": peak_memory_mb(),
        "model_mb": model_mb(lda),
        "corpus_mb": (X.data.nbytes + X.indices.nbytes + X.indptr.nbytes) / MB,
    }


def ranks(**settings):
    """The record of `rank` in two processes that torchrun starts."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    finished = subprocess.run(
        [*torchrun, "--nproc_per_node=2", __file__, "rank", json.dumps(settings)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout)


def rank(*, n_topics, n_epochs, batch_size, **corpus):
    """Seconds of an epoch of a distributed fit; each rank has a part of the corpus."""
    import torch.distributed as dist
    from synthetic import draw

    dist.init_process_group("gloo")
    X = draw(**corpus)[dist.get_rank() :: dist.get_world_size()]
    warm_up(X)
    lda = estimator(n_topics, batch_size, max_iter=n_epochs + 1, distributed=True)
    with EpochClock() as clock:
        lda.fit(X)
    first = dist.get_rank() == 0
    dist.destroy_process_group()
    epoch = clock.seconds_per_epoch(batch_size)
    seconds = {"rank_cpu_s": epoch["cpu"], "ranks_wall_s": epoch["wall"]}
    return seconds if first else None


def stream(*, folder, n_documents, n_topics):
    """Peak memory and seconds of `partial_fit`, with one shard in memory at a time."""
    from scipy import sparse
    from synthetic import CHUNK

    shards = sorted(Path(folder).glob("shard-*.npz"))[: n_documents // CHUNK]
    first = sparse.load_npz(shards[0])
    shard_mb = (first.data.nbytes + first.indices.nbytes + first.indptr.nbytes) / MB
    # Small, so that the warm-up does not raise the memory of the baseline.
    warm_up(first[:100, :50])
    del first
    before_mb = peak_memory_mb()
    lda = estimator(n_topics, "auto")
    reading, training, documents, nonzeros = 0.0, 0.0, 0, 0
    for shard in shards:
        with stopwatch() as read:
            X = sparse.load_npz(shard)
        with stopwatch() as train:
            lda.partial_fit(X)
        reading += read["wall"]
        training += train["cpu"]
        documents += X.shape[0]
        nonzeros += X.nnz
    peak_mb = peak_memory_mb() - before_mb
    return {
        "documents": documents,
        "words": X.shape[1],
        "nonzeros_per_document": nonzeros / documents,
        "before_mb": before_mb,
        "peak_mb": peak_mb,
        "model_mb": model_mb(lda),
        "shard_mb": shard_mb,
        "rest_in_shards": (peak_mb - model_mb(lda)) / shard_mb,
        "disk_bytes_per_nonzero": sum(s.stat().st_size for s in shards) / nonzeros,
        "read_wall_ns_per_nonzero": 1e9 * reading / nonzeros,
        "ns_per_nonzero": 1e9 * training / nonzeros,
        "us_per_document": 1e6 * training / documents,
    }


def chunks(*, folder, quick, n_topics, n_passes, n_chunks):
    """Held-out perplexity of `fit`, and of `partial_fit` with as many passes."""
    import corpus as corpora

    corpus = corpora.load(folder, quick)
    n_documents = corpus.train.shape[0]
    settings = {"max_iter": n_passes, "total_samples": n_documents}
    whole = estimator(n_topics, "auto", **settings).fit(corpus.train)
    record = {"documents": n_documents, "fit": perplexity(whole, corpus.test)}
    for schedule in ("cosine", "power"):
        lda = estimator(n_topics, "auto", learning_schedule=schedule, **settings)
        rng = np.random.default_rng(0)
        for _ in range(n_passes):
            for rows in np.array_split(rng.permutation(n_documents), n_chunks):
                lda.partial_fit(corpus.train[rows])
        record[schedule] = perplexity(lda, corpus.test)
    return record


def write_shards(**settings):
    """Write the shards of `stream`."""
    import synthetic

    synthetic.write_shards(**settings)
    return settings


def pyro(*, folder, n_topics):
    """Pyro's share of a step."""
    from pyro_share import measure

    return measure(counts(folder), n_topics)


def peers(*, folder, quick, n_topics, n_passes, n_epochs):
    """Training, inference and quality of AmortizedLDA and scikit-learn on a corpus."""
    import corpus as corpora
    from peers import PEERS

    corpus = corpora.load(folder, quick)
    ours = PEERS["amortlda"](n_topics, 0, n_epochs, 1).model
    warm_up(corpus.train)
    ours.fit(corpus.train)
    # The size of the first batches; later steps merge several batches.
    n_batches = ours._time // ours.n_iter_
    batch_size = -(-corpus.train.shape[0] // n_batches)
    record = {
        "documents": corpus.train.shape[0],
        "documents_per_batch": batch_size,
        "passes": {"ours": ours.n_iter_, "sklearn": n_passes},
        "inference": {},
    }

    theirs = PEERS["sklearn-online"](n_topics, 0, 1, 1).model
    theirs.set_params(batch_size=batch_size, total_samples=corpus.train.shape[0])
    record |= training_times(ours, theirs, corpus, n_passes)
    for refine in (0, 2, 3):
        ours.set_params(refine=refine)
        record["inference"][f"refine={refine}"] = inference(ours, corpus.test)
    record["inference"]["sklearn"] = inference(theirs, corpus.test)
    return record


def training_times(ours, theirs, corpus, n_passes):
    """Seconds of an epoch of AmortizedLDA and of a pass of scikit-learn's online LDA.

    A fit and a pass alternate, because the speed of a machine changes over time. The
    time of an epoch is that of a fit up to the end of its last epoch, divided by the
    number of epochs. `fit(max_iter=1)` of scikit-learn is one pass and an evaluation.
    """
    from sklearn.base import clone

    with stopwatch() as fit:
        clone(theirs).fit(corpus.train)
    epochs, passes = [], []
    for n_pass in range(n_passes):
        start = time.process_time()
        with EpochClock() as clock:
            clone(ours).fit(corpus.train)
        epochs.append((clock.stamps[-1][0] - start) / ours.max_iter)
        order = np.random.default_rng(n_pass).permutation(corpus.train.shape[0])
        batch_size = theirs.batch_size
        with stopwatch() as one_pass:
            for start in range(0, len(order), batch_size):
                theirs.partial_fit(corpus.train[order[start : start + batch_size]])
        passes.append(one_pass["cpu"])
        if n_pass == 0:
            after_one = perplexity(theirs, corpus.test)
    return {
        "epoch_cpu_s": float(np.median(epochs)),
        "sklearn_pass_cpu_s": float(np.median(passes)),
        "pass_over_epoch": float(np.median(np.divide(passes, epochs))),
        "epochs_cpu_s": epochs,
        "sklearn_passes_cpu_s": passes,
        "sklearn_fit_cpu_s": fit["cpu"],
        "sklearn_fit_wall_s": fit["wall"],
        "sklearn_perplexity_one_pass": after_one,
    }


def inference(lda, X):
    """Documents per second of the fastest `transform`, and held-out perplexity."""
    lda.transform(X[:WARM_UP_DOCUMENTS])
    cpu, wall = [], []
    while len(cpu) < 3 or sum(wall) < SECONDS:
        with stopwatch() as once:
            lda.transform(X)
        cpu.append(once["cpu"])
        wall.append(once["wall"])
    return {
        "documents_per_cpu_s": X.shape[0] / min(cpu),
        "documents_per_wall_s": X.shape[0] / min(wall),
        "perplexity": perplexity(lda, X),
    }


def perplexity(lda, X):
    from sklearn_amortlda.metrics import document_completion_perplexity

    return document_completion_perplexity(lda, X)


def counts(folder):
    """The training documents of a corpus folder; without a folder, synthetic ones."""
    if folder is None:
        from synthetic import draw

        return draw(3000, 5000)
    import corpus as corpora

    return corpora.load(folder).train


def estimator(n_topics, batch_size, **parameters):
    from sklearn_amortlda import AmortizedLDA

    return AmortizedLDA(n_topics, batch_size=batch_size, random_state=0, **parameters)


def warm_up(X):
    """Import modules and call each method once, on few documents and columns."""
    X = X[:WARM_UP_DOCUMENTS, :5000]
    estimator(5, 64, max_iter=1).fit(X).partial_fit(X).transform(X)


def distinct_words(X, batch_size, n_batches=10):
    """Mean number of distinct words in a random batch."""
    rng = np.random.default_rng(0)
    batches = (
        X[rng.choice(X.shape[0], batch_size, replace=False)] for _ in range(n_batches)
    )
    return float(np.mean([len(np.unique(batch.indices)) for batch in batches]))


def model_mb(lda):
    """Memory of the arrays of a fitted estimator, with encoder and optimizer."""
    values = [*vars(lda).values(), *lda._encoder_weights.values()]
    values += lda._optimizer_state.values()
    return sum(v.nbytes for v in values if isinstance(v, np.ndarray)) / MB


MEASUREMENTS = {
    f.__name__: f
    for f in (epochs, ranks, rank, chunks, stream, write_shards, pyro, peers)
}

if __name__ == "__main__":
    record = MEASUREMENTS[sys.argv[1]](**json.loads(sys.argv[2]))
    if record is not None:
        sys.stdout.write(json.dumps(record))
