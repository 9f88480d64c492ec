"""Two hundred fits in one process, without growth: `python tests/soak.py`.

Each fit is followed by partial_fit, transform, score, a pickle round trip and a fit
that fails. The script exits with an error if memory, threads or open files grow. pytest
does not collect it.
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

OBJECTIVES = ["completion", "bound", "sampled", "logistic_normal"]
# Fits before growth is counted, while libraries fill their caches.
WARM_UP = 40
# Bytes of resident memory per fit; a model of this size takes fifty times as much.
MAX_GROWTH = 10_000


def measured():
    """Resident bytes, threads and open files of this process."""
    gc.collect()
    status = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in status)
    return (
        1024 * int(fields["VmRSS"].split()[0]),
        max(int(fields["Threads"]), threading.active_count()),
        len(os.listdir("/proc/self/fd")),
    )


def use(seed, X):
    """Fit, partial_fit, transform, score, pickle, and one fit that raises."""
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
    raise AssertionError("A fit of infinite counts raised no error.")


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
    print(f"memory grows by {growth:.0f} bytes per fit")
    if growth > MAX_GROWTH or np.ptp(threads) or np.ptp(files):
        sys.exit(
            f"Growth: {growth:.0f} bytes per fit, threads {np.ptp(threads):.0f}, "
            f"files {np.ptp(files):.0f}."
        )


if __name__ == "__main__":
    main()
