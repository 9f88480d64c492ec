"""Dirichlet posteriors as the estimator returns them.

Input: the parameters of Dirichlet distributions, one per row. Output: means, standard
deviations, credible intervals and draws, as NumPy arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from scipy.special import softmax
from scipy.stats import beta
from sklearn.utils import check_random_state


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

    def interval(self, level=0.9) -> tuple[np.ndarray, np.ndarray]:
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
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, got {level!r}.")
        concentration, rest = self._parameters()
        # A single entry is always 1, and scipy's beta has no parameter 0.
        if concentration.shape[1] == 1:
            return np.ones_like(concentration), np.ones_like(concentration)
        tail = (1.0 - level) / 2.0
        # Not ppf(1 - tail), which loses digits of a small tail.
        return beta.ppf(tail, concentration, rest), beta.isf(tail, concentration, rest)

    def sample(self, n_samples=1, random_state=None) -> np.ndarray:
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
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(
                f"n_samples must be a positive integer, got {n_samples!r}."
            )
        seed = check_random_state(random_state).randint(2**31 - 1)
        concentration = np.asarray(self.concentration, dtype=np.float64)
        shape = (n_samples, *concentration.shape)
        return draw_dirichlet(
            np.broadcast_to(concentration, shape), np.random.default_rng(seed)
        )

    def _parameters(self):
        """Both parameters of the beta distribution of each entry."""
        concentration = np.asarray(self.concentration, dtype=np.float64)
        return concentration, concentration.sum(axis=1, keepdims=True) - concentration


def draw_dirichlet(concentration, rng: np.random.Generator):
    """Dirichlet draws over the last axis, without underflow for small parameters."""
    # A Gamma(a) draw is a Gamma(a + 1) draw times U ** (1 / a). Logarithms of both
    # factors do not underflow.
    log = np.log(rng.standard_gamma(concentration + 1.0))
    log -= rng.standard_exponential(concentration.shape) / concentration
    return softmax(log, axis=-1)
