"""How fast the topics, the encoder and alpha learn, and from how much at once.

Time is counted in batches. Late steps may take several batches at once: to average over
more documents quiets training as smaller steps do (Smith et al. 2018), and costs less
a document. Rates are those of a step of one batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

# alpha's part of a step: slow, since it is estimated from one batch, and not before
# the topics have parted.
_ALPHA_RATE = 0.05
_ALPHA_WAITS = 0.1

# Batches a step takes at the most. Sixteen take little less time than eight.
MOST_AT_ONCE = 8

# Looks for duplicate topics are a twentieth of training apart: time enough for a topic
# that moved to find its place.
_RECYCLINGS = 20
# Where the end is not known, batches before the first look.
_POWER_WAITS = 64


class Schedule:
    """What schedules have in common.

    Times are in batches. A step of several batches at once takes the way of so many.

    Attributes
    ----------
    most_forgotten : float
        Steps take as many batches at once as keep the sum of their rates below this.
    """

    most_forgotten: ClassVar[float]

    def steps(self, time: int, n_batches: int) -> list[int]:
        """Batches that each step takes at once, from a time on.

        Parameters
        ----------
        time : int
            Batches that training has seen.
        n_batches : int
            Batches to come: the sum of what is returned.
        """
        steps, end = [], time + n_batches
        while time < end:
            most = min(self.most_forgotten / self._rate(time), MOST_AT_ONCE)
            at_once = min(2 ** int(math.log2(max(most, 1.0))), end - time)
            steps.append(at_once)
            time += at_once
        return steps

    def topics(self, time: int, at_once: int = 1) -> float:
        """rho_t of the natural gradient."""
        return 1.0 - (1.0 - self._rate(time)) ** at_once


@dataclass(frozen=True)
class Cosine(Schedule):
    """From full steps to none over a known number of batches.

    Early steps forget nearly everything, which lets topics find their place; late ones
    average over many batches.

    Parameters
    ----------
    start : int
        Time of the first step.
    n_batches : int
        Batches until the rates are (nearly) zero.
    top : float, default=1.0
        rho of the first step; less where there is something not to be forgotten.
    """

    start: int
    n_batches: int
    top: float = 1.0
    most_forgotten: ClassVar[float] = 1.0

    def encoder(self, time: int, at_once: int = 1) -> float:
        """Factor of Adam's learning rate."""
        return at_once * (0.05 + 0.95 * self._height(time))

    def alpha(self, time: int, at_once: int = 1) -> float:
        """Exponent of the multiplicative update of alpha."""
        waits = time - self.start < _ALPHA_WAITS * self.n_batches
        return 0.0 if waits else at_once * _ALPHA_RATE * self._height(time)

    def recycles(self, before: int, now: int) -> bool:
        """Whether to look for duplicate topics after a step.

        Not before topics have parted, nor when those that moved could settle no more.
        """
        every = max(self.n_batches // _RECYCLINGS, 1)
        before, now = before - self.start, now - self.start
        timely = 0.15 < now / self.n_batches < 0.7
        return timely and now // every > before // every

    def _rate(self, time):
        return max(self.top * self._height(time), 1e-3)

    def _height(self, time):
        progress = min((time - self.start) / self.n_batches, 1.0)
        return 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class Power(Schedule):
    """rho_t = (offset + t) ** -decay, for streams without a known end.

    Robbins & Monro (1951); Hoffman et al. (2010), eq. 8.
    """

    offset: float
    decay: float
    # These rates fall at once, before topics have parted.
    most_forgotten: ClassVar[float] = 0.25

    def encoder(self, time: int, at_once: int = 1) -> float:
        """Factor of Adam's learning rate."""
        # As much noise as one batch at a rate of 1 (Malladi et al. 2022): with no end
        # in sight more would stay.
        return math.sqrt(at_once)

    def alpha(self, time: int, at_once: int = 1) -> float:
        """Exponent of the multiplicative update of alpha."""
        waits = time < self.offset
        rate = _ALPHA_RATE * self._rate(time) / self._rate(0)
        return 0.0 if waits else at_once * rate

    def recycles(self, before: int, now: int) -> bool:
        """Whether to look for duplicate topics after a step.

        Three times a doubling of the time: the topics' memory is shorter than that.
        """
        if now < _POWER_WAITS:
            return False
        return int(3 * math.log2(now)) != int(3 * math.log2(before))

    def _rate(self, time):
        return (self.offset + time) ** -self.decay
