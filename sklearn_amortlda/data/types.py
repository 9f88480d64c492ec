"""Types of the arrays in public signatures."""

from __future__ import annotations

from typing import TypeAlias, Union

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

# Counts: dense, or sparse in any format.
MatrixLike: TypeAlias = Union[ArrayLike, "sp.spmatrix", "sp.sparray"]
RandomState: TypeAlias = int | np.random.RandomState | None
