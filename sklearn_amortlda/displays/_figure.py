"""A number of panels or a list of words goes in; axes or short labels come out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
from sklearn.utils._optional_dependencies import check_matplotlib_support

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# One Axes for each panel.
AxesLike: TypeAlias = Union["Axes", Sequence["Axes"], np.ndarray]


def panels(caller, ax, n_panels, *, n_cols, size, **options):
    """Return one Axes per panel, from the caller's axes or from a new figure.

    Parameters
    ----------
    caller : str
        Name of the calling method, for the message if matplotlib is not installed.
    ax : matplotlib Axes, array-like of Axes or None
        Axes to draw on. None makes a new figure.
    n_panels : int
        Number of panels.
    n_cols : int
        Largest number of panels in a row of a new figure.
    size : tuple of float
        Width and height of a panel of a new figure, in inches.
    **options : dict
        Keywords of :func:`matplotlib.pyplot.subplots`.

    Returns
    -------
    axes : ndarray of shape (n_panels,)

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If the number of axes in `ax` is not `n_panels`.
    """
    check_matplotlib_support(caller)
    import matplotlib.pyplot as plt

    if ax is not None:
        axes = np.asarray(ax, dtype=object).ravel()
        if len(axes) != n_panels:
            raise ValueError(
                f"ax holds {len(axes)} axes, but {n_panels} panels are drawn. Pass "
                f"{n_panels} axes, or None for a new figure."
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
    """Return the words as str, with the middle of long words replaced by an ellipsis.

    Both ends of a word are kept, because long words often share one of them.
    """
    half = longest // 2
    return [
        word if len(word) <= longest else f"{word[: half - 1]}…{word[-half:]}"
        for word in map(str, words)
    ]
