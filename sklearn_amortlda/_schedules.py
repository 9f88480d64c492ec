"""How fast the topics, the encoder and alpha learn at a step of training."""

from __future__ import annotations

import math
from dataclasses import dataclass

# alpha's part of a step: slow, since it is estimated from one batch, and not before
# the topics have parted.
_ALPHA_RATE = 0.05
_ALPHA_WAITS = 0.1

# Looks for duplicate topics are a twentieth of training apart: time enough for a topic
# that moved to find its place.
_RECYCLINGS = 20
# Where the end is not known, steps before the first look.
_POWER_WAITS = 64


@dataclass(frozen=True)
class Cosine:
    """From full steps to none over a known number of steps.

    Early steps forget nearly everything, which lets topics find their place; late ones
    average over many batches.

    Parameters
    ----------
    start : int
        The first step.
    n_steps : int
        Steps until the rates are (nearly) zero.
    top : float, default=1.0
        rho of the first step; less where there is something not to be forgotten.
    """

    start: int
    n_steps: int
    top: float = 1.0

    def topics(self, step: int) -> float:
        """rho_t of the natural gradient."""
        return max(self.top * self._height(step), 1e-3)

    def encoder(self, step: int) -> float:
        """Factor of Adam's learning rate."""
        return 0.05 + 0.95 * self._height(step)

    def alpha(self, step: int) -> float:
        """Exponent of the multiplicative update of alpha."""
        waits = step - self.start < _ALPHA_WAITS * self.n_steps
        return 0.0 if waits else _ALPHA_RATE * self._height(step)

    def recycles(self, step: int) -> bool:
        """Whether to look for duplicate topics after a step.

        Not before topics have parted, nor when those that moved could settle no more.
        """
        done, every = step - self.start, max(self.n_steps // _RECYCLINGS, 1)
        return 0.15 < done / self.n_steps < 0.7 and done % every == 0

    def _height(self, step):
        progress = min((step - self.start) / self.n_steps, 1.0)
        return 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class Power:
    """rho_t = (offset + t) ** -decay, for streams without a known end.

    Robbins & Monro (1951); Hoffman et al. (2010), eq. 8.
    """

    offset: float
    decay: float

    def topics(self, step: int) -> float:
        """rho_t of the natural gradient."""
        return (self.offset + step) ** -self.decay

    def encoder(self, step: int) -> float:
        """Factor of Adam's learning rate."""
        return 1.0

    def alpha(self, step: int) -> float:
        """Exponent of the multiplicative update of alpha."""
        waits = step < self.offset
        return 0.0 if waits else _ALPHA_RATE * self.topics(step) / self.topics(0)

    def recycles(self, step: int) -> bool:
        """Whether to look for duplicate topics after a step.

        Three times a doubling of the steps: the topics' memory is shorter than that.
        """
        if step < _POWER_WAITS:
            return False
        return int(3 * math.log2(step)) != int(3 * math.log2(step - 1))
