"""The encoder's rows for words, and Adam for the few that a step touches."""

from __future__ import annotations

import numpy as np
import torch
from torch.optim.adam import adam

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8
_MOMENTS = "words.exp_avg", "words.exp_avg_sq"


class WordTable:
    """A matrix with a row for each word of the vocabulary, trained row by row.

    Adam's moments of a row decay only when its word occurs, as those of
    `torch.optim.SparseAdam`. A step gathers the rows of a batch once, and puts them
    back once: nothing of the size of the vocabulary is touched.

    Parameters
    ----------
    rows : ndarray of shape (n_features, n_row)
        The matrix.
    moments : dict of ndarray
        'words.exp_avg', 'words.exp_avg_sq' and 'words.step' of an earlier training, or
        nothing.
    dtype : torch.dtype
        Type of the matrix and the moments.
    device : torch.device
        Where they live.
    """

    def __init__(self, rows: np.ndarray, moments: dict, *, dtype, device):
        zeros = np.zeros_like(rows)
        matrices = [rows, *(moments.get(key, zeros) for key in _MOMENTS)]
        self._matrices = [
            torch.tensor(matrix, dtype=dtype, device=device) for matrix in matrices
        ]
        step = float(moments.get("words.step", 0.0))
        self._step = torch.tensor(step, dtype=torch.float32, device=device)

    def rows(self, words) -> torch.Tensor:
        """Rows of some distinct words, shape (n_words, n_row)."""
        return self._matrices[0].index_select(0, words)

    @torch.no_grad()
    def step(self, words, rows, learning_rate: float) -> None:
        """Move the rows of some words by what is in the gradient of `rows`."""
        moments = [matrix.index_select(0, words) for matrix in self._matrices[1:]]
        rows, gradient = rows.detach(), rows.grad
        adam(
            [rows],
            [gradient],
            [moments[0]],
            [moments[1]],
            [],
            [self._step],
            fused=True,
            amsgrad=False,
            beta1=_BETA1,
            beta2=_BETA2,
            lr=learning_rate,
            weight_decay=0.0,
            eps=_EPSILON,
            maximize=False,
        )
        for matrix, changed in zip(self._matrices, [rows, *moments]):
            matrix.index_copy_(0, words, changed)

    def state(self) -> tuple[np.ndarray, dict]:
        """Copies of the matrix and of the moments."""
        rows, *moments = (m.cpu().numpy().copy() for m in self._matrices)
        step = self._step.cpu().numpy().copy()
        return rows, {**dict(zip(_MOMENTS, moments)), "words.step": step}
