"""Measure how time and memory grow with words, documents and topics.

    python scaling.py /path/to/20NG
    python scaling.py --experiments vocabulary topics
    python scaling.py --quick

Prints the figures of each experiment and their ratios, compares the ratios with the
requirements of the project, and writes `scaling.json` and `scaling.png`. Each
measurement runs in its own process, on one thread except for `threads`. Ratios are of
CPU seconds, and of wall seconds for `threads` and `ranks`. `peers`, `chunks` and `pyro`
use the corpus folder; without a folder `pyro` uses a synthetic corpus (synthetic.py)
like the other experiments, and `peers` and `chunks` are skipped. Other programs on the
machine disturb the measurements.

The experiments need `pip install ".[bench]"` in a clone of the repository.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

# This file imports only the standard library before the measurements: on Linux the peak
# memory of a child process starts at the resident size of its parent.
from compare import check_installed, machine

HERE = Path(__file__).resolve().parent
# Without MKL_NUM_THREADS: MKL in torch follows OpenMP, whose threads the fit limits for
# small products. MKL_NUM_THREADS would override this limit.
THREAD_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
# Assumptions of `estimate`.
MANY_DOCUMENTS = 1_000_000_000
N_CORES = 64
DOLLARS_PER_CORE_HOUR = 0.05


@dataclass(frozen=True)
class Requirement:
    """A figure and the bound that the project requires.

    Attributes
    ----------
    name : str
    value : float
        The measured figure.
    bound : float
    at_most : bool, default=True
        Whether `bound` is an upper bound.
    """

    name: str
    value: float
    bound: float
    at_most: bool = True

    @property
    def met(self):
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def __str__(self):
        relation = "at most" if self.at_most else "at least"
        outcome = "met" if self.met else "MISSED"
        return f"{self.name}: {self.value:.3g} ({relation} {self.bound:g}: {outcome})"


def measure(name, *, threads=1, **settings):
    """Run scaling_worker.py; the record of the measurement."""
    finished = subprocess.run(
        [sys.executable, HERE / "scaling_worker.py", name, json.dumps(settings)],
        env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)),
        stdout=subprocess.PIPE,
        text=True,
    )
    if finished.returncode:
        raise SystemExit(f"scaling_worker.py {name} {settings} failed.")
    return json.loads(finished.stdout) | {"threads": threads}


def measure_epochs(**settings):
    """The record of the epochs of a fit on a synthetic corpus."""
    defaults = {"n_topics": 50, "n_epochs": 4, "batch_size": 256, "n_words": 5000}
    return measure("epochs", **defaults | settings)


# Key, heading and format of each figure.
EPOCH_COLUMNS = [
    ("documents", "documents", ",d"),
    ("words", "words", ",d"),
    ("topics", "topics", "d"),
    ("nonzeros_per_document", "nnz/doc", ".1f"),
    ("documents_per_batch", "batch", ".0f"),
    ("distinct_words_per_batch", "distinct", ".0f"),
    ("epoch_cpu_s", "epoch CPU s", ".2f"),
    ("epoch_wall_s", "wall s", ".2f"),
    ("step_cpu_ms", "step ms", ".2f"),
    ("ns_per_nonzero", "ns/nnz", ".0f"),
    ("us_per_document", "us/doc", ".1f"),
    ("fixed_cpu_s", "fixed s", ".2f"),
    ("peak_memory_mb", "peak MB", ".0f"),
    ("model_mb", "model MB", ".0f"),
]
STREAM_COLUMNS = [
    ("documents", "documents", ",d"),
    ("words", "words", ",d"),
    ("nonzeros_per_document", "nnz/doc", ".1f"),
    ("before_mb", "imports MB", ".0f"),
    ("peak_mb", "peak above imports MB", ".0f"),
    ("model_mb", "model MB", ".0f"),
    ("shard_mb", "shard MB", ".1f"),
    ("rest_in_shards", "rest / shard", ".1f"),
    ("ns_per_nonzero", "ns/nnz", ".0f"),
    ("us_per_document", "us/doc", ".1f"),
    ("read_wall_ns_per_nonzero", "read ns/nnz", ".1f"),
]
CHUNK_COLUMNS = [
    ("documents", "documents", ",d"),
    ("fit", "perplexity: fit", ".0f"),
    ("cosine", "chunks, cosine", ".0f"),
    ("power", "chunks, power", ".0f"),
]
PYRO_COLUMNS = [
    ("step_ms", "step ms", ".2f"),
    ("elbo_ms", "ELBO ms", ".2f"),
    ("own_ms", "own functions ms", ".2f"),
    ("pyro_ms", "Pyro ms", ".2f"),
    ("share", "Pyro's share", ".3f"),
]
INFERENCE_COLUMNS = [
    ("transform", "transform", "s"),
    ("documents_per_cpu_s", "documents / CPU s", ",.0f"),
    ("documents_per_wall_s", "documents / wall s", ",.0f"),
    ("perplexity", "perplexity", ".0f"),
]
RANK_COLUMNS = [
    ("topics", "topics", "d"),
    ("documents_per_batch", "batch", ".0f"),
    ("epoch_wall_s", "one process, wall s", ".2f"),
    ("ranks_wall_s", "two processes, wall s", ".2f"),
    ("epoch_cpu_s", "one process, CPU s", ".2f"),
    ("rank_cpu_s", "each of two, CPU s", ".2f"),
]
BATCHES = [256, 1024, 4096, "auto"]


def vocabulary(args):
    """Number of columns of X. In the first series 5,000 words occur, spread over all
    columns. In the second series all words occur by Zipf's law, so that the distinct
    words of a batch increase with the columns."""
    n_documents = 1000 if args.quick else 20_000
    sizes = [5000, 20_000] if args.quick else [5000, 50_000, 500_000, 1_000_000]
    same = [measure_epochs(n_documents=n_documents, n_columns=v) for v in sizes]
    zipf = [measure_epochs(n_documents=n_documents, n_words=v) for v in sizes[1:]]
    for record in same:
        record["series"] = "5,000 words"
    for record in zipf:
        record["series"] = "Zipf's law"
    records = same + zipf
    show(records, [("series", "series", "s"), *EPOCH_COLUMNS])
    return records, [
        Requirement(
            f"seconds per non-zero, ratio of {record['words']:,} to 5,000 columns, "
            f"{record['series']}",
            record["ns_per_nonzero"] / same[0]["ns_per_nonzero"],
            1.3,
        )
        for record in records[1:]
    ]


def documents(args):
    """Number of documents of X."""
    plan = {1000: 2, 3000: 2} if args.quick else {10_000: 10, 100_000: 3, 1_000_000: 1}
    records = [measure_epochs(n_documents=n, n_epochs=e) for n, e in plan.items()]
    show(records, EPOCH_COLUMNS)
    return records, [
        Requirement(
            f"seconds per document, ratio of {record['documents']:,} to {min(plan):,} "
            "documents",
            record["us_per_document"] / records[0]["us_per_document"],
            1.3,
        )
        for record in records[1:]
    ]


def topics(args):
    """Number of topics. The time of a step must grow more slowly than the number of
    topics."""
    sizes = [10, 40] if args.quick else [10, 20, 50, 100, 200, 500, 1000]
    n_documents = 1000 if args.quick else 4000
    records = [measure_epochs(n_documents=n_documents, n_topics=k) for k in sizes]
    show(records, EPOCH_COLUMNS)
    pairs = list(pairwise(records))
    if len(pairs) > 1:
        pairs.append((records[0], records[-1]))
    return records, [
        Requirement(
            f"seconds per step and topic, ratio of {b['topics']} to {a['topics']} "
            "topics",
            b["step_cpu_ms"] / a["step_cpu_ms"] * a["topics"] / b["topics"],
            1.0,
        )
        for a, b in pairs
    ]


def pyro(args):
    """CPU time of Pyro in a training step, outside of the functions of this package."""
    record = measure("pyro", folder=args.folder, n_topics=50)
    show([record], PYRO_COLUMNS)
    return [record], [Requirement("Pyro's share of a step", record["share"], 0.15)]


def threads(args):
    """One and two threads, by number of topics and size of the batches."""
    records, requirements = [], []
    for settings in by_topics_and_batch(args):
        one, two = (measure_epochs(**settings, threads=n) for n in (1, 2))
        two["speed_up"] = one["epoch_wall_s"] / two["epoch_wall_s"]
        records += [one, two]
        requirements.append(speed_up("threads", settings, two["speed_up"]))
    show(records, [("threads", "threads", "d"), *EPOCH_COLUMNS])
    return records, requirements


def ranks(args):
    """One and two processes (torch.distributed), each on one thread."""
    records, requirements = [], []
    for settings in by_topics_and_batch(args):
        record = measure_epochs(**settings)
        record |= measure("ranks", **settings, n_words=5000)
        records.append(record)
        ratio = record["epoch_wall_s"] / record["ranks_wall_s"]
        requirements.append(speed_up("processes", settings, ratio))
    show(records, RANK_COLUMNS)
    return records, requirements


def by_topics_and_batch(args):
    """Settings of the measurements of two threads or processes.

    The batches of batch_size='auto' grow during a fit, so this size takes a whole fit.
    """
    if args.quick:
        quick = {"n_documents": 1000, "n_topics": 50, "n_epochs": 2}
        return [quick | {"batch_size": size} for size in (256, "auto")]
    return [
        {
            "n_documents": 20_000,
            "n_topics": n_topics,
            "batch_size": batch_size,
            "n_epochs": 19 if batch_size == "auto" else 2,
        }
        for n_topics in (50, 200)
        for batch_size in BATCHES
    ]


def speed_up(unit, settings, ratio):
    """The requirement on the speed-up of two threads or processes."""
    name = (
        f"wall speed-up of two {unit}, {settings['n_topics']} topics, "
        f"batch_size={settings['batch_size']}"
    )
    return Requirement(name, ratio, 1.6, at_most=False)


def stream(args):
    """Peak memory of `partial_fit` over shards of 5,000 documents, above the memory of
    the imports. The rest is the peak without the arrays of the model, as a multiple of
    the memory of a shard."""
    # At least two shards, because at the first shard there is no earlier model.
    n_words, sizes = 50_000, [10_000, 100_000, 1_000_000]
    if args.quick:
        n_words, sizes = 5000, [10_000, 20_000]
    with tempfile.TemporaryDirectory() as folder:
        length = 10 if args.quick else 80
        corpus = {"n_documents": sizes[-1], "n_words": n_words, "length": length}
        measure("write_shards", folder=folder, **corpus)
        records = [
            measure("stream", folder=folder, n_documents=n, n_topics=50) for n in sizes
        ]
    show(records, STREAM_COLUMNS)
    estimate(records[-1])
    return records, [
        Requirement(
            f"peak memory, ratio of {record['documents']:,} to "
            f"{records[0]['documents']:,} documents",
            record["peak_mb"] / records[0]["peak_mb"],
            1.1,
        )
        for record in records[1:]
    ]


def chunks(args):
    """Held-out perplexity of `fit`, and of `partial_fit` on ten chunks with the same
    number of passes."""
    record = measure(
        "chunks",
        folder=args.folder,
        quick=args.quick,
        n_topics=50,
        n_passes=2 if args.quick else 20,
        n_chunks=10,
    )
    show([record], CHUNK_COLUMNS)
    return [record], [
        Requirement(
            f"perplexity, ratio of chunks ({name}) to fit",
            record[name] / record["fit"],
            1.02,
        )
        for name in ("cosine", "power")
    ]


def estimate(record):
    """Print the estimated cost of one pass over `MANY_DOCUMENTS` documents."""
    nonzeros = MANY_DOCUMENTS * record["nonzeros_per_document"]
    hours = nonzeros * record["ns_per_nonzero"] / 3.6e12
    reading = nonzeros * record["read_wall_ns_per_nonzero"] / 3.6e12
    disk = nonzeros * record["disk_bytes_per_nonzero"] / 1e12
    memory = (record["before_mb"] + record["peak_mb"]) / 1024
    print(
        f"  One pass over {MANY_DOCUMENTS:,} such documents has {nonzeros:.2g} "
        f"non-zeros x {record['ns_per_nonzero']:.0f} ns = {hours:.0f} core-hours of "
        f"training, and {reading:.1f} core-hours of reading {disk:.2f} TB. A process "
        f"takes {memory:.2f} GB of memory. {N_CORES} cores with a perfect speed-up "
        f"take {(hours + reading) / N_CORES:.1f} hours. The cost is "
        f"{(hours + reading) * DOLLARS_PER_CORE_HOUR:.0f} dollars at "
        f"{DOLLARS_PER_CORE_HOUR} dollars per core-hour."
    )


def peers(args):
    """Training and inference of AmortizedLDA and of scikit-learn's online method."""
    record = measure(
        "peers",
        folder=args.folder,
        quick=args.quick,
        n_topics=50,
        n_passes=1 if args.quick else 10,
        n_epochs=2 if args.quick else 20,
    )
    speeds = record["inference"]
    show([{"transform": name} | row for name, row in speeds.items()], INFERENCE_COLUMNS)
    print(
        f"  {record['documents']:,} documents, in batches of "
        f"{record['documents_per_batch']} (AmortizedLDA: the first batches).\n"
        f"  CPU seconds: {record['epoch_cpu_s']:.2f} per epoch of AmortizedLDA, "
        f"{record['sklearn_pass_cpu_s']:.2f} per partial_fit pass of scikit-learn, "
        f"{record['sklearn_fit_cpu_s']:.2f} for its fit(max_iter=1).\n"
        f"  Perplexities are after {record['passes']['ours']} epochs of AmortizedLDA "
        f"and {record['passes']['sklearn']} passes of scikit-learn; after one pass of "
        f"scikit-learn: {record['sklearn_perplexity_one_pass']:.0f}."
    )
    theirs = speeds["sklearn"]["documents_per_cpu_s"]
    requirements = [
        Requirement(f"CPU seconds, ratio of {name} to an epoch", ratio, 10, False)
        for name, ratio in [
            ("scikit-learn's partial_fit pass", record["pass_over_epoch"]),
            (
                "scikit-learn's fit(max_iter=1)",
                record["sklearn_fit_cpu_s"] / record["epoch_cpu_s"],
            ),
        ]
    ]
    for refine, bound in [(0, 40), (2, 10)]:
        ours = speeds[f"refine={refine}"]["documents_per_cpu_s"]
        name = f"documents per CPU second, transform with refine={refine} to sklearn"
        requirements.append(Requirement(name, ours / theirs, bound, False))
    return [record], requirements


EXPERIMENTS = {
    f.__name__: f
    for f in (
        vocabulary,
        documents,
        topics,
        pyro,
        threads,
        ranks,
        stream,
        chunks,
        peers,
    )
}
# Experiments that need a corpus folder.
REAL = {"chunks", "peers"}


def show(records, columns):
    """Print records as a table."""
    rows = [[heading for _, heading, _ in columns]]
    for record in records:
        rows.append([format(record[key], form) for key, _, form in columns])
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  " + "  ".join(cell.rjust(w) for cell, w in zip(row, widths)))


def main():
    args = parse_arguments()
    check_installed()
    args.output.mkdir(parents=True, exist_ok=True)
    results = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine(),
        "experiments": {},
    }
    print(results["machine"])
    for name in args.experiments:
        experiment = EXPERIMENTS[name]
        print(f"\n{name}: {' '.join(experiment.__doc__.split())}", flush=True)
        if name in REAL and args.folder is None:
            print("  skipped, because it needs a corpus folder")
            continue
        records, requirements = experiment(args)
        for requirement in requirements:
            print(f"  {requirement}", flush=True)
        results["experiments"][name] = {
            "records": records,
            "requirements": [asdict(r) | {"met": r.met} for r in requirements],
        }
        path = args.output / "scaling.json"
        path.write_text(json.dumps(results, indent=1))

    from scaling_plots import plot_scaling

    plot_scaling(results["experiments"], args.output / "scaling.png")
    print(f"\nWritten to {args.output}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder",
        nargs="?",
        help="corpus folder with {train,test}_{bow.npz,labels.txt}",
    )
    parser.add_argument(
        "--experiments",
        nargs="+",
        choices=EXPERIMENTS,
        default=list(EXPERIMENTS),
        metavar="NAME",
        help=f"any of {', '.join(EXPERIMENTS)} (default: all)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="smoke test with tiny sizes, for which the requirements do not hold",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=HERE / "results" / "scaling",
        help="output folder (default: results/scaling next to this file)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
