"""Dense layers over rows, in blocks of one size.

Input: a matrix whose number of rows is a multiple of the block. Output: the layer's
result. Matrix products of another shape may round otherwise, so with blocks of one size
the result of a row does not depend on the number of rows.
"""

from __future__ import annotations

import torch

# Rows of a block: few, so that a single document takes little time.
BLOCK = 32


def in_blocks(layer, x):
    """`layer` applied to blocks of rows; to all rows at once in training."""
    if layer.training or len(x) == BLOCK:
        return layer(x)
    return torch.cat([layer(rows) for rows in x.split(BLOCK)])
