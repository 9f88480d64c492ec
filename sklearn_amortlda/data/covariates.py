"""Covariates of documents, such as their source or year.

Input: what the user passes as `covariates`. Output: a checked array, and columns of
mean 0 and standard deviation 1, so that one prior suits all coefficients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_array
from sklearn.utils.validation import _get_feature_names

from .array_api import to_numpy
from .vocabulary import quoted

# Largest absolute value, whose square is far from the limits of float64; and largest
# number of standard deviations from the mean.
_MAX_VALUE, _MAX_DEVIATION = 1e100, 1e6


def check_covariates(
    covariates, n_samples: int, n_known: int | None = None, names=None
):
    """The covariates as an array, and the names of their columns.

    Parameters
    ----------
    covariates : array-like of shape (n_samples, n_covariates)
    n_samples : int
        Number of documents.
    n_known : int, default=None
        Columns of the covariates of the fit; None accepts any number.
    names : ndarray of shape (n_known,), default=None
        Names of these columns, if they had names.

    Returns
    -------
    values : ndarray of shape (n_samples, n_covariates), of float64
    names : ndarray of shape (n_covariates,) or None
        None if the columns have no names.

    Raises
    ------
    ValueError
        If covariates are not finite numbers or exceed 1e100, or have another number of
        rows, or other columns than those of the fit.
    """
    if covariates is None:
        raise ValueError(
            "The model was fitted with covariates, and this call has none: pass the "
            "covariates of the documents, or fit a new model without them, with "
            "warm_start=False."
        )
    if n_known == 0:
        raise ValueError(
            "The model was fitted without covariates, so it has no coefficients for "
            "them: leave covariates out, or fit a new model with them, with "
            "warm_start=False."
        )
    own_names = _get_feature_names(covariates)
    try:
        values = check_array(
            _plain(covariates), dtype=np.float64, input_name="covariates"
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"covariates must be a matrix of finite numbers, one row for each document "
            f"({error}). Encode categories by a OneHotEncoder, fill in missing values, "
            "and pass one covariate as a matrix of one column."
        ) from error
    _check_range(values)
    if len(values) != n_samples:
        raise ValueError(
            f"covariates has {len(values)} rows, and X has {n_samples} documents; pass "
            "one row for each document."
        )
    if n_known is not None and values.shape[1] != n_known:
        raise ValueError(
            f"covariates has {values.shape[1]} columns, and the model was fitted with "
            f"{n_known}; pass the same columns."
        )
    if names is not None and own_names is not None and list(own_names) != list(names):
        raise ValueError(
            f"The columns of covariates are {quoted(own_names)}, and those of the fit "
            f"are {quoted(names)}; pass the same columns in the same order."
        )
    return values, own_names


def _plain(covariates):
    """Covariates as a dense array, without masks and dates.

    `check_array` ignores masks, and converts dates to numbers of any unit.
    """
    if sp.issparse(covariates):
        return covariates.toarray()
    if np.ma.isMaskedArray(covariates):
        return covariates.astype(np.float64).filled(np.nan)
    values = np.asarray(to_numpy(covariates))
    if values.dtype.kind in "mM":
        raise TypeError("dates have no unit; pass numbers, such as years")
    return values


def _check_range(values):
    largest = np.abs(values).max(initial=0.0)
    if largest > _MAX_VALUE:
        raise ValueError(
            f"covariates has the number {largest:.3g}, whose square overflows; scale "
            "covariates down."
        )


@dataclass(frozen=True)
class Standardization:
    """The weighted mean and standard deviation of each covariate in the first fit.

    The scale of a constant covariate is 1.

    Attributes
    ----------
    mean, scale : ndarray of shape (n_covariates,)
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, values, weights, add) -> Standardization:
        """Of the documents of all ranks.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_covariates)
        weights : ndarray of shape (n_samples,)
            Number of times each document counts.
        add : callable
            ``add(*numbers)`` returns the sums of numbers over the ranks.
        """
        weights = weights[:, np.newaxis]
        total, *sums = add(weights.sum(), *(weights * values).sum(axis=0))
        mean = np.asarray(sums) / total
        squares = add(*(weights * (values - mean) ** 2).sum(axis=0))
        scale = np.sqrt(np.asarray(squares) / total)
        # Rounding leaves a rest of the values in a constant column.
        constant = scale <= 1e-12 * np.abs(mean)
        return cls(mean, np.where(constant, 1.0, scale))

    @classmethod
    def of_model(cls, attributes: Mapping) -> Standardization:
        """That of a model, from its attributes by name."""
        return cls(attributes["_covariate_mean"], attributes["_covariate_scale"])

    def apply(self, values) -> np.ndarray:
        """Standardized covariates, shape (n_samples, n_covariates), of float32.

        Values very far from the mean are clipped, because float32 is finite.
        """
        standardized = (values - self.mean) / self.scale
        return np.clip(standardized, -_MAX_DEVIATION, _MAX_DEVIATION).astype(np.float32)

    def to_raw(self, alpha, coefficients):
        """Intercept and coefficients for covariates that are not standardized.

        Parameters
        ----------
        alpha : ndarray of shape (n_topics,)
            alpha at the mean of the covariates.
        coefficients : ndarray of shape (n_covariates, n_topics)

        Returns
        -------
        intercept : ndarray of shape (n_topics,)
        coefficients : ndarray of shape (n_topics, n_covariates)
        """
        raw = coefficients.T.astype(np.float64) / self.scale
        return np.log(alpha.astype(np.float64)) - raw @ self.mean, raw

    def from_raw(self, intercept, coefficients):
        """The inverse of `to_raw`."""
        alpha = np.exp(intercept + coefficients @ self.mean)
        return alpha, (coefficients * self.scale).T.astype(np.float32, order="C")
