"""eta, the Dirichlet prior of the topics' words.

`count_prior` learns eta as one number.
"""

from __future__ import annotations

import numpy as np

# Start and range of a learned eta.
INITIAL_ETA = 0.03
_RANGE = (1e-4, 10.0)


def clip(eta: float) -> float:
    """A learned eta within its range."""
    return float(np.clip(eta, *_RANGE))
