"""Several processes that train one model, each on its own shard of the documents.

Every rank of a torch.distributed group takes the same steps on the same state. A step
sums over the ranks what their parts of a batch teach, of the words of that batch
alone: its cost does not follow the vocabulary. Where there is one process only, `Alone`
stands in and changes nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace

import joblib
import numpy as np
import torch
import torch.distributed as dist

from ._corpus import Corpus
from ._encoder import _OutputNorm

# What ranks may differ in: where they compute, and what they print.
_OWN_PARAMETERS = {"device", "verbose", "random_state"}


class Alone:
    """The one process of a fit that is not distributed."""

    def broadcast(self, state):
        """The state that all ranks start from."""
        return state

    def join(self, encoder) -> None:
        """Make an encoder one of those that are trained as one."""

    def own_rng(self, rng):
        """Random numbers for a rank's own documents, from those that all ranks draw."""
        return rng

    def sum(self, *values):
        """Sums of numbers over the ranks."""
        return values

    def synchronize(self, encoder) -> None:
        """Average what a user's module has measured itself, as batch norm does."""

    def meet(self, batch):
        """Learn of the others' parts of a batch, as `Meeting` says."""
        return self

    share = 1.0

    def pool(self, learner, words, rows, excess, statistics, ratio):
        """What all parts of a batch teach, as `Meeting.pool` says."""
        return words, rows, excess, statistics, ratio


class Peers:
    """The ranks of a process group, seen from one of them.

    Parameters
    ----------
    group : torch.distributed.ProcessGroup
        Theirs alone: its collectives are not to mix with others.
    """

    def __init__(self, group):
        self._group = group
        self.rank, self.size = dist.get_rank(group), dist.get_world_size(group)
        on_gpu = dist.get_backend(group) == "nccl"
        self._device = torch.device("cuda" if on_gpu else "cpu")

    def broadcast(self, state):
        states = [state]
        with _failures_told():
            source = dist.get_global_rank(self._group, 0)
            dist.broadcast_object_list(states, source, self._group, self._device)
        return states[0]

    def join(self, encoder):
        encoder.norm = _SharedNorm(encoder.norm, self)

    def own_rng(self, rng):
        return np.random.default_rng([int(rng.integers(2**62)), self.rank])

    def sum(self, *values):
        return self.add(torch.tensor(values, dtype=torch.float64)).tolist()

    def synchronize(self, encoder):
        for buffer in encoder.body.buffers():
            if buffer.is_floating_point():
                buffer.copy_(self.add(buffer / self.size))

    def meet(self, batch):
        return Meeting(self, batch)

    def add(self, tensor):
        """Sum of a tensor over the ranks, the same bit for bit on each."""
        total = tensor.detach().to(self._device, copy=True)
        with _failures_told():
            dist.all_reduce(total, group=self._group)
        return total.to(tensor.device)

    def gather(self, tensor):
        """Tensors of one shape, stacked in the order of the ranks."""
        own = tensor.to(self._device)
        every = own.new_empty(self.size, *own.shape)
        with _failures_told():
            dist.all_gather(list(every), own, group=self._group)
        return every.to(tensor.device)

    def gather_objects(self, value) -> list:
        """Any values, in the order of the ranks."""
        values = [None] * self.size
        with _failures_told():
            dist.all_gather_object(values, value, group=self._group)
        return values


class Meeting:
    """The parts that ranks have of one batch.

    Attributes
    ----------
    share : float
        This rank's share of the batch's documents.
    """

    def __init__(self, peers: Peers, batch):
        own = batch.vocabulary
        n_words, n_documents = peers.gather(
            torch.tensor([len(own), len(batch.lengths)])
        ).T.tolist()
        self._peers = peers
        self.share = n_documents[peers.rank] / sum(n_documents)
        # All are to have one shape.
        padded = own.new_full((max(n_words),), -1)
        padded[: len(own)] = own
        words = torch.unique(peers.gather(padded))
        self._words = words[words >= 0]

    def pool(self, learner, words, rows, excess, statistics, ratio):
        """What all parts of the batch teach.

        Parameters
        ----------
        learner : Learner
            The gradients of its encoder are summed in place.
        words : Tensor of shape (n_words,)
            This rank's.
        rows : Tensor of shape (n_words, n_row)
            The table's, with their gradients.
        excess : Tensor of shape (n_words, n_topics)
            The topics'.
        statistics : Tensor of shape (n_words, n_topics)
            What the topics are to learn.
        ratio : Tensor of shape (n_topics,)
            What alpha is to learn; averaged over documents.

        Returns
        -------
        words, rows, excess, statistics, ratio : Tensors
            The same of all ranks.
        """
        position = torch.searchsorted(self._words, words)
        by_word = statistics.new_zeros(
            len(self._words), statistics.shape[1] + rows.shape[1]
        )
        by_word[position] = torch.cat([statistics, rows.grad], dim=1)
        gradients = [p.grad for p in learner.encoder.parameters() if p.grad is not None]
        parts = [by_word, ratio * self.share, *gradients]
        # One message, for it is their number that costs.
        total = self._peers.add(torch.cat([part.reshape(-1) for part in parts]))
        by_word, ratio, *sums = (
            values.view_as(part)
            for values, part in zip(total.split([p.numel() for p in parts]), parts)
        )
        for gradient, value in zip(gradients, sums):
            gradient.copy_(value)
        statistics, gradient = by_word.split([statistics.shape[1], rows.shape[1]], 1)
        rows = learner.table.rows(self._words)
        rows.grad = gradient.contiguous()
        excess = learner.topics.excess(self._words)
        return self._words, rows, excess, statistics, ratio


class _SharedNorm(_OutputNorm):
    """Batch norm over the documents of all ranks, or their running means would part."""

    def __init__(self, norm: _OutputNorm, peers: Peers):
        shift = norm.shift
        super().__init__(len(shift), dtype=shift.dtype, device=shift.device)
        self.load_state_dict(norm.state_dict())
        self._peers = peers

    def forward(self, x, weights=None):
        if not self.training:
            return super().forward(x)
        weights = torch.ones_like(x[:, 0]) if weights is None else weights
        return self._weighted(x, weights) + self.shift

    def _moments(self, x, weights):
        # In float64, since a variance is the difference of what is summed here.
        weights, values = weights.double(), x.double()
        sums = torch.cat([weights.sum()[None], weights @ values, weights @ values**2])
        sums = _Sum.apply(sums, self._peers)
        total, mean, square = sums.split([1, x.shape[1], x.shape[1]])
        mean, square = mean / total, square / total
        return total, mean, (square - mean**2).clamp_min(0.0)


class _Sum(torch.autograd.Function):
    """`Peers.add` with its gradient, for every rank's loss depends on all values."""

    @staticmethod
    def forward(context, tensor, peers):
        context.peers = peers
        return peers.add(tensor)

    @staticmethod
    def backward(context, gradient):
        return context.peers.add(gradient), None


@dataclass(frozen=True)
class Shard(Corpus):
    """Documents of one rank, with the sums of all ranks' documents.

    What is summed is asked for by all ranks in the same order.
    """

    peers: Peers | None = None

    def __getitem__(self, rows) -> Shard:
        own = super().__getitem__(rows)
        return replace(self, counts=own.counts, weights=own.weights)

    @property
    def n_documents(self) -> int:
        return int(self._sum(super().n_documents))

    @property
    def n_entries(self) -> int:
        return int(self._sum(super().n_entries))

    @property
    def word_counts(self) -> np.ndarray:
        return self.peers.add(torch.as_tensor(super().word_counts)).numpy()

    def total(self, values=None) -> float:
        return self._sum(super().total(values))

    def n_batches(self, batch_size) -> int:
        steps = super().n_batches(batch_size)
        sizes = self.peers.gather_objects(len(self))
        if min(sizes) < steps:
            raise ValueError(
                f"An epoch has {steps} steps, and the shards have {sizes} documents: "
                "each is to have one a step. Give ranks as many documents as others, "
                f"or raise batch_size={batch_size}, which counts those of all ranks."
            )
        return steps

    def _sum(self, value):
        (total,) = self.peers.sum(value)
        return total


@contextmanager
def sharding(lda):
    """A group of all ranks for as long as they fit, and what joins their documents.

    Whatever ends the fit of one rank closes the group, so that no other waits for it.
    """
    if not (dist.is_available() and dist.is_initialized()):
        raise ValueError(
            "distributed=True takes a process group: launch the script by torchrun, "
            "and have it call torch.distributed.init_process_group() before fit."
        )
    if dist.get_world_size() == 1:
        yield lambda corpus, continued: corpus
        return
    with _failures_told():
        dist.barrier()  # which sees a dead rank at once, where a new group waits for it
        group = dist.new_group()
    try:
        peers = Peers(group)

        def shard(corpus, continued):
            _agree(peers.gather_objects(_facts(lda, continued)))
            return Shard(corpus.counts, corpus.weights, peers)

        yield shard
        with _failures_told():
            dist.barrier(group)
    finally:
        dist.destroy_process_group(group)


def _facts(lda, continued) -> dict:
    """What ranks must have in common; digests of what may be long."""
    parameters = {
        f"the parameter {name}": joblib.hash(value)
        for name, value in lda.get_params(deep=False).items()
        if name not in _OWN_PARAMETERS and not callable(value)
    }
    return {
        "n_features_in_": lda.n_features_in_,
        "feature_names_in_": joblib.hash(getattr(lda, "feature_names_in_", None)),
        "what they were fitted to before": continued and lda.n_batch_iter_,
        **parameters,
    }


def _agree(facts: list[dict]) -> None:
    for name in facts[0]:
        if len({rank[name] for rank in facts}) > 1:
            raise ValueError(
                f"Ranks differ in {name}: a distributed fit takes the same columns, "
                "parameters and earlier fits on each, and different documents."
            )


@contextmanager
def _failures_told():
    try:
        yield
    except RuntimeError as error:
        raise RuntimeError(
            "Another rank of the distributed fit has failed or cannot be reached; its "
            "own output says why. This one stops, with the model it had before."
        ) from error
