"""Communication of the processes that train one model, each on its own documents.

Input: numbers and tensors of one process. Output: sums and averages over the ranks of a
torch.distributed group. `SingleProcess` has the interface of `Communicator`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass

import joblib
import numpy as np
import torch
import torch.distributed as dist

from ..data.corpus import Corpus

# Parameters that may differ between ranks.
_OWN_PARAMETERS = {"device", "verbose", "random_state"}


@dataclass(frozen=True)
class Totals:
    """Sums over the documents of all ranks.

    Attributes
    ----------
    n_documents : int
        Number of documents.
    n_entries : int
        Non-zeros of their counts.
    weight : float
        Sum of their weights.
    """

    n_documents: int
    n_entries: int
    weight: float


class SingleProcess:
    """The only process of a fit: all methods return their input."""

    size = 1

    def totals(self, corpus: Corpus) -> Totals:
        """Sums over the corpus."""
        return Totals(len(corpus), corpus.counts.nnz, corpus.total())

    def word_counts(self, corpus: Corpus) -> np.ndarray:
        """Weighted occurrences of each word, shape (n_features,)."""
        return corpus.word_counts

    def check_shards(self, n_documents: int, n_steps: int) -> None:
        """Raise if a rank has fewer documents than an epoch has steps."""

    def broadcast(self, state):
        """The state that all ranks start from."""
        return state

    def own_rng(self, rng):
        """A generator for the rank's own documents, seeded from the common one."""
        return rng

    def add(self, *values):
        """Sums of numbers over the ranks."""
        return values

    def average(self, tensors) -> list:
        """Averages of tensors over the ranks."""
        return tensors


class Communicator:
    """Communication of one rank with all ranks of a process group.

    The communicator has a group for this fit only, so that its messages cannot mix with
    others. No other object refers to the group, because gloo closes the connections
    when the last reference is gone.
    """

    def __init__(self):
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self._share = 1.0 / self.size
        on_gpu = dist.get_backend() == "nccl"
        self._device = torch.device("cuda" if on_gpu else "cpu")
        # The caller's timeout; torch's default would be half an hour.
        backend = dist.group.WORLD._get_backend(self._device)
        with _explained_failures():
            # If a rank is dead, a barrier fails at once, but new_group would wait.
            dist.barrier()
            self._group = dist.new_group(timeout=backend.options._timeout)

    def wait(self) -> None:
        """Wait until all ranks have called this method."""
        with _explained_failures():
            dist.barrier(self._group)

    def close(self) -> None:
        """Close the group, so that no rank waits for this one."""
        dist.destroy_process_group(self._group)
        self._group = None

    def totals(self, corpus):
        own = SingleProcess().totals(corpus)
        n_documents, n_entries, weight = self.add(
            own.n_documents, own.n_entries, own.weight
        )
        self._share = own.weight / weight
        return Totals(int(n_documents), int(n_entries), weight)

    def word_counts(self, corpus):
        return self.sum_tensor(torch.as_tensor(corpus.word_counts)).numpy()

    def check_shards(self, n_documents, n_steps):
        sizes = self.gather_objects(n_documents)
        if min(sizes) < n_steps:
            raise ValueError(
                f"An epoch has {n_steps} steps, and the processes have {sizes} "
                "documents; each needs one document for each step. Distribute the "
                "documents or shards evenly, or lower n_jobs, or raise batch_size, "
                "which counts the documents of all processes."
            )

    def broadcast(self, state):
        states = [state]
        with _explained_failures():
            source = dist.get_global_rank(self._group, 0)
            dist.broadcast_object_list(states, source, self._group, self._device)
        return states[0]

    def own_rng(self, rng):
        return np.random.default_rng([int(rng.integers(2**62)), self.rank])

    def add(self, *values):
        return self.sum_tensor(torch.tensor(values, dtype=torch.float64)).tolist()

    def union(self, words):
        """Distinct words of all ranks, ascending."""
        words = torch.unique(words)
        sizes = self.gather(torch.tensor([len(words)])).flatten().tolist()
        # Padded, because all ranks must gather tensors of one shape.
        padded = words.new_full((max(sizes),), -1)
        padded[: len(words)] = words
        union = torch.unique(self.gather(padded))
        return union[union >= 0]

    def average(self, tensors) -> list:
        """Averages of tensors of one dtype, weighted by the documents of the ranks."""
        # One message, because each message has a latency.
        packed = torch.cat([tensor.reshape(-1) for tensor in tensors])
        total = self.sum_tensor(packed.mul_(self._share))
        parts = total.split([tensor.numel() for tensor in tensors])
        return [part.view_as(tensor) for part, tensor in zip(parts, tensors)]

    def sum_tensor(self, tensor):
        """Sum of a tensor over the ranks, equal bit for bit on all ranks."""
        total = tensor.detach().to(self._device, copy=True)
        with _explained_failures():
            dist.all_reduce(total, group=self._group)
        return total.to(tensor.device)

    def gather(self, tensor):
        """Tensors of one shape, stacked in the order of the ranks."""
        own = tensor.to(self._device)
        gathered = own.new_empty(self.size, *own.shape)
        with _explained_failures():
            dist.all_gather(list(gathered), own, group=self._group)
        return gathered.to(tensor.device)

    def gather_objects(self, value) -> list:
        """Picklable values of all ranks, in the order of the ranks."""
        values = [None] * self.size
        with _explained_failures():
            dist.all_gather_object(values, value, group=self._group)
        return values


@contextmanager
def process_group():
    """A communicator of all ranks of the default process group.

    The group of the communicator is closed when the block ends, also after an error, so
    that no rank waits for a failed rank.

    Raises
    ------
    ValueError
        If there is no default process group.
    RuntimeError
        If another rank fails.
    """
    if not (dist.is_available() and dist.is_initialized()):
        raise ValueError(
            "distributed=True needs a process group: start the script with torchrun, "
            "and call torch.distributed.init_process_group() before fit."
        )
    if dist.get_world_size() == 1:
        yield SingleProcess()
        return
    communicator = Communicator()
    try:
        yield communicator
        communicator.wait()
    finally:
        communicator.close()


def check_agreement(communicator, params: dict, facts: dict) -> None:
    """Check that all ranks have the same parameters, columns and earlier fits.

    Parameters
    ----------
    communicator : SingleProcess or Communicator
    params : dict
        The estimator's parameters.
    facts : dict of str to object
        Other values that must be equal on all ranks, by their names in the message.

    Raises
    ------
    ValueError
        If a parameter or a fact differs between ranks.
    """
    if isinstance(communicator, SingleProcess):
        return
    own = {
        f"the parameter {name}": value
        for name, value in params.items()
        if name not in _OWN_PARAMETERS and not callable(value)
    }
    own = {name: joblib.hash(value) for name, value in {**own, **facts}.items()}
    everyone = communicator.gather_objects(own)
    for name in own:
        if len({facts[name] for facts in everyone}) > 1:
            raise ValueError(
                f"Ranks differ in {name}: all ranks of a distributed fit need the same "
                "columns, parameters and earlier fits; only their documents differ."
            )


@contextmanager
def _explained_failures():
    try:
        yield
    except RuntimeError as error:
        # The frames of the traceback refer to the group, and would keep it open.
        cause = error.with_traceback(None)
        raise RuntimeError(
            "Another rank of the distributed fit has failed or cannot be reached; the "
            "output of that rank shows the cause. This rank stops and keeps the model "
            f"it had before. The error of this rank: {error}"
        ) from cause
