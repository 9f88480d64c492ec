"""One measurement of scaling.py, in a process of its own.

Called with the measurement's name and its settings as JSON; prints a JSON record. Not
timed are imports, drawing the corpus, and a small fit first, which meets all first-call
costs. Seconds of an epoch run from one of its log records to the next.
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
# A transform is repeated until it has taken this long, at least.
SECONDS = 1.0


class EpochClock(logging.Handler):
    """CPU and wall seconds of the epochs of all fits in its context."""

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
        """Seconds of each epoch but the first, which includes the setting up."""
        cpu, wall = np.diff(self.stamps, axis=0).T
        return {"cpu": cpu, "wall": wall}

    def seconds_an_epoch(self, batch_size):
        """The least, or the mean where batches grow from epoch to epoch."""
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
    epoch = clock.seconds_an_epoch(batch_size)
    every_epoch = clock.seconds()["cpu"]
    n_steps = lda.n_batch_iter_ / lda.n_iter_
    return {
        "documents": X.shape[0],
        "words": X.shape[1],
        "topics": n_topics,
        "nonzeros_a_document": X.nnz / X.shape[0],
        "documents_a_batch": X.shape[0] / n_steps,
        "distinct_words_a_batch": distinct_words(X, int(X.shape[0] / n_steps)),
        "epoch_cpu_s": epoch["cpu"],
        "epoch_wall_s": epoch["wall"],
        "epochs_cpu_s": list(every_epoch),
        "step_cpu_ms": 1e3 * epoch["cpu"] / n_steps,
        "ns_a_nonzero": 1e9 * epoch["cpu"] / X.nnz,
        "us_a_document": 1e6 * epoch["cpu"] / X.shape[0],
        # Before the first epoch and after the last: the initial state, the evidence
        # bound, the result as arrays.
        "fixed_cpu_s": fit["cpu"] - lda.n_iter_ * float(np.mean(every_epoch)),
        "peak_memory_mb": peak_memory_mb(),
        "model_mb": model_mb(lda),
        "corpus_mb": (X.data.nbytes + X.indices.nbytes + X.indptr.nbytes) / MB,
    }


def ranks(**settings):
    """`rank` on each of two processes, started by torchrun."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    finished = subprocess.run(
        [*torchrun, "--nproc_per_node=2", __file__, "rank", json.dumps(settings)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout)


def rank(*, n_topics, n_epochs, batch_size, **corpus):
    """Seconds of an epoch that ranks make together, each on its share of documents."""
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
    epoch = clock.seconds_an_epoch(batch_size)
    seconds = {"rank_cpu_s": epoch["cpu"], "ranks_wall_s": epoch["wall"]}
    return seconds if first else None


def stream(*, folder, n_documents, n_topics):
    """Peak memory and seconds of `partial_fit` over shards on disk, one at a time."""
    from scipy import sparse
    from synthetic import CHUNK

    shards = sorted(Path(folder).glob("shard-*.npz"))[: n_documents // CHUNK]
    first = sparse.load_npz(shards[0])
    chunk_mb = (first.data.nbytes + first.indices.nbytes + first.indptr.nbytes) / MB
    # Of a hundredth of the size, so that what it takes is no part of the baseline.
    warm_up(first[:100, :50])
    del first
    before_mb = peak_memory_mb()
    lda = estimator(n_topics, "auto")
    reading, learning, documents, nonzeros = 0.0, 0.0, 0, 0
    for shard in shards:
        with stopwatch() as read:
            X = sparse.load_npz(shard)
        with stopwatch() as learn:
            lda.partial_fit(X)
        reading += read["wall"]
        learning += learn["cpu"]
        documents += X.shape[0]
        nonzeros += X.nnz
    peak_mb = peak_memory_mb() - before_mb
    return {
        "documents": documents,
        "words": X.shape[1],
        "nonzeros_a_document": nonzeros / documents,
        "before_mb": before_mb,
        "peak_mb": peak_mb,
        "model_mb": model_mb(lda),
        "chunk_mb": chunk_mb,
        "chunks_beside_model": (peak_mb - model_mb(lda)) / chunk_mb,
        "disk_bytes_a_nonzero": sum(s.stat().st_size for s in shards) / nonzeros,
        "read_wall_ns_a_nonzero": 1e9 * reading / nonzeros,
        "ns_a_nonzero": 1e9 * learning / nonzeros,
        "us_a_document": 1e6 * learning / documents,
    }


def chunks(*, folder, quick, n_topics, n_passes, n_chunks):
    """Held-out perplexity of `fit`, and of as many passes of `partial_fit`."""
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
    """The shards of `stream`."""
    import synthetic

    synthetic.write_shards(**settings)
    return settings


def pyro(*, folder, n_topics):
    """Pyro's share of a step."""
    from pyro_share import measure

    step, elbo, terms = measure(counts(folder, n_topics).astype(np.float32), n_topics)
    return {
        "step_ms": step,
        "elbo_ms": elbo,
        "terms_ms": terms,
        "share": (elbo - terms) / step,
    }


def peers(*, folder, quick, n_topics, n_passes, n_epochs):
    """An epoch, inference and quality, ours and scikit-learn's, on a real corpus."""
    import corpus as corpora
    from peers import PEERS

    corpus = corpora.load(folder, quick)
    ours = PEERS["amortlda"](n_topics, 0, n_epochs, 1).model
    warm_up(corpus.train)
    ours.fit(corpus.train)
    # The first batches; later steps take several at once.
    n_batches = ours._time // ours.n_iter_
    batch_size = -(-corpus.train.shape[0] // n_batches)
    record = {
        "documents": corpus.train.shape[0],
        "documents_a_batch": batch_size,
        "passes": {"ours": ours.n_iter_, "sklearn": n_passes},
        "inference": {},
    }

    theirs = PEERS["sklearn-online"](n_topics, 0, 1, 1).model
    theirs.set_params(batch_size=batch_size, total_samples=corpus.train.shape[0])
    record |= training(ours, theirs, corpus, n_passes)
    for refine in (0, 2, 3):
        ours.set_params(refine=refine)
        record["inference"][f"refine={refine}"] = inference(ours, corpus.test)
    record["inference"]["sklearn"] = inference(theirs, corpus.test)
    return record


def training(ours, theirs, corpus, n_passes):
    """Seconds of our epochs and of passes of scikit-learn's online method.

    By turns, since a machine's speed changes with what others do on it: a fit before
    each pass. A mean epoch is a fit's time until the end of the last one, over their
    number. Of the passes `fit(max_iter=1)` is another form, with an evaluation at its
    end.
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
    """Documents a second of `transform`, the best of some, and held-out perplexity."""
    lda.transform(X[:WARM_UP_DOCUMENTS])
    cpu, wall = [], []
    while len(cpu) < 3 or sum(wall) < SECONDS:
        with stopwatch() as once:
            lda.transform(X)
        cpu.append(once["cpu"])
        wall.append(once["wall"])
    return {
        "documents_a_cpu_s": X.shape[0] / min(cpu),
        "documents_a_wall_s": X.shape[0] / min(wall),
        "perplexity": perplexity(lda, X),
    }


def perplexity(lda, X):
    from sklearn_amortlda.metrics import document_completion_perplexity

    return document_completion_perplexity(lda, X)


def counts(folder, n_topics):
    """The training documents of a corpus folder, or synthetic ones without a folder."""
    if folder is None:
        from synthetic import draw

        return draw(3000, 5000)
    import corpus as corpora

    return corpora.load(folder).train


def estimator(n_topics, batch_size, **parameters):
    from sklearn_amortlda import AmortizedLDA

    return AmortizedLDA(n_topics, batch_size=batch_size, random_state=0, **parameters)


def warm_up(X):
    """Imports and first calls, on few documents and the first of the columns."""
    X = X[:WARM_UP_DOCUMENTS, :5000]
    estimator(5, 64, max_iter=1).fit(X).partial_fit(X).transform(X)


def distinct_words(X, batch_size, n_batches=10):
    """Mean number of words that occur in a random batch."""
    rng = np.random.default_rng(0)
    batches = (
        X[rng.choice(X.shape[0], batch_size, replace=False)] for _ in range(n_batches)
    )
    return float(np.mean([len(np.unique(batch.indices)) for batch in batches]))


def model_mb(lda):
    """Of a fitted estimator: its arrays, of the encoder and the optimizer too."""
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
