"""Processes that joblib starts to fit one model together, one rank each.

Input: the sessions of the other ranks. Output: a block in which this process is rank 0
of their process group. The backend of joblib must have processes, because Pyro has one
handler stack for each process.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from tempfile import TemporaryDirectory

import joblib
import torch.distributed as dist

from ..runtime.jobs import number_of_jobs
from .communicator import process_group

# Documents of a worker, below which its share of the work does not pay for the rounds.
_MIN_DOCUMENTS = 2000
# Rounds take seconds, but a worker may be suspended or share its core.
_TIMEOUT = timedelta(minutes=30)
_POLL_SECONDS = 0.02
# Keys of the store.
_START, _END = "start", "end"
# torch has one default group for each process.
_one_group = threading.Lock()


def count_workers(n_jobs: int | None, n_documents: int) -> int:
    """Number of processes for a fit of some documents.

    Parameters
    ----------
    n_jobs : int or None
        The estimator's parameter.
    n_documents : int

    Raises
    ------
    ValueError
        If n_jobs is 0.
    """
    return max(1, min(available_workers(n_jobs), n_documents // _MIN_DOCUMENTS))


def available_workers(n_jobs: int | None) -> int:
    """Largest number of processes of a fit, 1 inside of workers and with threads.

    Raises
    ------
    ValueError
        If n_jobs is 0.
    """
    n_workers = number_of_jobs(n_jobs)
    backend, _ = joblib.parallel.get_active_backend(prefer="processes")
    # Backends of processes, also those of other packages, lack `uses_threads`.
    if getattr(backend, "uses_threads", False) or backend.nesting_level:
        return 1
    return n_workers


@contextmanager
def joined_workers(tasks):
    """The communicator of rank 0, while workers are the other ranks.

    Parameters
    ----------
    tasks : sequence of tuple
        For each worker a `Session` and the arguments of `Session.follow`.

    Raises
    ------
    RuntimeError
        If a worker fails.
    ValueError
        If the process is in a process group already.
    """
    size = len(tasks) + 1
    with _one_group, ExitStack() as stack:
        if dist.is_initialized():
            raise ValueError(
                "n_jobs starts a process group, and this process is in one already: "
                "set distributed=True, or n_jobs=1."
            )
        # A file in a private folder: a store with a port would be open to the network.
        folder = stack.enter_context(_private_folder())
        path = os.path.join(folder, "store")
        store = dist.FileStore(path, size)
        calls = [
            joblib.delayed(_work)(path, rank, size, *task)
            for rank, task in enumerate(tasks, start=1)
        ]
        # With n_jobs=1 joblib would run the task in this process.
        workers = _Workers(joblib.Parallel(n_jobs=size, prefer="processes"), calls)
        try:
            workers.wait_until_all_joined(store, size)
            store.set(_START, "")
            with _group(store, 0, size) as communicator:
                yield communicator
        # The error of a worker is the cause of the errors of all other ranks.
        except RuntimeError:
            workers.join()
            workers.check()
            raise
        finally:
            # A worker may still wait for the start.
            store.set(_END, "")
            workers.join()


class _Workers:
    """Calls that joblib runs while this process continues."""

    def __init__(self, parallel, calls):
        self._errors = []
        self._thread = threading.Thread(target=self._run, args=(parallel, calls))
        self._thread.start()

    def wait_until_all_joined(self, store, size):
        keys = [_key(rank) for rank in range(1, size)]
        while not store.check(keys):
            if not self._thread.is_alive():
                self.check()
                raise RuntimeError("A worker of n_jobs has ended before the fit.")
            time.sleep(_POLL_SECONDS)

    def check(self):
        """Raise the error of a worker."""
        for error in self._errors:
            raise RuntimeError(
                f"A worker process of n_jobs failed with {type(error).__name__}: "
                f"{error}"
            ) from error

    def join(self):
        self._thread.join()

    def _run(self, parallel, calls):
        try:
            parallel(calls)
        except BaseException as error:
            self._errors.append(error)


def _private_folder():
    # joblib's variable names a folder that all workers see.
    return TemporaryDirectory(
        prefix="sklearn_amortlda-",
        dir=os.environ.get("JOBLIB_TEMP_FOLDER"),
        ignore_cleanup_errors=True,
    )


def _work(path, rank, size, session, *arguments):
    session = session.loaded()
    store = dist.FileStore(path, size)
    if store.check([_key(rank)]) and store.check([_START]):
        # Dask repeats the task of a killed worker. It would wait for the other ranks.
        raise RuntimeError(f"rank {rank} was killed in the fit")
    store.set(_key(rank), "")
    deadline = time.monotonic() + _TIMEOUT.total_seconds()
    while not store.check([_START]):
        if store.check([_END]) or time.monotonic() > deadline:
            return
        time.sleep(_POLL_SECONDS)
    with _group(store, rank, size) as communicator:
        replace(session, communicator=communicator).follow(*arguments)


def _key(rank):
    return f"joined/{rank}"


@contextmanager
def _group(store, rank, size):
    dist.init_process_group(
        "gloo", store=store, rank=rank, world_size=size, timeout=_TIMEOUT
    )
    try:
        with process_group() as communicator:
            yield communicator
    finally:
        dist.destroy_process_group()
