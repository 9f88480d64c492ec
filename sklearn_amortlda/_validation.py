"""Word counts as users bring them, made into one canonical CSR matrix or refused."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import (
    _check_sample_weight,
    check_non_negative,
    validate_data,
)

# Of all counts: gradients are of their size, and Adam squares them in float32.
_LARGEST_TOTAL = float(np.sqrt(np.finfo(np.float32).max))
# Of Dirichlet parameters, which are added to counts.
_PRIOR_RANGE = (1e-12, 1e6)


def check_counts(estimator, X, *, reset: bool, whom: str):
    """Validated counts of X, float32, with the type the caller's results should have.

    Parameters
    ----------
    estimator : AmortizedLDA
        Its `n_features_in_` and `feature_names_in_` are set or compared.
    X : {array-like, sparse matrix, sparse array} of shape (n_samples, n_features)
        Counts; never changed.
    reset : bool
        Whether X defines the number of features.
    whom : str
        Name of the method, for messages.

    Returns
    -------
    counts : csr_matrix or csr_array of shape (n_samples, n_features)
        float32, sorted, without duplicates or stored zeros.
    dtype : numpy.dtype
        float32 if X is, else float64.

    Raises
    ------
    ValueError
        If X is empty, malformed, negative, not finite, complex, too large for float32
        or of another width than in fit.
    """
    X = validate_data(
        estimator,
        well_formed(X),
        reset=reset,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        order="C",
    )
    counts = sp.csr_array(X)
    if not counts.has_canonical_format:
        counts = counts.copy()
        counts.sum_duplicates()
    check_non_negative(counts, whom=f"AmortizedLDA.{whom}")
    with np.errstate(over="ignore"):
        total = counts.data.sum(dtype=np.float64)
    if np.isnan(total):  # which validate_data lets pass under assume_finite
        raise ValueError(f"X passed to AmortizedLDA.{whom} contains NaN.")
    if total > _LARGEST_TOTAL:
        raise ValueError(
            f"Counts passed to AmortizedLDA.{whom} sum to {total:.3g}, and their "
            "squares overflow float32; scale X down."
        )
    counts = counts.astype(np.float32, copy=False)
    if not counts.data.all():
        counts = counts.copy()
        counts.eliminate_zeros()
    return counts, X.dtype


def well_formed(X):
    """X as scikit-learn may convert it, sparse ones checked and in a new container.

    Kernels, scipy's conversions among them, take indices as they come: those that lie
    would crash the process. The container is new because asking a sparse matrix
    whether it is sorted stores the answer in it, and with that changes its joblib.hash:
    the caller's Pipeline(memory=...) would never hit.
    """
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError("X has masked entries; replace them, as by X.filled(0).")
    if not sp.issparse(X):
        return X
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got a sparse one of {X.ndim} dimensions.")
    if X.format in ("csr", "csc", "bsr"):
        arrays = (_floats(X.data), _integers(X.indices), _integers(X.indptr))
    elif X.format == "coo":
        arrays = (_floats(X.data), (_integers(X.row), _integers(X.col)))
    else:
        return X
    own = getattr(sp, f"{X.format}_array")(arrays, shape=X.shape)
    if X.format != "coo":  # whose constructor has looked at all of it
        own.check_format(full_check=True)
        # scipy does not look where the last pointer says that there is nothing.
        if (own.indptr[1:] < own.indptr[:-1]).any():
            raise ValueError("The index pointers of a sparse X must not decrease.")
    return own


def _floats(data):
    # Or duplicates would be summed in the caller's type: 1 + 1 is True, or overflows.
    data = np.asarray(data)
    return data.astype(np.float64) if data.dtype.kind in "biu" else data


def _integers(indices):
    if np.asarray(indices).dtype.kind not in "iu":
        raise ValueError(f"Indices of a sparse X must be integers, got {indices!r}.")
    return indices


def check_prior(value, shapes, name: str):
    """A Dirichlet prior as a positive float64 array of one of some shapes."""
    prior = np.asarray(value, dtype=np.float64)
    if prior.ndim and prior.shape not in shapes:
        allowed = " or ".join(map(str, shapes))
        raise ValueError(f"{name} has shape {prior.shape}; give a number or {allowed}.")
    lowest, highest = _PRIOR_RANGE
    if not ((prior >= lowest) & (prior <= highest)).all():
        raise ValueError(
            f"{name} must be positive and finite, between {lowest:g} and {highest:g}, "
            "beyond which float32 cannot tell it from none or from certainty."
        )
    return prior


def check_weights(sample_weight, X):
    """Weights of documents as float64 of shape (n_samples,), none negative."""
    return _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
