"""Random numbers in loops that numba compiles.

Input: the state of a generator, an array of one uint64, which each draw changes.
Output: draws. Importing this file needs numba.
"""

from __future__ import annotations

import math

import numpy as np

from ..runtime.compiled import kernel
from .document_noise import FACTORS, STEP

# numba takes the numbers of a module as constants.
_STEP, _FACTOR_1, _FACTOR_2 = STEP[0], FACTORS[0, 0], FACTORS[1, 0]
_27, _30, _31, _11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
# Smallest probability, far from the limits of float64.
TINY = 1e-300


@kernel
def uniform(state):
    """A draw in (0, 1), by SplitMix64."""
    state[0] += _STEP
    bits = state[0]
    bits = (bits ^ (bits >> _30)) * _FACTOR_1
    bits = (bits ^ (bits >> _27)) * _FACTOR_2
    bits = bits ^ (bits >> _31)
    return (np.float64(bits >> _11) + 0.5) * 2.0**-53


@kernel
def integer(n, state):
    """An integer from 0 to n - 1."""
    return int(uniform(state) * n)


@kernel
def category(share, order, state):
    """An index, with the probabilities `share`."""
    rest = uniform(state)
    for k in order:
        rest -= share[k]
        if rest <= 0.0:
            return k
    return order[-1]


@kernel
def normal(state):
    """A standard normal draw, by the polar method."""
    while True:
        x = 2.0 * uniform(state) - 1.0
        y = 2.0 * uniform(state) - 1.0
        s = x * x + y * y
        if s < 1.0:
            return x * math.sqrt(-2.0 * math.log(s) / s)


@kernel
def log_gamma(shape, state):
    """Logarithm of a Gamma(shape, 1) draw (Marsaglia & Tsang 2000)."""
    # A Gamma(a) draw is a Gamma(a + 1) draw times U ** (1 / a).
    d = shape + 2.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = normal(state)
        v = (1.0 + c * x) ** 3
        if v <= 0.0:
            continue
        log_v, log_u = math.log(v), math.log(uniform(state))
        if log_u < 0.5 * x * x + d * (1.0 - v + log_v):
            return math.log(d) + log_v + math.log(uniform(state)) / shape


@kernel
def dirichlet(concentration, theta, state):
    """theta <- a draw from Dirichlet(concentration)."""
    largest = -np.inf
    for k in range(len(theta)):
        theta[k] = log_gamma(concentration[k], state)
        largest = max(largest, theta[k])
    total = 0.0
    for k in range(len(theta)):
        theta[k] = math.exp(theta[k] - largest)
        total += theta[k]
    for k in range(len(theta)):
        theta[k] = max(theta[k] / total, TINY)
