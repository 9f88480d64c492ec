"""Maximum likelihood of Dirichlet priors, given counts of draws.

Input: counts n_dk of a document's words in each topic, or n_kv of a topic's words, and
a prior. Output: the prior under which the counts are most likely, where the
distributions that the counts were drawn from are integrated out (the Dirichlet-
multinomial, or Polya, distribution).
"""

from __future__ import annotations

import numpy as np

# Steps of the fixed point; they start from the prior of the sweep before.
_N_STEPS = 5
_SMALLEST = 1e-9


def fit_prior(counts, prior, weights=None):
    """A Dirichlet prior after some steps of Minka's fixed point.

    prior_k <- prior_k sum_d [psi(n_dk + prior_k) - psi(prior_k)] / sum_d [psi(n_d +
    sum_j prior_j) - psi(sum_j prior_j)] (Minka 2000, eq. 55).

    Parameters
    ----------
    counts : ndarray of int of shape (n_rows, n_columns)
        The counts n.
    prior : ndarray of shape (n_columns,)
    weights : ndarray of shape (n_rows,), default=None
        Number of times each row counts.

    Returns
    -------
    prior : ndarray of shape (n_columns,)
    """
    of_columns = _tails(counts.T, weights)
    of_rows = _tails(counts.sum(axis=1)[np.newaxis], weights)
    for _ in range(_N_STEPS):
        numerator = _digamma_differences(of_columns, prior)
        prior = prior * numerator / _digamma_differences(of_rows, prior.sum())
        # A column without counts has the optimum zero.
        prior = np.maximum(prior, _SMALLEST)
    return prior


def fit_symmetric_prior(counts, prior: float, n_columns: int) -> float:
    """A prior with one value for all columns, after some steps of the fixed point.

    Parameters
    ----------
    counts : ndarray of int of shape (n_rows, n_known)
        The counts of all columns that are not zero.
    prior : float
    n_columns : int
        Number of columns, also of those that are zero.
    """
    of_values = _tails(counts.reshape(1, -1))
    of_rows = _tails(counts.sum(axis=1)[np.newaxis])
    for _ in range(_N_STEPS):
        numerator = _digamma_differences(of_values, prior)
        total = n_columns * prior
        denominator = n_columns * _digamma_differences(of_rows, total)
        prior = prior * float(numerator[0] / denominator[0])
    return prior


def _tails(counts, weights=None):
    """Number of counts that exceed m = 0, 1, ..., for each row of counts."""
    n_rows = len(counts)
    width = int(counts.max(initial=0)) + 1
    cells = (counts + width * np.arange(n_rows)[:, np.newaxis]).ravel()
    weights = None if weights is None else np.tile(weights, n_rows)
    equal = np.bincount(cells, weights, minlength=n_rows * width)
    at_least = equal.reshape(n_rows, width)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return at_least[:, 1:]


def _digamma_differences(tails, prior):
    """sum psi(n + prior) - psi(prior) over the counts n of each row of `tails`."""
    # psi(n + a) - psi(a) is the sum of 1 / (a + m) over m < n.
    steps = np.arange(tails.shape[1]) + np.reshape(prior, (-1, 1))
    return (tails / steps).sum(axis=1)
