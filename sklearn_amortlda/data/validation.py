"""Validation of the arrays that users pass: counts, weights and priors.

Input: X, sample weights and Dirichlet parameters. Output: counts as canonical float32
CSR, weights and priors as float64 arrays; or an error.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.utils.validation import _check_sample_weight, check_non_negative

from .sparse_formats import checked

# Largest sum of all counts. Gradients grow with the sum, and Adam squares gradients in
# float32.
_MAX_TOTAL = float(np.sqrt(np.finfo(np.float32).max))
# Range of Dirichlet parameters that float32 can add to counts.
_PRIOR_RANGE = (1e-12, 1e6)


def canonical_counts(X, *, whom: str):
    """Counts as float32 CSR, sorted, without duplicates and stored zeros.

    Parameters
    ----------
    X : {ndarray, csr_matrix, csr_array} of shape (n_samples, n_features)
        Counts that scikit-learn's `validate_data` has accepted; not changed.
    whom : str
        Name of the caller, for messages.

    Returns
    -------
    counts : csr_array of shape (n_samples, n_features)

    Raises
    ------
    ValueError
        If a count is negative or NaN, or the counts are too large for float32.
    """
    counts = sp.csr_array(X)
    if not counts.has_canonical_format:
        counts = counts.copy()
        counts.sum_duplicates()
    check_non_negative(counts, whom=whom)
    with np.errstate(over="ignore"):
        total = counts.data.sum(dtype=np.float64)
    # validate_data accepts NaN if scikit-learn's setting assume_finite is on.
    if np.isnan(total):
        raise ValueError(f"X passed to {whom} contains NaN; replace NaN by counts.")
    if total > _MAX_TOTAL:
        raise ValueError(
            f"Counts passed to {whom} sum to {total:.3g}, and their squares overflow "
            "float32; scale X down."
        )
    counts = counts.astype(np.float32, copy=False)
    if not counts.data.all():
        counts = counts.copy()
        counts.eliminate_zeros()
    return counts


def well_formed(X):
    """X with checked indices, in a new container if X is sparse.

    The container is new, because scipy stores in a container whether its indices are
    sorted. This would change the joblib.hash of the user's X, and Pipeline(memory=...)
    would miss its cache.

    Raises
    ------
    ValueError
        If X holds texts, is masked, is a tensor that needs gradients, or is sparse and
        malformed.
    """
    if getattr(X, "requires_grad", False) is True:
        raise ValueError("X is a tensor that needs gradients; pass X.detach().")
    if _is_text(X):
        raise ValueError(
            "X holds texts instead of word counts: put a CountVectorizer before the "
            "topic model, as in make_pipeline(CountVectorizer(), AmortizedLDA())."
        )
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        raise ValueError("X has masked entries; replace them, such as by X.filled(0).")
    if not sp.issparse(X):
        return X
    if X.ndim != 2:
        raise ValueError(f"Expected 2D array, got a sparse array with X.ndim={X.ndim}.")
    return checked(X)


def _is_text(X) -> bool:
    """Whether the first value of a dense X is a text that is not a number."""
    if isinstance(X, str):
        return True
    if sp.issparse(X) or getattr(getattr(X, "dtype", None), "kind", "O") not in "OUT":
        return False
    try:
        first = np.asarray(X[:1]).ravel()[:1].tolist()
    # X is no sequence of equal rows; validate_data explains what it should be.
    except (TypeError, ValueError, IndexError, KeyError):
        return False
    return any(isinstance(value, str) and not _is_number(value) for value in first)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def fractions_warning(counts) -> str | None:
    """A warning if the counts are tf-idf values or frequencies, else None.

    Parameters
    ----------
    counts : csr_array
        Canonical counts.
    """
    values = counts.data
    if not len(values) or values.max() > 1.0 or values.min() == 1.0:
        return None
    mean = values.sum(dtype=np.float64) / counts.shape[0]
    return (
        "X holds fractions of at most 1, such as tf-idf values or frequencies, and LDA "
        f"takes them as numbers of words: {mean:.2g} in a mean document. Such short "
        "documents hardly change the prior, and perplexity, score and intervals refer "
        "to them. Pass the counts of a CountVectorizer. If X holds weighted counts, "
        "scale X so that each row sums to the document's number of words."
    )


def check_prior(value, shapes, name: str):
    """A Dirichlet prior as a positive float64 array of one of the given shapes.

    The array is a copy, so that later changes of the caller's array have no effect.

    Raises
    ------
    ValueError
        If the shape is another one, or a value is not in the range of `_PRIOR_RANGE`.
    """
    prior = np.array(value, dtype=np.float64)
    if prior.ndim and prior.shape not in shapes:
        allowed = " or ".join(map(str, shapes))
        raise ValueError(f"{name} has shape {prior.shape}; give a number or {allowed}.")
    lowest, highest = _PRIOR_RANGE
    if not ((prior >= lowest) & (prior <= highest)).all():
        raise ValueError(
            f"{name} must be positive and finite, between {lowest:g} and {highest:g}: "
            "float32 cannot represent other values beside counts."
        )
    return prior


def check_weights(sample_weight, X):
    """Weights of documents as float64 of shape (n_samples,), not negative."""
    return _check_sample_weight(
        sample_weight, X, dtype=np.float64, ensure_non_negative=True
    )
