"""Communication of the processes that train one model, each on its own documents.

Input: sums and gradients of one process. Output: sums and gradients of all processes.
Every rank of a torch.distributed group takes equal steps from equal states. A step
exchanges the gradients of the batch's words, so its cost does not follow the
vocabulary. `SingleProcess` has the interface of `Communicator` and exchanges nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace

import joblib
import numpy as np
import torch
import torch.distributed as dist

from ..data.corpus import Corpus
from ..encoder.encoder import OutputNorm

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
    """The only process of a fit: all exchanges return their input."""

    share = 1.0

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

    def share_norm(self, encoder) -> None:
        """Replace the encoder's batch norm by one over the documents of all ranks."""

    def own_rng(self, rng):
        """A generator for the rank's own documents, seeded from the common one."""
        return rng

    def add(self, *values):
        """Sums of numbers over the ranks."""
        return values

    def average_buffers(self, encoder) -> None:
        """Average the buffers of a user's module, such as those of a batch norm."""

    def exchange(self, batch):
        """The `Exchange` of a step."""
        return self

    def sum(self, gradients):
        """Sums of the gradients over the ranks."""
        return gradients


class Communicator:
    """Communication of one rank with all ranks of a process group.

    The communicator has a group for this fit only, so that its messages cannot mix with
    others. No other object refers to the group, because gloo closes the connections
    when the last reference is gone.
    """

    def __init__(self):
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
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
        return Totals(int(n_documents), int(n_entries), weight)

    def word_counts(self, corpus):
        return self.sum_tensor(torch.as_tensor(corpus.word_counts)).numpy()

    def check_shards(self, n_documents, n_steps):
        sizes = self.gather_objects(n_documents)
        if min(sizes) < n_steps:
            raise ValueError(
                f"An epoch has {n_steps} steps, and the ranks have {sizes} documents; "
                "every rank needs one document for each step. Distribute the documents "
                "evenly, or raise batch_size, which counts the documents of all ranks."
            )

    def broadcast(self, state):
        states = [state]
        with _explained_failures():
            source = dist.get_global_rank(self._group, 0)
            dist.broadcast_object_list(states, source, self._group, self._device)
        return states[0]

    def share_norm(self, encoder):
        encoder.norm = _SharedNorm(encoder.norm, self)

    def own_rng(self, rng):
        return np.random.default_rng([int(rng.integers(2**62)), self.rank])

    def add(self, *values):
        return self.sum_tensor(torch.tensor(values, dtype=torch.float64)).tolist()

    def average_buffers(self, encoder):
        for buffer in encoder.body.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self.sum_tensor(buffer / self.size))

    def exchange(self, batch):
        return Exchange(self, batch)

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


class Exchange:
    """The exchange of one step: gradients over the union of the ranks' words.

    Attributes
    ----------
    share : float
        This rank's share of the batch's documents. The ELBO of the batch is the sum of
        the ranks' ELBOs times their shares.
    """

    def __init__(self, communicator: Communicator, batch):
        words, n_documents = batch.vocabulary, len(batch.lengths)
        sizes = torch.tensor([len(words), n_documents])
        n_words, n_all = communicator.gather(sizes).T.tolist()
        self._communicator = communicator
        self.share = n_all[communicator.rank] / sum(n_all)
        # Padded, because all ranks must gather tensors of one shape.
        padded = words.new_full((max(n_words),), -1)
        padded[: len(words)] = words
        union = torch.unique(communicator.gather(padded))
        self._words = union[union >= 0]

    def sum(self, gradients):
        """The gradients of the whole batch, equal on all ranks.

        Parameters
        ----------
        gradients : Gradients
            Gradients of this rank. The encoder's gradients are summed in place.
        """
        position = torch.searchsorted(self._words, gradients.words)
        own = [gradients.expected_counts]
        if gradients.embedding is not None:
            own.append(gradients.embedding)
        widths = [part.shape[1] for part in own]
        by_word = own[0].new_zeros(len(self._words), sum(widths))
        by_word[position] = torch.cat(own, dim=1)
        parts = [by_word, gradients.alpha_ratio * self.share, *gradients.encoder]
        # One message, because each message has a latency.
        total = self._communicator.sum_tensor(
            torch.cat([part.reshape(-1) for part in parts])
        )
        by_word, alpha_ratio, *encoder = (
            values.view_as(part)
            for values, part in zip(total.split([p.numel() for p in parts]), parts)
        )
        for gradient, value in zip(gradients.encoder, encoder):
            gradient.copy_(value)
        expected_counts, *embedding = (p.contiguous() for p in by_word.split(widths, 1))
        return replace(
            gradients,
            words=self._words,
            expected_counts=expected_counts,
            embedding=embedding[0] if embedding else None,
            alpha_ratio=alpha_ratio,
        )


class _SharedNorm(OutputNorm):
    """Batch norm over the documents of all ranks, so that running means stay equal."""

    def __init__(self, norm: OutputNorm, communicator: Communicator):
        shift = norm.shift
        super().__init__(len(shift), dtype=shift.dtype, device=shift.device)
        self.load_state_dict(norm.state_dict())
        self._communicator = communicator

    def forward(self, x, weights=None):
        if not self.training:
            return super().forward(x)
        weights = torch.ones_like(x[:, 0]) if weights is None else weights
        return self.weighted(x, weights) + self.shift

    def moments(self, x, weights):
        # float64, because the variance is a difference of these sums.
        weights, values = weights.double(), x.double()
        sums = torch.cat([weights.sum()[None], weights @ values, weights @ values**2])
        sums = _Sum.apply(sums, self._communicator)
        total, mean, square = sums.split([1, x.shape[1], x.shape[1]])
        mean, square = mean / total, square / total
        return total, mean, (square - mean**2).clamp_min(0.0)


class _Sum(torch.autograd.Function):
    """A sum over ranks, whose backward pass sums the gradients over ranks."""

    @staticmethod
    def forward(context, tensor, communicator):
        context.communicator = communicator
        return communicator.sum_tensor(tensor)

    @staticmethod
    def backward(context, gradient):
        return context.communicator.sum_tensor(gradient), None


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
