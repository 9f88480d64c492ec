"""The encoder's rows for words, and the steps of the few that a batch touches."""

from __future__ import annotations

import numpy as np
import torch

from ._kernels import put_rows, take_rows

_DECAY, _EPSILON = 0.999, 1e-8
# Of the encoder's learning rate. Without momentum, and with one scale for a row where
# Adam has one for each number, larger steps do well: on the corpora measured this is a
# little better than Adam at its own rate.
_RATE = 1.7


class WordTable:
    """A matrix with a row for each word of the vocabulary, trained row by row.

    RMSprop with one second moment a row, as embedding tables are trained (row-wise
    Adagrad is its kin; Naumov et al. 2019): a third of what Adam's moments of every
    number would have a step read and write, and of what they would hold. A row's moment
    decays only when its word occurs. Nothing of the size of the vocabulary is touched.

    Parameters
    ----------
    rows : ndarray of shape (n_features, n_row)
        The matrix.
    moments : dict of ndarray
        'words.square', shape (n_features,), and 'words.step' of an earlier training, or
        nothing.
    dtype : torch.dtype
        Type of the matrix and the moments.
    device : torch.device
        Where they live.
    """

    def __init__(self, rows: np.ndarray, moments: dict, *, dtype, device):
        square = moments.get("words.square", np.zeros(len(rows), np.float32))
        self._rows = torch.tensor(rows, dtype=dtype, device=device)
        self._square = torch.tensor(square, dtype=dtype, device=device)
        self._step = int(moments.get("words.step", 0))

    def rows(self, words) -> torch.Tensor:
        """Rows of some distinct words, shape (n_words, n_row)."""
        return take_rows(self._rows, words)

    @torch.no_grad()
    def step(self, words, rows, learning_rate: float) -> None:
        """Move the rows of some words by what is in the gradient of `rows`."""
        gradient, rows = rows.grad, rows.detach()
        square = self._square.index_select(0, words)
        # The norm's square, for a matrix of squares would be read once more.
        mean_square = torch.linalg.vector_norm(gradient, dim=1).square_()
        mean_square /= gradient.shape[1]
        square = torch.lerp(mean_square, square, _DECAY)
        self._step += 1
        unbiased = square / (1.0 - _DECAY**self._step)
        rates = _RATE * learning_rate / (unbiased.sqrt() + _EPSILON)
        rows.addcmul_(gradient, rates.unsqueeze(1), value=-1.0)
        put_rows(self._square, words, square)
        put_rows(self._rows, words, rows)

    def state(self) -> tuple[np.ndarray, dict]:
        """Copies of the matrix and of the moments."""
        rows, square = (m.cpu().numpy().copy() for m in (self._rows, self._square))
        return rows, {"words.square": square, "words.step": np.asarray(self._step)}
