"""Types of the parameters and results in public signatures."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeVar, Union

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

# Counts: dense, or sparse in any format.
MatrixLike: TypeAlias = Union[ArrayLike, "sp.spmatrix", "sp.sparray"]
RandomState: TypeAlias = int | np.random.RandomState | None
# A fitted estimator or Pipeline: scikit-learn has no types for them.
TopicModel: TypeAlias = Any
# A model whose type is that of the result.
Model = TypeVar("Model")
