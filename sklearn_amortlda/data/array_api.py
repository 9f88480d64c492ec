"""Arrays of other libraries, such as torch tensors and CuPy arrays.

Input: dense counts in a namespace of the array API. Output: the counts as a NumPy
array, and results in the namespace and on the device of the counts. As everywhere in
scikit-learn, the setting `array_api_dispatch` turns this on.
"""

from __future__ import annotations

import numpy as np
from sklearn import get_config
from sklearn.utils._array_api import _convert_to_numpy, get_namespace


def is_dispatched(X) -> bool:
    """Whether results are in the namespace of X, because X is no NumPy array."""
    on = get_config()["array_api_dispatch"]
    return on and hasattr(X, "__dlpack__") and not isinstance(X, np.ndarray)


def to_numpy(X):
    """X as NumPy array if `is_dispatched`, else X itself."""
    if not is_dispatched(X):
        return X
    return _convert_to_numpy(X, get_namespace(X)[0])


def like(result: np.ndarray, X):
    """A result in the namespace and on the device of X if `is_dispatched`."""
    if not is_dispatched(X):
        return result
    return get_namespace(X)[0].asarray(result, device=X.device)
