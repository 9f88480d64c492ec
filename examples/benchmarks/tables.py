"""Tables of the runs: mean and standard deviation over seeds, as JSON and Markdown."""

import json
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev

import numpy as np

# Time ratios are relative to this model.
REFERENCE = "sklearn-batch"
# Key, heading and format of each figure.
COLUMNS = [
    ("fit_cpu_s", "fit, CPU s", ".1f"),
    ("fit_wall_s", "fit, wall s", ".1f"),
    ("time_ratio", f"time / {REFERENCE}", ".3f"),
    ("peak_memory_mb", "peak MB", ".0f"),
    ("infer_us", "infer us/doc", ".0f"),
    ("perplexity", "perplexity", ".0f"),
    ("npmi", "NPMI", ".3f"),
    ("c_v", "c_v", ".3f"),
    ("diversity", "diversity", ".2f"),
    ("uniqueness", "uniqueness", ".2f"),
    ("npmi_lift", "NPMI, by lift", ".3f"),
    ("diversity_lift", "diversity, by lift", ".2f"),
    ("uniqueness_lift", "uniqueness, by lift", ".2f"),
    ("accuracy", "accuracy", ".3f"),
    ("purity", "purity", ".3f"),
    ("nmi", "NMI", ".3f"),
    ("precision", "P@10", ".3f"),
    ("stability", "stability", ".2f"),
]

NOTES = """\
Figures are mean ± standard deviation over seeds (stability: over pairs of seeds). Each
run has its own process. The ratio is one of CPU seconds on one thread, and of wall
seconds on several threads: amortlda, scikit-learn and gensim then have further
processes, whose CPU time is not in the table and whose start is in wall time.
Inference is CPU time after a warm-up. Imports and the conversion of the counts are not
timed. Peak memory includes the interpreter and the libraries.

Perplexity is document completion under theta @ beta; for prodlda, its own decoder. NPMI
and c_v use the top 10 words and take training documents as windows. Uniqueness is the
share of the top 15 words that are in one topic only. Words are ranked by probability,
or by the lift of `inspection.topic_lift`. Accuracy is the test accuracy of a logistic
regression (C=10) on the result of `transform`. Purity and NMI compare the labels of
test documents with one topic of each: that of `predict` for amortlda, the largest
proportion for the others. P@10 is the share of the 10 nearest training documents with
the label of the test document. nmf and svd factorize tf-idf. prodlda is an
implementation in this repository, after Srivastava & Sutton (2017).
"""


def read_runs(folder):
    """The runs in a folder, sorted by model, effort and seed."""
    runs = [
        json.loads(path.read_text()) | {"path": str(path)}
        for path in folder.glob("*.json")
    ]
    return sorted(runs, key=lambda run: (run["model"], run["effort"], run["seed"]))


def summarize(runs, models):
    """One row per model from its runs with all epochs, in the order of `models`."""
    full = [run for run in runs if run["effort"] == 1]
    rows = {}
    for model in models:
        if of_model := [run for run in full if run["model"] == model]:
            rows[model] = _row(of_model, _reference_time(full))
    return rows


def to_markdown(rows, runs, title):
    """The table with notes, errors, commands, machines and versions."""
    head = ["model", "epochs", "seeds"] + [heading for _, heading, _ in COLUMNS]
    table = [_line(head), _line(["---"] * len(head))]
    table += [_line([model, *_cells(row)]) for model, row in rows.items()]
    errors = [f"- {run['model']}: {run['detail']}" for run in runs if not _is_done(run)]
    commands = [f"    {run['command']}" for run in runs]
    machines = {run["machine"] for run in runs}
    versions = {run["version"] for run in runs if _is_done(run)}
    paragraphs = [
        f"# {title}",
        "\n".join(table),
        "\n".join(sorted(set(errors))),
        NOTES.strip(),
        "Commands:",
        "\n".join(sorted(set(commands))),
        f"Machine: {'; '.join(sorted(machines))}.",
        f"Versions: {', '.join(sorted(versions))}.",
    ]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def _is_done(run):
    return run["status"] == "ok"


def time_of(run):
    """Seconds of the fit: CPU time, or wall time if there are several processes."""
    return run["fit_cpu_s" if run["threads"] == 1 else "fit_wall_s"]


def _reference_time(runs):
    times = [time_of(r) for r in runs if r["model"] == REFERENCE and _is_done(r)]
    return mean(times) if times else None


def _row(runs, reference_time):
    done = [run for run in runs if _is_done(run)]
    row = {
        "status": "ok" if done else runs[0]["status"],
        "detail": [run["detail"] for run in runs if not _is_done(run)],
        "seeds": [run["seed"] for run in done],
    }
    if done:
        row["epochs"] = done[0]["epochs"]
        row |= {
            key: _mean_and_spread([run[key] for run in done])
            for key, _, _ in COLUMNS
            if key in done[0]
        }
        row["stability"] = _stability(done)
        if reference_time:
            ratios = [time_of(run) / reference_time for run in done]
            row["time_ratio"] = _mean_and_spread(ratios)
    return row


def _mean_and_spread(values):
    """Mean and sample standard deviation; the latter is None for a single value."""
    return [mean(values), stdev(values) if len(values) > 1 else None]


def _stability(runs):
    from sklearn_amortlda.metrics import topic_stability

    paths = [Path(run["path"]).with_suffix(".npy") for run in runs]
    topics = [np.load(path) for path in paths if path.exists()]
    pairs = [topic_stability(pair) for pair in combinations(topics, 2)]
    return _mean_and_spread(pairs) if pairs else None


def _cells(row):
    if row["status"] != "ok":
        return [row["status"]] + [""] * (len(COLUMNS) + 1)
    seeds = f"{len(row['seeds'])}" + (
        f" ({len(row['detail'])} failed)" if row["detail"] else ""
    )
    return [str(row["epochs"]), seeds] + [
        _cell(row.get(key), pattern) for key, _, pattern in COLUMNS
    ]


def _cell(value, pattern):
    if value is None:
        return "-"
    centre, spread = value
    return f"{centre:{pattern}}" + ("" if spread is None else f" ± {spread:{pattern}}")


def _line(cells):
    return "| " + " | ".join(cells) + " |"
