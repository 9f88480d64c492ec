"""The plot of scaling.py, with one panel per experiment."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]
# The band above the first point shows the ratios that the requirement allows.
BAND = {"color": "0.9", "zorder": 0}


def plot_scaling(experiments, path):
    """Write a PNG of the experiments that have records and a panel."""
    panels = {
        name: experiments[name]["records"]
        for name in PANELS
        if experiments.get(name, {}).get("records")
    }
    if not panels:
        return
    n_rows = -(-len(panels) // 3)
    n_columns = min(len(panels), 3)
    figure, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(5 * n_columns, 4 * n_rows),
        layout="constrained",
        squeeze=False,
    )
    for axis, (name, records) in zip(axes.flat, panels.items()):
        PANELS[name](axis, records)
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _vocabulary(axis, records):
    series = list(dict.fromkeys(record["series"] for record in records))
    for name, colour in zip(series, COLOURS):
        own = [r for r in records if r["series"] == name or r is records[0]]
        _line(axis, own, "words", "ns_per_nonzero", colour, name)
        axis.annotate(
            f"{own[-1]['distinct_words_per_batch']:,.0f} distinct words per batch",
            (own[-1]["words"], own[-1]["ns_per_nonzero"]),
            textcoords="offset points",
            xytext=(5, 6),
            ha="right",
            fontsize=8,
        )
    _allow(axis, records[0]["ns_per_nonzero"], 1.3)
    axis.legend(loc="lower right")
    axis.set(
        title="Cost of a non-zero",
        xlabel="columns of X",
        ylabel="ns per non-zero and epoch",
        xscale="log",
        ylim=(0, 1.2 * max(record["ns_per_nonzero"] for record in records)),
    )


def _documents(axis, records):
    _line(axis, records, "documents", "us_per_document", COLOURS[0])
    _allow(axis, records[0]["us_per_document"], 1.3)
    axis.set(
        title="Cost of a document",
        xlabel="documents",
        ylabel="us per document and epoch",
        xscale="log",
        ylim=(0, None),
    )


def _topics(axis, records):
    _line(axis, records, "topics", "step_cpu_ms", COLOURS[0], "measured")
    last = records[-1]
    linear = [last["step_cpu_ms"] * r["topics"] / last["topics"] for r in records]
    axis.plot([r["topics"] for r in records], linear, "--", color="0.5", label="linear")
    axis.legend()
    axis.grid(alpha=0.3, which="both")
    axis.set(
        title="Cost of a step",
        xlabel="topics",
        ylabel="ms per step",
        xscale="log",
        yscale="log",
    )


def _threads(axis, records):
    two = [record for record in records if record["threads"] == 2]
    labels = [f"K={r['topics']}, {r['documents_per_batch']:.0f}" for r in two]
    axis.barh(labels, [r["speed_up"] for r in two], height=0.6, color=COLOURS[0])
    axis.axvline(1.6, color="0.5", ls="--")
    axis.invert_yaxis()
    axis.set(
        title="Two threads",
        xlabel="speed-up over one thread (wall clock)",
        ylabel="topics, documents per batch",
        xlim=(0, 2.05),
    )


def _stream(axis, records):
    _line(axis, records, "documents", "peak_mb", COLOURS[0], "peak above imports")
    _line(axis, records, "documents", "model_mb", COLOURS[1], "arrays of the model")
    axis.legend(loc="lower right")
    axis.set(
        title="Memory of a stream",
        xlabel="documents",
        ylabel="MB",
        xscale="log",
        ylim=(0, None),
    )


def _peers(axis, records):
    speeds = records[0]["inference"]
    values = [figures["documents_per_cpu_s"] for figures in speeds.values()]
    axis.barh(
        list(speeds),
        values,
        color=[COLOURS[1] if name == "sklearn" else COLOURS[0] for name in speeds],
    )
    for i, figures in enumerate(speeds.values()):
        text = f" perplexity {figures['perplexity']:.0f}"
        axis.text(figures["documents_per_cpu_s"], i, text, va="center", fontsize=8)
    axis.invert_yaxis()
    axis.set(
        title="transform",
        xlabel="documents per CPU second (log)",
        xscale="log",
        xlim=(10 ** np.floor(np.log10(min(values))), 10 * max(values)),
    )


PANELS = {
    "vocabulary": _vocabulary,
    "documents": _documents,
    "topics": _topics,
    "threads": _threads,
    "stream": _stream,
    "peers": _peers,
}


def _line(axis, records, x, y, colour, label=None):
    points = [(record[x], record[y]) for record in records]
    axis.plot(*zip(*points), "o-", color=colour, label=label)
    axis.grid(alpha=0.3)


def _allow(axis, first, ratio):
    axis.axhspan(first, first * ratio, label=f"up to {ratio:g} times", **BAND)
