"""What the displays share: axes to draw on, and words short enough to stand there."""

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support


def panels(caller, ax, n_panels, *, n_cols, size, **options):
    """Axes of the panels: those given, or of a new figure with `size` inches each."""
    check_matplotlib_support(caller)
    import matplotlib.pyplot as plt

    if ax is not None:
        axes = np.asarray(ax, dtype=object).ravel()
        if len(axes) != n_panels:
            raise ValueError(
                f"ax holds {len(axes)} axes, but {n_panels} panels are drawn: pass as "
                "many, or None for a new figure."
            )
        return axes
    n_cols = min(n_cols, n_panels)
    n_rows = -(-n_panels // n_cols)
    _, axes = plt.subplots(
        n_rows,
        n_cols,
        figsize=(size[0] * n_cols, size[1] * n_rows),
        layout="constrained",
        squeeze=False,
        **options,
    )
    for unused in axes.flat[n_panels:]:
        unused.remove()
    return axes.flat[:n_panels]


def shortened(words, longest=20):
    """Words with the middle of long ones left out, as their ends tell them apart."""
    half = longest // 2
    return [
        word if len(word) <= longest else f"{word[: half - 1]}…{word[-half:]}"
        for word in map(str, words)
    ]
