"""Step sizes of the topics, the encoder and alpha, and times of all other changes.

Input: a time, counted in batches. Output: rates, how many batches a step merges, and
whether duplicates are searched and the Markov chain of the priors runs. Late in
training, batch_size='auto' merges up to eight batches into one step. A larger batch
reduces noise as a smaller step does (Smith et al. 2018), and costs less time for each
document.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

# Rate of alpha, which is small because each estimate is from one batch; and the share
# of training during which alpha is constant, because the topics are not yet distinct.
_ALPHA_RATE = 0.05
_ALPHA_DELAY = 0.1
# Share of training before the first run of the Markov chain of the priors, because the
# topics are not yet distinct.
_CHAIN_DELAY = 0.4
# Merging 16 batches saves little time beyond merging 8 (20NG).
MAX_MERGED = 8
# First epochs of a plateau, in which alpha is constant and topics are not merged.
_PLATEAU_DELAY = 2
# Equal parts of a training, which end with a search for duplicate topics and a run of
# the Markov chain of the priors. Topics that were split need a part to converge.
_N_PARTS = 20
# Batches before the first search if the length of training is unknown.
_SEARCH_DELAY = 64


class Schedule:
    """Base class of schedules.

    The rate of a step that merges n batches equals the rates of n steps of one batch.

    Attributes
    ----------
    max_step_size : float
        Largest sum of the topics' rates in a merged step.
    prior_rate : float
        Share of a new estimate in the logarithms of the priors, after a run of the
        Markov chain.
    """

    max_step_size: ClassVar[float]
    prior_rate: ClassVar[float] = 1.0

    def steps(self, time: int, n_batches: int, n_ranks: int = 1) -> list[int]:
        """Number of batches that each step of a rank merges.

        Parameters
        ----------
        time : int
            Number of batches before the epoch.
        n_batches : int
            Batches of the epoch on all ranks, a multiple of `n_ranks`.
        n_ranks : int, default=1
            Number of ranks, which take their steps at the same time.
        """
        steps, end = [], time + n_batches
        while time < end:
            most = min(self.max_step_size / self._rate(time), MAX_MERGED)
            left = (end - time) // n_ranks
            n_merged = min(2 ** int(math.log2(max(most, 1.0))), left)
            steps.append(n_merged)
            time += n_merged * n_ranks
        return steps

    def topics(self, time: int, n_merged: int = 1) -> float:
        """rho_t of the natural gradient."""
        return 1.0 - (1.0 - self._rate(time)) ** n_merged


class _Annealed(Schedule):
    """A schedule whose rates follow `height`, which falls from 1 to 0.

    Attributes
    ----------
    top : float
        rho at the height 1.
    """

    max_step_size: ClassVar[float] = 1.0

    def encoder(self, time: int, n_merged: int = 1) -> float:
        """Factor of the encoder's learning rate."""
        return n_merged * (0.05 + 0.95 * self.height(time))

    def _rate(self, time):
        return max(self.top * self.height(time), 1e-3)


@dataclass(frozen=True)
class Cosine(_Annealed):
    """Rates that fall along a cosine over a known number of batches.

    rho falls from `top` to nearly 0, and the encoder's factor from 1 to 0.05. Early
    steps keep little of the earlier topics, so that topics can change. Late steps
    average over many batches.

    Parameters
    ----------
    start : int
        Time of the first step.
    n_batches : int
        Number of batches until the end of the cosine.
    top : float, default=1.0
        rho of the first step; below 1 to continue earlier training.
    """

    start: int
    n_batches: int
    top: float = 1.0

    def alpha(self, time: int, n_merged: int = 1) -> float:
        """Exponent of the multiplicative update of alpha."""
        if time - self.start < _ALPHA_DELAY * self.n_batches:
            return 0.0
        return n_merged * _ALPHA_RATE * self.height(time)

    def searches_duplicates(self, before: int, now: int) -> bool:
        """Whether duplicate topics are searched after a step.

        Searches begin when topics are distinct, and end while the rates are still
        large enough for split topics to converge.
        """
        in_time = 0.15 < (now - self.start) / self.n_batches < 0.7
        return in_time and self._ends_part(before, now)

    def runs_chain(self, before: int, now: int) -> bool:
        """Whether the Markov chain of the priors runs after a step."""
        late = now - self.start > _CHAIN_DELAY * self.n_batches
        return late and self._ends_part(before, now)

    def height(self, time: int) -> float:
        """The cosine that all rates follow, from 1 to 0."""
        progress = min((time - self.start) / self.n_batches, 1.0)
        return 0.5 * (1.0 + math.cos(math.pi * progress))

    def _ends_part(self, before, now):
        """Whether one of the equal parts of training ends with a step."""
        length = max(self.n_batches // _N_PARTS, 1)
        return (now - self.start) // length > (before - self.start) // length


@dataclass(frozen=True)
class Plateau(_Annealed):
    """A constant rate for an unknown number of batches, then a cosine to zero.

    This is the schedule of early stopping. Topics stop changing when the rate falls, so
    the rate is constant until the end of training is known.

    Parameters
    ----------
    start : int
        Time of the first step.
    epoch : int
        Number of batches in an epoch.
    top : float, default=0.5
        The constant rate.
    cooldown : Cosine, default=None
        The falling rates; None before their start is known.
    """

    start: int
    epoch: int
    top: float = 0.5
    cooldown: Cosine | None = None

    def cool_down(self, time: int, n_batches: int) -> Plateau:
        """The schedule with rates that fall to zero over `n_batches` from `time` on."""
        return replace(self, cooldown=Cosine(time, n_batches))

    def height(self, time: int) -> float:
        """1 on the plateau, then the cosine of the cooldown."""
        return 1.0 if self.cooldown is None else self.cooldown.height(time)

    def alpha(self, time: int, n_merged: int = 1) -> float:
        """Exponent of the multiplicative update of alpha."""
        if time - self.start < _PLATEAU_DELAY * self.epoch:
            return 0.0
        return n_merged * _ALPHA_RATE * self.height(time)

    def searches_duplicates(self, before: int, now: int) -> bool:
        """Whether duplicate topics are searched after a step: once in an epoch."""
        if now - self.start < _PLATEAU_DELAY * self.epoch:
            return False
        if self.height(now) < 0.5:
            return False
        return (now - self.start) // self.epoch > (before - self.start) // self.epoch

    def runs_chain(self, before: int, now: int) -> bool:
        """Whether the Markov chain of the priors runs after a step: in the cooldown."""
        return self.cooldown is not None and self.cooldown.runs_chain(before, now)


@dataclass(frozen=True)
class Power(Schedule):
    """rho_t = (offset + t) ** -decay, for streams of unknown length.

    Robbins & Monro (1951); Hoffman et al. (2010), eq. 8.
    """

    offset: float
    decay: float
    # Smaller than Cosine's, because these rates fall before the topics are distinct.
    max_step_size: ClassVar[float] = 0.25
    # Below 1, because the documents of a chunk may differ from those of the stream.
    prior_rate: ClassVar[float] = 0.5

    def encoder(self, time: int, n_merged: int = 1) -> float:
        """Factor of the encoder's learning rate."""
        # The square root keeps the noise of steps of one batch (Malladi et al. 2022),
        # because the encoder's rate does not fall in this schedule.
        return math.sqrt(n_merged)

    def alpha(self, time: int, n_merged: int = 1) -> float:
        """Exponent of the multiplicative update of alpha."""
        if time < self.offset:
            return 0.0
        return n_merged * _ALPHA_RATE * self._rate(time) / self._rate(0)

    def searches_duplicates(self, before: int, now: int) -> bool:
        """Whether duplicate topics are searched after a step.

        There are three searches while the number of batches doubles.
        """
        if now < _SEARCH_DELAY:
            return False
        return int(3 * math.log2(now)) != int(3 * math.log2(before))

    def runs_chain(self, before: int, now: int) -> bool:
        """Whether the Markov chain of the priors runs after a step."""
        return self.searches_duplicates(before, now)

    def _rate(self, time):
        return (self.offset + time) ** -self.decay
