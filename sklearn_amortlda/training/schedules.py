"""Step sizes of the topics, the encoder and alpha, and how many batches a step merges.

Input: a time, counted in batches. Output: rates. Late in training,
batch_size='auto' merges up to eight batches into one step: averaging over more
documents reduces noise as smaller steps do (Smith et al. 2018), and costs less per
document.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

# Rate of alpha, small because each estimate is from one batch; and the share of
# training during which alpha is constant, because the topics are not yet distinct.
_ALPHA_RATE = 0.05
_ALPHA_DELAY = 0.1
# Merging 16 batches takes little less time than merging 8 (20NG).
MAX_MERGED = 8
# Searches for duplicate topics per training: topics that moved need time to settle.
_N_SEARCHES = 20
# Batches before the first search where the length of training is unknown.
_SEARCH_DELAY = 64


class Schedule:
    """Base class of schedules.

    A step that merges n batches has the rate of n steps of one batch.

    Attributes
    ----------
    max_step_size : float
        Largest sum of the topics' rates in a merged step.
    """

    max_step_size: ClassVar[float]

    def steps(self, time: int, n_batches: int) -> list[int]:
        """Number of batches that each step merges.

        Parameters
        ----------
        time : int
            Batches that training has seen.
        n_batches : int
            Batches to come: the sum of the result.
        """
        steps, end = [], time + n_batches
        while time < end:
            most = min(self.max_step_size / self._rate(time), MAX_MERGED)
            n_merged = min(2 ** int(math.log2(max(most, 1.0))), end - time)
            steps.append(n_merged)
            time += n_merged
        return steps

    def topics(self, time: int, n_merged: int = 1) -> float:
        """rho_t of the natural gradient."""
        return 1.0 - (1.0 - self._rate(time)) ** n_merged


@dataclass(frozen=True)
class Cosine(Schedule):
    """Rates that fall from `top` to zero over a known number of batches.

    Early steps forget nearly everything, so that topics can move; late steps average
    over many batches.

    Parameters
    ----------
    start : int
        Time of the first step.
    n_batches : int
        Batches until the rates are (nearly) zero.
    top : float, default=1.0
        rho of the first step; below 1 where earlier training is continued.
    """

    start: int
    n_batches: int
    top: float = 1.0
    max_step_size: ClassVar[float] = 1.0

    def encoder(self, time: int, n_merged: int = 1) -> float:
        """Factor of the encoder's learning rate."""
        return n_merged * (0.05 + 0.95 * self._height(time))

    def alpha(self, time: int, n_merged: int = 1) -> float:
        """Exponent of the multiplicative update of alpha."""
        if time - self.start < _ALPHA_DELAY * self.n_batches:
            return 0.0
        return n_merged * _ALPHA_RATE * self._height(time)

    def searches_duplicates(self, before: int, now: int) -> bool:
        """Whether duplicate topics are searched after a step.

        Not before topics are distinct, nor when topics that move could not settle.
        """
        every = max(self.n_batches // _N_SEARCHES, 1)
        before, now = before - self.start, now - self.start
        in_time = 0.15 < now / self.n_batches < 0.7
        return in_time and now // every > before // every

    def _rate(self, time):
        return max(self.top * self._height(time), 1e-3)

    def _height(self, time):
        progress = min((time - self.start) / self.n_batches, 1.0)
        return 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True)
class Power(Schedule):
    """rho_t = (offset + t) ** -decay, for streams of unknown length.

    Robbins & Monro (1951); Hoffman et al. (2010), eq. 8.
    """

    offset: float
    decay: float
    # Below Cosine's, because these rates fall before the topics are distinct.
    max_step_size: ClassVar[float] = 0.25

    def encoder(self, time: int, n_merged: int = 1) -> float:
        """Factor of the encoder's learning rate."""
        # The square root keeps the noise of a step of one batch (Malladi et al. 2022),
        # because this rate does not fall.
        return math.sqrt(n_merged)

    def alpha(self, time: int, n_merged: int = 1) -> float:
        """Exponent of the multiplicative update of alpha."""
        if time < self.offset:
            return 0.0
        return n_merged * _ALPHA_RATE * self._rate(time) / self._rate(0)

    def searches_duplicates(self, before: int, now: int) -> bool:
        """Whether duplicate topics are searched after a step.

        Three times each time that the number of batches doubles.
        """
        if now < _SEARCH_DELAY:
            return False
        return int(3 * math.log2(now)) != int(3 * math.log2(before))

    def _rate(self, time):
        return (self.offset + time) ** -self.decay
