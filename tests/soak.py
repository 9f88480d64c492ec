"""Two hundred fits in one process, without growth: `python tests/soak.py`.

Every fit is followed by what a service does with a model; memory, threads and file
handles are counted as it goes. Ends with an error where they grow. Not collected by
pytest.
"""

import argparse
import gc
import os
import pickle
import sys
import threading
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from conftest import draw_corpus

from sklearn_amortlda import AmortizedLDA

OBJECTIVES = ["completion", "collapsed", "bound", "sampled", "logistic_normal"]
# Fits whose growth is not counted: libraries fill their caches.
WARM_UP = 40
# Of resident memory: less than a fiftieth of what one model of this size takes.
LARGEST_GROWTH = 10_000  # bytes a fit


def measured():
    """Resident memory, threads and open files of this process."""
    gc.collect()
    status = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in status)
    return (
        1024 * int(fields["VmRSS"].split()[0]),
        max(int(fields["Threads"]), threading.active_count()),
        len(os.listdir("/proc/self/fd")),
    )


def use(seed, X):
    """Fit, go on, answer, save, load; and fail once."""
    lda = AmortizedLDA(
        20,
        objective=OBJECTIVES[seed % len(OBJECTIVES)],
        early_stopping=seed % 2 == 0,
        hidden_layer_sizes=(50,),
        max_iter=2,
        random_state=seed,
        device="cpu",
    )
    lda.fit(X).partial_fit(X[:100])
    lda.transform(X), lda.score(X)
    pickle.loads(pickle.dumps(lda)).transform(X[:10])
    try:
        lda.fit(X * np.inf)
    except ValueError:
        return
    raise AssertionError("infinite counts were accepted")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=200)
    n_fits = parser.parse_args().fits
    warnings.simplefilter("ignore")
    X = draw_corpus(300, 10, 1000, 50)[0].astype(float)
    records = []
    for seed in range(n_fits):
        use(seed, X)
        records.append(measured())
        if (seed + 1) % 20 == 0:
            memory, threads, files = records[-1]
            print(
                f"{seed + 1} fits: {memory / 1e6:.1f} MB, {threads} threads, "
                f"{files} files",
                flush=True,
            )
    memory, threads, files = np.array(records[WARM_UP:], dtype=float).T
    growth = np.polyfit(np.arange(len(memory)), memory, 1)[0]
    print(f"memory grows by {growth:.0f} bytes a fit")
    if growth > LARGEST_GROWTH or np.ptp(threads) or np.ptp(files):
        sys.exit("Something grows.")


if __name__ == "__main__":
    main()
