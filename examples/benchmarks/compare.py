"""Compare AmortizedLDA with other topic models on a corpus.

    python compare.py /path/to/20NG
    python compare.py --corpus docstrings --models amortlda sklearn-batch --seeds 0
    python compare.py /path/to/20NG --quick

Each model and seed runs in its own process, on one thread. The output folder receives
`table.md`, `table.json`, `quality_time.png` and a file per run. A later call with the
same output folder replaces the runs of the models that it names, and keeps the others.
`--models` without names writes the tables and the plot again and runs no model.

`pip install ".[bench]"` in a clone of the repository installs this package, matplotlib
and the other models. A model that is not installed has the row 'not installed'. On a
machine without a GPU install the CPU build of torch first: the default build brings
several GB of CUDA libraries.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

# This file imports only the standard library before the runs: on Linux the peak memory
# of a child process starts at the resident size of its parent.
HERE = Path(__file__).resolve().parent
MODELS = [
    "amortlda",
    "sklearn-online",
    "sklearn-batch",
    "gensim",
    "tomotopy",
    "topica",
    "nmf",
    "svd",
    "scvi",
    "prodlda",
]
# Without MKL_NUM_THREADS: torch's MKL follows OpenMP, whose threads AmortizedLDA limits
# for small products. MKL_NUM_THREADS would override this limit.
THREAD_VARIABLES = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
]


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "folder",
        nargs="?",
        help="corpus folder with {train,test}_{bow.npz,labels.txt}",
    )
    where.add_argument(
        "--corpus", choices=["docstrings"], help="the corpus of quickstart.py"
    )
    parser.add_argument(
        "--models",
        nargs="*",
        choices=MODELS,
        default=MODELS,
        metavar="MODEL",
        help=f"any of {', '.join(MODELS)} (default: all)",
    )
    parser.add_argument(
        "--n-topics", type=int, default=50, help="number of topics (default: 50)"
    )
    parser.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        default=[0, 1, 2],
        help="random states (default: 0 1 2)",
    )
    parser.add_argument(
        "--curve",
        nargs="*",
        type=float,
        default=[0.1, 0.2, 0.5],
        help="shorter runs for the plot, with the first seed, as shares of the "
        "recommended epochs (default: 0.1 0.2 0.5; without values: no such runs)",
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="threads of each run (default: 1)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="smoke test with 300 documents and a tenth of the epochs",
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="output folder (default: results/<corpus>-<n_topics>-topics next to this "
        "file)",
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    check_installed()
    corpus = arguments.corpus or Path(arguments.folder).resolve().name
    shared = {
        "corpus": corpus,
        "n_topics": arguments.n_topics,
        "threads": arguments.threads,
        "quick": arguments.quick,
    }
    title = f"{corpus}, {arguments.n_topics} topics" + ", quick" * arguments.quick
    if arguments.threads > 1:
        title += f", {arguments.threads} threads"
    output = arguments.output or HERE / "results" / title.replace(", ", "-").replace(
        " ", "-"
    )
    (output / "runs").mkdir(parents=True, exist_ok=True)
    check_folder(output / "runs", shared)
    folder = (
        write_docstrings(output / "corpus") if arguments.corpus else arguments.folder
    )
    for model in arguments.models:
        for stale in (output / "runs").glob(f"{model}_*"):
            stale.unlink()
        run_model(model, shared | {"folder": str(folder)}, arguments, output / "runs")
    report(output, title)


def check_installed():
    """Fail before the first run if a package is missing."""
    for package in ("sklearn_amortlda", "matplotlib"):
        if find_spec(package) is None:
            raise SystemExit(
                f"{package} is not installed. Install it by pip install '.[bench]' in "
                "a clone of the repository."
            )


def check_folder(folder, shared):
    """Refuse to mix runs with different settings."""
    for path in folder.glob("*.json"):
        run = json.loads(path.read_text())
        found = {key: run[key] for key in shared}
        if found != shared:
            raise SystemExit(
                f"{folder} contains runs with other settings, {found}: pass another "
                "--output."
            )


def write_docstrings(folder):
    """The corpus of quickstart.py as a folder, written by the first call."""
    if not folder.exists():
        folder.mkdir()
        subprocess.run([sys.executable, HERE / "corpus.py", folder], check=True)
    return folder


def run_model(model, shared, arguments, folder):
    """Run each seed with all epochs, and the first seed with the shares of --curve."""
    plan = [(1, seed) for seed in arguments.seeds]
    plan += [(effort, arguments.seeds[0]) for effort in arguments.curve]
    for effort, seed in plan:
        settings = shared | {
            "model": model,
            "effort": effort,
            "seed": seed,
            "path": str(folder / f"{model}_effort{effort:g}_seed{seed}.json"),
            "command": shlex.join(["python", *sys.argv]),
            "machine": machine(),
        }
        print(f"{model}, {effort:.0%} of the epochs, seed {seed}: ", end="", flush=True)
        run = run_in_process(settings)
        if run["status"] == "ok":
            print(f"{run['fit_wall_s']:.1f} s, accuracy {run['accuracy']:.3f}")
        else:
            print(f"{run['status']}: {run['detail']}")
        if run["status"] == "not installed":
            return


def run_in_process(settings):
    """Run worker.py; the record that it wrote, or a record with the error."""
    path = Path(settings["path"])
    threads = {name: str(settings["threads"]) for name in THREAD_VARIABLES}
    finished = subprocess.run(
        [sys.executable, HERE / "worker.py", json.dumps(settings)],
        env=os.environ | threads,
        capture_output=True,
        text=True,
    )
    if finished.returncode == 0:
        return json.loads(path.read_text())
    log = finished.stdout + finished.stderr + f"\nexit status {finished.returncode}"
    path.with_suffix(".log").write_text(log)
    cause = (finished.stderr.strip() or log).splitlines()[-1]
    run = settings | {"status": "failed", "detail": cause}
    path.write_text(json.dumps(run, indent=1))
    return run


def report(output, title):
    """Write the tables and the plot of all runs in the folder."""
    import plots
    import tables

    runs = tables.read_runs(output / "runs")
    rows = tables.summarize(runs, MODELS)
    table = tables.to_markdown(rows, runs, title)
    (output / "table.md").write_text(table)
    (output / "table.json").write_text(
        json.dumps({"rows": rows, "runs": runs}, indent=1)
    )
    plots.plot_quality_against_time(runs, MODELS, output / "quality_time.png", title)
    print(f"\n{table}\nWritten to {output}")


def machine():
    """Names of the processor and the system, number of cores, version of Python."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [
        line.split(":")[1].strip() for line in lines if line.startswith("model name")
    ]
    processor = names[0] if names else platform.processor()
    python = f"Python {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} cores, {platform.system()}, {python}"


if __name__ == "__main__":
    main()
