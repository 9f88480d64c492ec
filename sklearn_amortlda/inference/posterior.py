"""Posteriors as the estimator returns them.

Input: the parameters of Dirichlet distributions, one per row, or draws of a Markov
chain. Output: means, standard deviations, credible intervals and draws, as NumPy
arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from scipy.special import softmax
from scipy.stats import beta
from sklearn.utils import check_random_state

from ..data.types import RandomState


@dataclass(frozen=True, eq=False)
class DirichletPosterior:
    """Independent Dirichlet distributions, one per row.

    All results are float64. The marginal of each entry is a beta distribution.

    Parameters
    ----------
    concentration : ndarray of shape (n, K)
        Parameters, positive.

    See Also
    --------
    AmortizedLDA.doc_topic_posterior : Topic proportions of documents.
    AmortizedLDA.topic_word_posterior : The topics.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import DirichletPosterior
    >>> posterior = DirichletPosterior(np.array([[8.0, 1.0, 1.0]]))
    >>> posterior.mean
    array([[0.8, 0.1, 0.1]])
    >>> posterior.std.round(2)
    array([[0.12, 0.09, 0.09]])
    >>> lower, upper = posterior.interval(0.9)
    >>> lower.round(2), upper.round(2)
    (array([[0.57, 0.01, 0.01]]), array([[0.96, 0.28, 0.28]]))
    >>> posterior.sample(100, random_state=0).shape
    (100, 1, 3)
    """

    concentration: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean of each entry, shape (n, K); rows on the simplex."""
        concentration, rest = self._parameters()
        return concentration / (concentration + rest)

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of each entry, shape (n, K)."""
        concentration, rest = self._parameters()
        total = concentration + rest
        return np.sqrt(concentration * rest / (total + 1.0)) / total

    def interval(self, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Equal-tailed credible interval of the marginal of each entry.

        Parameters
        ----------
        level : float, default=0.9
            Probability of the interval, in (0, 1). Each tail has half of 1 - `level`.

        Returns
        -------
        lower, upper : ndarray of shape (n, K)
            The ends of the intervals. Each interval has the probability `level`. The
            probability that all entries of a row are in their intervals is smaller.

        Raises
        ------
        ValueError
            If `level` is not between 0 and 1.
        """
        tail = tail_of(level)
        concentration, rest = self._parameters()
        # A single entry is always 1, and scipy's beta has no parameter 0.
        if concentration.shape[1] == 1:
            return np.ones_like(concentration), np.ones_like(concentration)
        # Not ppf(1 - tail), which loses digits of a small tail.
        return beta.ppf(tail, concentration, rest), beta.isf(tail, concentration, rest)

    def sample(
        self, n_samples: int = 1, random_state: RandomState = None
    ) -> np.ndarray:
        """Independent draws.

        Parameters
        ----------
        n_samples : int, default=1
            Draws per row.
        random_state : int, RandomState instance or None, default=None
            Pass an int for equal draws in every call.

        Returns
        -------
        samples : ndarray of shape (n_samples, n, K)
            Rows on the simplex.

        Raises
        ------
        ValueError
            If `n_samples` is not a positive integer.
        """
        check_n_samples(n_samples)
        concentration = np.asarray(self.concentration, dtype=np.float64)
        shape = (n_samples, *concentration.shape)
        return draw_dirichlet(
            np.broadcast_to(concentration, shape),
            np.random.default_rng(draw_seed(random_state)),
        )

    def _parameters(self):
        """Both parameters of the beta distribution of each entry."""
        concentration = np.asarray(self.concentration, dtype=np.float64)
        return concentration, concentration.sum(axis=1, keepdims=True) - concentration


@dataclass(frozen=True, eq=False)
class SampledPosterior:
    """Draws of distributions by Markov chain Monte Carlo.

    The rows are topic proportions of documents, each with a chain of its own. Or the
    rows are topics, which have one chain together.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n, K)
        Successive states of the chains; rows on the simplex.

    See Also
    --------
    AmortizedLDA.doc_topic_posterior, AmortizedLDA.topic_word_posterior : Return this
        for ``method='mcmc'``.
    DirichletPosterior : Has the same methods.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_amortlda import SampledPosterior
    >>> rng = np.random.default_rng(0)
    >>> posterior = SampledPosterior(rng.dirichlet([8.0, 1.0, 1.0], (1000, 1)))
    >>> posterior.mean.round(1)
    array([[0.8, 0.1, 0.1]])
    >>> lower, upper = posterior.interval(0.9)
    >>> bool(lower[0, 0] < 0.8 < upper[0, 0])
    True
    """

    samples: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean of each entry, shape (n, K); rows on the simplex up to rounding."""
        return self.samples.mean(axis=0, dtype=np.float64)

    @property
    def std(self) -> np.ndarray:
        """Standard deviation of each entry, shape (n, K)."""
        return self.samples.std(axis=0, dtype=np.float64)

    def interval(self, level: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
        """Equal-tailed credible interval of each entry.

        Parameters
        ----------
        level : float, default=0.9
            Probability of the interval, in (0, 1). Each tail has half of 1 - `level`.

        Returns
        -------
        lower, upper : ndarray of shape (n, K)
            Quantiles of the draws.

        Raises
        ------
        ValueError
            If `level` is not between 0 and 1.
        """
        tail = tail_of(level)
        # With the r-th of n independent draws as the quantile r / (n + 1), a new draw
        # is in the interval with probability `level` for any n.
        lower, upper = np.quantile(
            self.samples, [tail, 1.0 - tail], axis=0, method="weibull"
        )
        return lower, upper

    def sample(
        self, n_samples: int = 1, random_state: RandomState = None
    ) -> np.ndarray:
        """Draws from the states of the chains, with replacement.

        Parameters
        ----------
        n_samples : int, default=1
            Draws per row.
        random_state : int, RandomState instance or None, default=None
            Pass an int for equal draws in every call.

        Returns
        -------
        samples : ndarray of shape (n_samples, n, K)
            Rows on the simplex.

        Raises
        ------
        ValueError
            If `n_samples` is not a positive integer.
        """
        check_n_samples(n_samples)
        rng = check_random_state(random_state)
        n_states, n_rows, _ = self.samples.shape
        states = rng.randint(n_states, size=(n_samples, n_rows))
        return self.samples[states, np.arange(n_rows)]

    @property
    def effective_sample_size(self) -> np.ndarray:
        """Independent draws whose mean would be as accurate, shape (n, K) [1]_.

        References
        ----------
        .. [1] C. J. Geyer (1992). Practical Markov chain Monte Carlo. Statistical
           Science 7.
        """
        n = len(self.samples)
        deviations = self.samples - self.mean
        variance = (deviations**2).mean(axis=0)
        # Geyer's initial positive sequence: sums of two neighbours, while positive.
        time = np.full(variance.shape, -1.0)
        active = variance > 0
        for lag in range(0, n - 1, 2):
            pair = sum(
                (deviations[k:] * deviations[: n - k]).sum(axis=0)
                for k in (lag, lag + 1)
            ) / np.where(active, n * variance, 1.0)
            active &= pair > 0
            if not active.any():
                break
            time += np.where(active, 2.0 * pair, 0.0)
        # A chain that does not move has one draw, and an antithetic chain at most n.
        return np.where(variance > 0, np.minimum(n / np.maximum(time, 1.0), n), 1.0)

    @property
    def r_hat(self) -> np.ndarray:
        """Ratio of standard deviations of the whole and the halves of a chain [1]_.

        The shape is (n, K). Values near 1 agree with convergence, and values above 1.2
        do not.

        References
        ----------
        .. [1] A. Gelman et al. (2013). Bayesian data analysis, section 11.4. CRC Press.
        """
        half = len(self.samples) // 2
        halves = np.stack([self.samples[:half], self.samples[-half:]])
        within = halves.var(axis=1, ddof=1, dtype=np.float64).mean(axis=0)
        between = halves.mean(axis=1, dtype=np.float64).var(axis=0, ddof=1)
        total = (half - 1) / half * within + between
        return np.sqrt(np.divide(total, within, np.ones_like(total), where=within > 0))


def draws_of_topics(posterior, shape: tuple, n_draws: int, seed: int):
    """Draws from a posterior of topics, shape (n_draws, n_topics, n_features).

    The states of a chain are equally spaced, so that they are nearly independent.

    Raises
    ------
    ValueError
        If `posterior` is none, or its topics do not have the shape `shape`.
    """
    if isinstance(posterior, SampledPosterior):
        states = posterior.samples
        chosen = np.linspace(0, len(states) - 1, min(n_draws, len(states)))
        draws = states[chosen.astype(int)]
    elif isinstance(posterior, DirichletPosterior):
        draws = posterior.sample(n_draws, seed)
    else:
        raise ValueError(
            "topics must be a posterior of the topics, such as the result of "
            f"topic_word_posterior, got {type(posterior).__name__}."
        )
    if draws.shape[1:] != shape:
        raise ValueError(
            f"topics has draws of shape {draws.shape[1:]}, and the model has topics of "
            f"shape {shape}; pass a posterior of this model's topics."
        )
    return draws


def draw_seed(random_state) -> int:
    """A seed of NumPy's generators, drawn from scikit-learn's `random_state`."""
    return check_random_state(random_state).randint(2**31 - 1)


def check_method(method):
    """Raise a ValueError if the method of a posterior is unknown."""
    if method not in ("variational", "mcmc"):
        raise ValueError(f"method must be 'variational' or 'mcmc', got {method!r}.")


def check_n_samples(n_samples, minimum=1, name="n_samples"):
    """Raise a ValueError if the number of draws is not an integer from `minimum` on."""
    whole = isinstance(n_samples, Integral) and not isinstance(n_samples, bool)
    if not whole or n_samples < minimum:
        kind = "a positive integer" if minimum == 1 else f"an integer from {minimum} on"
        raise ValueError(f"{name} must be {kind}, got {n_samples!r}.")


def tail_of(level):
    """The probability of each tail outside of an equal-tailed interval."""
    if not isinstance(level, Real) or not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level!r}.")
    return (1.0 - level) / 2.0


def draw_dirichlet(concentration, rng: np.random.Generator):
    """Dirichlet draws over the last axis, without underflow for small parameters."""
    # A Gamma(a) draw is a Gamma(a + 1) draw times U ** (1 / a). Logarithms of both
    # factors do not underflow.
    log = np.log(rng.standard_gamma(concentration + 1.0))
    log -= rng.standard_exponential(concentration.shape) / concentration
    return softmax(log, axis=-1)
