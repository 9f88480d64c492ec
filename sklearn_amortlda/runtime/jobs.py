"""The number of processes or threads that `n_jobs` means."""

from __future__ import annotations

import joblib


def number_of_jobs(n_jobs: int | None) -> int:
    """joblib's number of jobs, in the caller's `joblib.parallel_config`.

    None is 1 in a task of joblib, where some backends, such as Dask's, would mean the
    whole cluster.

    Raises
    ------
    ValueError
        If n_jobs is 0.
    """
    if n_jobs == 0:
        raise ValueError("n_jobs=0 has no meaning; pass 1 or more, or -1: all cores.")
    backend, _ = joblib.parallel.get_active_backend()
    if n_jobs is None and backend.nesting_level:
        return 1
    return joblib.effective_n_jobs(n_jobs)
