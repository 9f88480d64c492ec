"""The number of processes or threads that `n_jobs` means."""

from __future__ import annotations

import joblib


def number_of_jobs(n_jobs: int | None) -> int:
    """joblib's number of jobs, in the caller's `joblib.parallel_config`.

    Raises
    ------
    ValueError
        If n_jobs is 0.
    """
    if n_jobs == 0:
        raise ValueError("n_jobs=0 has no meaning; pass 1 or more, or -1: all cores.")
    return joblib.effective_n_jobs(n_jobs)
