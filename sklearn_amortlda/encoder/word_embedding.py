"""The word embedding: a row for each word, gathered for a batch.

Input: the distinct words of a batch. Output: their rows; in training a leaf tensor,
which receives the gradient.
"""

from __future__ import annotations

import numpy as np
import torch

from ..kernels.rows import gather_rows, scatter_rows


class WordEmbedding:
    """A matrix with a row for each word of the vocabulary.

    Not a Module, because a step reads and writes only the rows of its batch's words.

    Parameters
    ----------
    rows : ndarray of shape (n_features, n_row)
    dtype : torch.dtype
    device : torch.device

    Attributes
    ----------
    gathered : tuple of (words, rows) or None
        Words and rows of the latest batch in training.
    """

    def __init__(self, rows: np.ndarray, *, dtype, device):
        self._rows = torch.as_tensor(rows, dtype=dtype, device=device)
        self.gathered = None

    def __len__(self):
        return len(self._rows)

    def gather(self, words, *, training: bool) -> torch.Tensor:
        """Rows of some distinct words, shape (n_words, n_row)."""
        rows = gather_rows(self._rows, words)
        if training:
            self.gathered = words, rows.requires_grad_()
        return rows

    def gathered_rows(self, words) -> torch.Tensor:
        """Rows without gradient; for the latest batch the rows that were gathered."""
        if self.gathered is not None and words is self.gathered[0]:
            return self.gathered[1].detach()
        return gather_rows(self._rows, words)

    def scatter(self, words, rows) -> None:
        """Replace the rows of some distinct words."""
        scatter_rows(self._rows, words, rows)

    def array(self) -> np.ndarray:
        """A copy of the matrix."""
        return self._rows.cpu().numpy().copy()
