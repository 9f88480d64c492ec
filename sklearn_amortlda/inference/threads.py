"""Documents in several threads.

Input: a function of documents whose result has a row for each, and documents. Output:
the result for all documents. A row does not depend on its batch, so the result equals
that of one thread. torch and NumPy release the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Callable

import joblib
import numpy as np
import torch

from ..data.corpus import Corpus
from ..runtime.jobs import number_of_jobs
from ..runtime.torch_context import isolated_torch
from .inference import BATCH_SIZE, product_size

# Batches of a thread, below which the thread does not pay.
_MIN_BATCHES = 8


def in_threads(
    function: Callable,
    documents: Corpus,
    n_jobs: int | None,
    device: torch.device,
    n_topics: int,
) -> np.ndarray:
    """function(documents), where threads call it with parts of the rows.

    Parameters
    ----------
    function : callable
        From a Corpus to an array with a row for each document.
    documents : Corpus
    n_jobs : int or None
        As in joblib.
    device : torch.device
        The device of the function; a GPU gets one thread, which is the caller's.
    n_topics : int

    Raises
    ------
    ValueError
        If n_jobs is 0.
    """
    n_threads = number_of_jobs(n_jobs)
    n_samples, work = len(documents), product_size(documents.counts, n_topics)
    most = n_samples // (_MIN_BATCHES * BATCH_SIZE) if device.type == "cpu" else 1
    n_threads = min(n_threads, most)
    if n_threads <= 1:
        return function(documents)

    def call(rows):
        with isolated_torch(device, work):
            return function(documents[rows])

    size = -(-n_samples // (n_threads * BATCH_SIZE)) * BATCH_SIZE
    parts = [slice(start, start + size) for start in range(0, n_samples, size)]
    parallel = joblib.Parallel(n_jobs=n_threads, require="sharedmem")
    return np.concatenate(parallel(joblib.delayed(call)(rows) for rows in parts))
