"""How time and memory grow with words, documents, topics; and beside scikit-learn.

    python scaling.py /path/to/20NG
    python scaling.py --experiments vocabulary topics
    python scaling.py --quick

Prints the figures of each experiment and the ratios between them, with the project's
bars, and writes `scaling.json` and `scaling.png`. Every measurement is a process of its
own, on one thread but where it says so; ratios are of CPU seconds (threads and ranks:
wall). The corpora are synthetic (synthetic.py) but for `peers`, `chunks` and `pyro`,
which take the folder (without one only `pyro` runs). Leave the machine alone meanwhile.
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

# Nothing heavy is imported before the measurements: on Linux a child's ru_maxrss starts
# at the resident size of its parent.
from compare import machine

HERE = Path(__file__).resolve().parent
# Not MKL's own: torch's follows OpenMP, and what is set there it would do even where
# the fit has found its products too small for two.
THREAD_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]
# What the estimate for a corpus on many machines assumes.
MANY_DOCUMENTS = 1_000_000_000
N_CORES = 64
DOLLARS_A_CORE_HOUR = 0.05


@dataclass(frozen=True)
class Verdict:
    """A figure beside the bar it is to meet."""

    what: str
    value: float
    bar: float
    at_most: bool = True

    @property
    def met(self):
        return self.value <= self.bar if self.at_most else self.value >= self.bar

    def __str__(self):
        relation = "at most" if self.at_most else "at least"
        outcome = "met" if self.met else "MISSED"
        return f"{self.what}: {self.value:.3g} ({relation} {self.bar:g}: {outcome})"


def measure(name, *, threads=1, **settings):
    """The record of one measurement, made by scaling_worker.py."""
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
    defaults = {"n_topics": 50, "n_epochs": 4, "batch_size": 256, "n_words": 5000}
    return measure("epochs", **defaults | settings)


# Key of a figure, its heading, its format.
EPOCH_COLUMNS = [
    ("documents", "documents", ",d"),
    ("words", "words", ",d"),
    ("topics", "topics", "d"),
    ("nonzeros_a_document", "nnz/doc", ".1f"),
    ("documents_a_batch", "batch", ".0f"),
    ("distinct_words_a_batch", "distinct", ".0f"),
    ("epoch_cpu_s", "epoch CPU s", ".2f"),
    ("epoch_wall_s", "wall s", ".2f"),
    ("step_cpu_ms", "step ms", ".2f"),
    ("ns_a_nonzero", "ns/nnz", ".0f"),
    ("us_a_document", "us/doc", ".1f"),
    ("fixed_cpu_s", "fixed s", ".2f"),
    ("peak_memory_mb", "peak MB", ".0f"),
    ("model_mb", "model MB", ".0f"),
]
STREAM_COLUMNS = [
    ("documents", "documents", ",d"),
    ("words", "words", ",d"),
    ("nonzeros_a_document", "nnz/doc", ".1f"),
    ("before_mb", "imports MB", ".0f"),
    ("peak_mb", "peak above MB", ".0f"),
    ("model_mb", "model MB", ".0f"),
    ("chunk_mb", "shard MB", ".1f"),
    ("chunks_beside_model", "rest, shards", ".1f"),
    ("ns_a_nonzero", "ns/nnz", ".0f"),
    ("us_a_document", "us/doc", ".1f"),
    ("read_wall_ns_a_nonzero", "read ns/nnz", ".1f"),
]
CHUNK_COLUMNS = [
    ("documents", "documents", ",d"),
    ("fit", "fit", ".0f"),
    ("cosine", "chunks, cosine", ".0f"),
    ("power", "chunks, power", ".0f"),
]
PYRO_COLUMNS = [
    ("step_ms", "step ms", ".2f"),
    ("elbo_ms", "ELBO ms", ".2f"),
    ("terms_ms", "its terms ms", ".2f"),
    ("share", "Pyro's share", ".3f"),
]
INFERENCE_COLUMNS = [
    ("transform", "transform", "s"),
    ("documents_a_cpu_s", "documents / CPU s", ",.0f"),
    ("documents_a_wall_s", "/ wall s", ",.0f"),
    ("perplexity", "perplexity", ".0f"),
]
RANK_COLUMNS = [
    ("topics", "topics", "d"),
    ("documents_a_batch", "batch", ".0f"),
    ("epoch_wall_s", "one process, wall s", ".2f"),
    ("ranks_wall_s", "two", ".2f"),
    ("epoch_cpu_s", "one, CPU s", ".2f"),
    ("rank_cpu_s", "each of two", ".2f"),
]
BATCHES = [256, 1024, 4096, "auto"]


def vocabulary(args):
    """Columns of X, twice: the same 5,000 words spread over them, and words by Zipf's
    law over all of them, where a batch has more distinct words the more there are."""
    n_documents = 1000 if args.quick else 20_000
    sizes = [5000, 20_000] if args.quick else [5000, 50_000, 500_000, 1_000_000]
    same = [measure_epochs(n_documents=n_documents, n_columns=v) for v in sizes]
    zipf = [measure_epochs(n_documents=n_documents, n_words=v) for v in sizes[1:]]
    for record in same:
        record["series"] = "the same words"
    for record in zipf:
        record["series"] = "Zipf's law"
    records = same + zipf
    show(records, [("series", "series", "s"), *EPOCH_COLUMNS])
    return records, [
        Verdict(
            f"seconds a non-zero, {record['words']:,} words to 5,000, "
            f"{record['series']}",
            record["ns_a_nonzero"] / same[0]["ns_a_nonzero"],
            1.3,
        )
        for record in records[1:]
    ]


def documents(args):
    """Documents of X."""
    plan = {1000: 2, 3000: 2} if args.quick else {10_000: 10, 100_000: 3, 1_000_000: 1}
    records = [measure_epochs(n_documents=n, n_epochs=e) for n, e in plan.items()]
    show(records, EPOCH_COLUMNS)
    return records, [
        Verdict(
            f"seconds a document, {record['documents']:,} to {min(plan):,} documents",
            record["us_a_document"] / records[0]["us_a_document"],
            1.3,
        )
        for record in records[1:]
    ]


def topics(args):
    """Topics: seconds a step, each number of them to the one before and the first."""
    sizes = [10, 40] if args.quick else [10, 20, 50, 100, 200, 500, 1000]
    n_documents = 1000 if args.quick else 4000
    records = [measure_epochs(n_documents=n_documents, n_topics=k) for k in sizes]
    show(records, EPOCH_COLUMNS)
    return records, [
        Verdict(
            f"growth of a step from {a['topics']} to {b['topics']} topics, over theirs",
            b["step_cpu_ms"] / a["step_cpu_ms"] * a["topics"] / b["topics"],
            1.0,
        )
        for a, b in [*pairwise(records), (records[0], records[-1])]
    ]


def pyro(args):
    """What Pyro's ELBO takes beside the likelihood and divergence in it."""
    record = measure("pyro", folder=args.folder, n_topics=50)
    show([record], PYRO_COLUMNS)
    return [record], [Verdict("Pyro's share of a step", record["share"], 0.15)]


def threads(args):
    """Two threads and one, by topics and documents a batch."""
    records, verdicts = [], []
    for settings in by_topics_and_batch(args):
        one, two = (measure_epochs(**settings, threads=n) for n in (1, 2))
        two["speed_up"] = one["epoch_wall_s"] / two["epoch_wall_s"]
        records += [one, two]
        verdicts.append(speed_up("threads", settings, two["speed_up"]))
    show(records, [("threads", "threads", "d"), *EPOCH_COLUMNS])
    return records, verdicts


def ranks(args):
    """Two processes (torch.distributed) and one, each on one thread."""
    records, verdicts = [], []
    for settings in by_topics_and_batch(args):
        record = measure_epochs(**settings)
        record |= measure("ranks", **settings, n_words=5000)
        records.append(record)
        ratio = record["epoch_wall_s"] / record["ranks_wall_s"]
        verdicts.append(speed_up("processes", settings, ratio))
    show(records, RANK_COLUMNS)
    return records, verdicts


def by_topics_and_batch(args):
    """Settings of the measurements of what two do in the place of one.

    The default batches grow in the course of a fit, so they take a whole one.
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


def speed_up(of_two, settings, ratio):
    """The verdict on what two are worth."""
    what = (
        f"wall speed-up of two {of_two}, {settings['n_topics']} topics, batches of "
        f"{settings['batch_size']}"
    )
    return Verdict(what, ratio, 1.6, at_most=False)


def stream(args):
    """Peak memory of `partial_fit` over shards of 5,000 documents, above that of the
    imports; the model's arrays, and what is beside them in shards."""
    # From two shards on, for the first has no fitted model beside it.
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
        Verdict(
            f"peak memory, {record['documents']:,} to {records[0]['documents']:,} "
            "documents",
            record["peak_mb"] / records[0]["peak_mb"],
            1.1,
        )
        for record in records[1:]
    ]


def chunks(args):
    """Held-out perplexity of `fit`, and of as many passes over ten chunks."""
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
        Verdict(
            f"perplexity of chunks ({name}) to fit", record[name] / record["fit"], 1.02
        )
        for name in ("cosine", "power")
    ]


def estimate(record):
    """Print what one pass over a corpus a thousand times as large would take."""
    nonzeros = MANY_DOCUMENTS * record["nonzeros_a_document"]
    hours = nonzeros * record["ns_a_nonzero"] / 3.6e12
    reading = nonzeros * record["read_wall_ns_a_nonzero"] / 3.6e12
    disk = nonzeros * record["disk_bytes_a_nonzero"] / 1e12
    memory = (record["before_mb"] + record["peak_mb"]) / 1024
    print(
        f"  One pass over {MANY_DOCUMENTS:,} such documents: "
        f"{nonzeros:.2g} non-zeros x {record['ns_a_nonzero']:.0f} ns = {hours:.0f} "
        f"core-hours of training and {reading:.1f} of reading {disk:.2f} TB; "
        f"{memory:.2f} GB of memory a process. On {N_CORES} cores, if they share the "
        f"work without loss, {(hours + reading) / N_CORES:.1f} hours; at "
        f"{DOLLARS_A_CORE_HOUR} dollars a core-hour, "
        f"{(hours + reading) * DOLLARS_A_CORE_HOUR:.0f} dollars."
    )


def peers(args):
    """scikit-learn's online method and inference, and the mean epoch of a fit."""
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
        f"  {record['documents']:,} documents: our epoch {record['epoch_cpu_s']:.2f} "
        f"CPU s, first batches of {record['documents_a_batch']}; scikit-learn's pass, "
        f"the same batches, {record['sklearn_pass_cpu_s']:.2f}, its fit(max_iter=1) "
        f"{record['sklearn_fit_cpu_s']:.2f}\n  perplexities after "
        f"{record['passes']['ours']} epochs of ours and {record['passes']['sklearn']} "
        "passes of scikit-learn's; after one of its passes "
        f"{record['sklearn_perplexity_one_pass']:.0f}"
    )
    theirs = speeds["sklearn"]["documents_a_cpu_s"]
    verdicts = [
        Verdict(f"{what} over an epoch", ratio, 10, False)
        for what, ratio in [
            ("scikit-learn's partial_fit pass", record["pass_over_epoch"]),
            (
                "scikit-learn's fit(max_iter=1)",
                record["sklearn_fit_cpu_s"] / record["epoch_cpu_s"],
            ),
        ]
    ]
    for refine, bar in [(0, 40), (2, 10)]:
        ours = speeds[f"refine={refine}"]["documents_a_cpu_s"]
        what = f"documents a second, transform with refine={refine} over scikit-learn's"
        verdicts.append(Verdict(what, ours / theirs, bar, False))
    return [record], verdicts


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


# Experiments on a real corpus.
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
            print("  left out: it takes a corpus folder")
            continue
        records, verdicts = experiment(args)
        for verdict in verdicts:
            print(f"  {verdict}", flush=True)
        results["experiments"][name] = {
            "records": records,
            "verdicts": [asdict(v) | {"met": v.met} for v in verdicts],
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
        "folder", nargs="?", help="corpus folder: {train,test}_{bow.npz,labels.txt}"
    )
    parser.add_argument(
        "--experiments", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS)
    )
    parser.add_argument(
        "--quick", action="store_true", help="smoke test: tiny sizes, no bar is meant"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=HERE / "results" / "scaling",
        help="default: results/scaling beside this file",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
