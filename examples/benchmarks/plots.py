"""Plots of quality against time: a curve per model, a point per number of epochs."""

from statistics import mean

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter
from tables import time_of

PANELS = [
    ("perplexity", "perplexity (lower is better)", "log"),
    ("npmi", "NPMI of top 10 words (higher is better)", "linear"),
    ("accuracy", "classification accuracy (higher is better)", "linear"),
]


def plot_quality_against_time(runs, models, path, title):
    """Write a PNG with one panel per measure; seconds are on a log axis."""
    figure, panels = plt.subplots(
        1, len(PANELS), figsize=(15, 4.8), layout="constrained"
    )
    for panel, (key, label, scale) in zip(panels, PANELS, strict=True):
        for model, style in zip(models, _styles(), strict=False):
            curve = _curve(runs, model, key)
            if curve:
                panel.plot(*zip(*curve, strict=True), label=model, **style)
        panel.set(xscale="log", yscale=scale, xlabel="seconds of the fit", title=label)
        _plain_numbers(panel.xaxis, ticks=(1, 3))
        if scale == "log":
            _plain_numbers(panel.yaxis, ticks=(1, 1.5, 2, 3, 4, 5, 7))
        panel.grid(alpha=0.3)
    # The last panel has every model.
    handles, labels = panels[-1].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=max(1, len(labels))
    )
    figure.suptitle(title)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _curve(runs, model, key):
    """Points (seconds, quality), as means over seeds, by number of epochs."""
    points = {}
    for run in runs:
        if run["model"] == model and run["status"] == "ok" and key in run:
            points.setdefault(run["effort"], []).append((time_of(run), run[key]))
    return [
        tuple(map(mean, zip(*points[effort], strict=True))) for effort in sorted(points)
    ]


def _styles():
    """Colours that colour-blind readers can distinguish, and a marker for each."""
    colours = [
        "#000000",
        "#0072B2",
        "#56B4E9",
        "#009E73",
        "#D55E00",
        "#CC79A7",
        "#E69F00",
        "#999999",
        "#8C510A",
        "#5E3C99",
    ]
    for colour, marker in zip(colours, "osD^vPX*<>", strict=True):
        yield {"color": colour, "marker": marker, "linewidth": 1.5, "markersize": 6}


def _plain_numbers(axis, ticks):
    """Write 1000 instead of 10^3, with several numbers per decade, as in the table."""
    axis.set_major_locator(LogLocator(subs=ticks))
    axis.set_major_formatter(FormatStrFormatter("%g"))
    axis.set_minor_formatter(NullFormatter())
