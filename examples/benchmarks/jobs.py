"""Time a fit and `transform` with several values of n_jobs, by turns.

    python jobs.py FOLDER                    # a corpus folder
    python jobs.py --documents 100000        # documents drawn from an LDA model
    python jobs.py FOLDER --jobs 1 2 4

Prints wall seconds of a default fit with 50 topics, CPU seconds of the process that
calls `fit`, the completion perplexity of test documents, and wall seconds of
`transform`: medians of the seeds. The caller trains on its share of the documents and
averages like the other processes, so its CPU seconds estimate the wall seconds on a
machine that has a core for each process. The processes are started before the first
measurement; their start is printed too.
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import corpus
import numpy as np
import synthetic

from sklearn_amortlda import AmortizedLDA
from sklearn_amortlda.metrics import document_completion_perplexity


def load(options):
    """Training and test documents."""
    if options.documents is None:
        data = corpus.load(options.folder)
        return data.train.astype(np.float32), data.test.astype(np.float32)
    X = synthetic.draw(options.documents + 2000, 5000)
    return X[: options.documents], X[options.documents :]


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(train, test, n_jobs, seed):
    lda = AmortizedLDA(50, n_jobs=n_jobs, random_state=seed)
    cpu = time.process_time()
    fit = seconds(lambda: lda.fit(train))
    cpu = time.process_time() - cpu
    transform = seconds(lambda: lda.transform(train))
    return (
        fit,
        cpu,
        document_completion_perplexity(lda, test, random_state=0),
        transform,
    )


def start_processes(n_jobs, X):
    lda = AmortizedLDA(50, n_jobs=n_jobs, max_iter=1, random_state=0)
    first = seconds(lambda: lda.fit(X))
    # joblib may give the second fit to a process that has not imported torch yet.
    warm = min(seconds(lambda: lda.fit(X)) for _ in range(n_jobs))
    print(f"n_jobs={n_jobs}: start of the processes {first - warm:.1f} s")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--documents", type=int)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    train, test = load(options)
    for n_jobs in options.jobs:
        # A process needs 2,000 documents.
        start_processes(n_jobs, train[: 2000 * max(options.jobs)])
    runs = {n_jobs: [] for n_jobs in options.jobs}
    for seed in options.seeds:
        for n_jobs in options.jobs:
            runs[n_jobs].append(measure(train, test, n_jobs, seed))
    print("n_jobs   fit, s  ratio  CPU s  ratio  perplexity  transform, s  ratio")
    medians = {n_jobs: np.median(rows, axis=0) for n_jobs, rows in runs.items()}
    one = medians[options.jobs[0]]
    for n_jobs, (fit, cpu, perplexity, transform) in medians.items():
        print(
            f"{n_jobs:6d}  {fit:7.2f}  {one[0] / fit:5.2f}  {cpu:5.1f}"
            f"  {one[1] / cpu:5.2f}  {perplexity:10.1f}"
            f"  {transform:12.3f}  {one[3] / transform:5.2f}"
        )


if __name__ == "__main__":
    main()
