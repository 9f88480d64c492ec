"""Word counts as users bring them, made into one canonical CSR matrix or refused."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import (
    _check_sample_weight,
    check_non_negative,
    validate_data,
)


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
        _shallow_copy(X),
        reset=reset,
        accept_sparse="csr",
        dtype=[np.float64, np.float32],
        order="C",
    )
    check_non_negative(X, whom=f"AmortizedLDA.{whom}")
    counts = sp.csr_array(X)
    # scipy trusts indices as they come; kernels that read outside would crash.
    counts.check_format(full_check=True)
    largest = counts.data.max(initial=0.0)
    if largest > np.finfo(np.float32).max / max(counts.nnz, 1):
        raise ValueError(
            f"Counts as large as {largest:.3g} passed to AmortizedLDA.{whom} overflow "
            "float32; scale X down."
        )
    if not counts.has_canonical_format:
        counts = counts.copy()
        counts.sum_duplicates()
    counts = counts.astype(np.float32, copy=False)
    if not counts.data.all():
        counts = counts.copy()
        counts.eliminate_zeros()
    return counts, X.dtype


def _shallow_copy(X):
    # Asking a sparse matrix whether it is sorted stores the answer in it, and with that
    # changes its joblib.hash: the caller's Pipeline(memory=...) would never hit.
    if sp.issparse(X) and X.format in ("csr", "csc"):
        return type(X)((X.data, X.indices, X.indptr), shape=X.shape)
    return X


def check_prior(value, shapes, name: str):
    """A Dirichlet prior as a positive float64 array of one of some shapes."""
    prior = np.asarray(value, dtype=np.float64)
    if prior.ndim and prior.shape not in shapes:
        allowed = " or ".join(map(str, shapes))
        raise ValueError(f"{name} has shape {prior.shape}; give a number or {allowed}.")
    if not (np.isfinite(prior).all() and (prior > 0).all()):
        raise ValueError(f"{name} must be positive and finite.")
    return prior


def check_weights(sample_weight, X):
    """Weights of documents as float64 of shape (n_samples,), none negative."""
    return _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
