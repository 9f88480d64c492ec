"""Milliseconds of `transform` for few documents, beside scikit-learn's LDA.

    python latency.py FOLDER/20NG

Both models have 50 topics and one thread. Prints the median of repeated calls on test
documents.
"""

import argparse
import os
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import corpus
import numpy as np
from sklearn.decomposition import LatentDirichletAllocation

from sklearn_amortlda import AmortizedLDA


def milliseconds(transform, parts):
    # The first call loads the encoder.
    transform(parts[0])
    times = []
    for part in parts:
        start = time.perf_counter()
        transform(part)
        times.append(time.perf_counter() - start)
    return 1e3 * np.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 10, 100, 1000])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    data = corpus.load(options.folder)
    ours = AmortizedLDA(50, max_iter=5, random_state=0).fit(data.train)
    theirs = LatentDirichletAllocation(
        50, learning_method="online", max_iter=5, random_state=0
    ).fit(data.train)
    print("documents  AmortizedLDA, ms  scikit-learn, ms")
    for size in options.sizes:
        n_calls = max(5, 200 // size)
        parts = [data.test[i * size : (i + 1) * size] for i in range(n_calls)]
        cells = [milliseconds(model.transform, parts) for model in (ours, theirs)]
        print(f"{size:9d}  {cells[0]:16.2f}  {cells[1]:16.2f}", flush=True)


if __name__ == "__main__":
    main()
