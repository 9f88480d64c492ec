"""Whether a fit will fit into memory, asked before its first step."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ._corpus import LARGEST_BATCH
from ._schedules import MOST_AT_ONCE

# What an allocator says, where its exception is a mere RuntimeError.
_REFUSALS = ("allocate memory", "out of memory", "bad_alloc")
# A batch's own arrays: indices, counts and products of both halves and of the whole.
_BYTES_AN_ENTRY = 100


@dataclass(frozen=True)
class Need:
    """Something that a fit allocates.

    Attributes
    ----------
    what : str
        Its name.
    n_bytes : float
        Its size where it is largest.
    remedy : str
        What to change for it to be smaller.
    """

    what: str
    n_bytes: float
    remedy: str


def fit_needs(lda, X, itemsize: int, on_cpu: bool) -> list[Need]:
    """What a fit allocates on its device, the largest first.

    At least that: the estimate is there to refuse what cannot be, and leaves out what
    depends on the documents. Measured peaks are 1.0 to 1.4 times as large.

    Parameters
    ----------
    lda : AmortizedLDA
        Its validated parameters.
    X : csr_array of shape (n_samples, n_features)
        Counts, which are in memory already.
    itemsize : int
        Bytes of a number in `components_`.
    on_cpu : bool
        Whether the results lie beside what they are copied from.
    """
    (n_samples, n_features), n_topics = X.shape, lda.n_components
    # A user's own module has its words to itself.
    n_hidden = 0 if callable(lda.encoder) else lda.hidden_layer_sizes[0]
    batch_size = lda.batch_size
    if batch_size == "auto":
        batch_size = MOST_AT_ONCE * LARGEST_BATCH
    batch_size = min(batch_size, n_samples)
    # On the device topics are once, beside a copy at first. In memory is also what they
    # begin with, and at the end `components_` and `topic_word_`: for float32 without a
    # copy.
    a_topic_entry = 8 + (itemsize if itemsize == 4 else 2 * itemsize) if on_cpu else 8
    # The table, and on the CPU a copy at the end.
    a_table_entry = 8 if on_cpu else 4
    needs = [
        Need(
            "the topics",
            a_topic_entry * n_topics * n_features,
            f"n_components={n_topics} or the {n_features} features (the vectorizer's "
            "max_features or min_df)",
        ),
        Need(
            "the encoder's first layer",
            a_table_entry * n_hidden * n_features,
            f"the first of hidden_layer_sizes={n_hidden} or the {n_features} "
            "features (the vectorizer's max_features or min_df)",
        ),
        Need(
            "the words of a batch",
            _BYTES_AN_ENTRY * batch_size * X.nnz / n_samples,
            f"batch_size={batch_size}",
        ),
        Need(
            "the posteriors of a batch",
            32 * batch_size * n_topics,
            f"n_components={n_topics} or batch_size={batch_size}",
        ),
    ]
    return sorted(needs, key=lambda need: -need.n_bytes)


@contextmanager
def enough_memory(lda, X, dtype, device):
    """Refuse a fit that memory cannot hold; explain one that failed for it.

    Parameters
    ----------
    lda : AmortizedLDA
    X : csr_array of shape (n_samples, n_features)
    dtype : numpy.dtype
        Type of the results.
    device : torch.device

    Raises
    ------
    MemoryError
        With what takes how much, and what to change.
    """
    needs = fit_needs(lda, X, dtype.itemsize, device.type == "cpu")
    free = available_memory(device)
    if sum(need.n_bytes for need in needs) > free:
        raise MemoryError(_explanation(needs, f"of which {free / 1e9:.3g} are free"))
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).lower()
        refused = isinstance(error, MemoryError) or any(s in text for s in _REFUSALS)
        if not refused:
            raise
        raise MemoryError(_explanation(needs, f"and failed: {error}")) from error


def _explanation(needs, ending) -> str:
    total = sum(need.n_bytes for need in needs)
    parts = "; ".join(f"{n.what} {n.n_bytes / 1e9:.3g} GB" for n in needs)
    return (
        f"This fit allocates at least {total / 1e9:.3g} GB ({parts}), {ending}. "
        f"Lower {needs[0].remedy}."
    )


def available_memory(device) -> float:
    """Bytes that can be allocated on a device; infinite where that is not known."""
    if device.type == "cuda":
        import torch

        cached = torch.cuda.memory_reserved(device)
        cached -= torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + cached
    return min(_machine_memory(), _cgroup_memory())


def _machine_memory(proc=Path("/proc")) -> float:
    for line in _lines(proc / "meminfo"):
        if line.startswith("MemAvailable:"):
            return 1024.0 * int(line.split()[1])
    return float("inf")


def _cgroup_memory(proc=Path("/proc"), mount=Path("/sys/fs/cgroup")) -> float:
    """What the control groups of the process leave: a container's limit."""
    free = float("inf")
    for line in _lines(proc / "self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, names = mount, ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            root, names = mount / "memory", ("limit_in_bytes", "usage_in_bytes")
            names = tuple(f"memory.{name}" for name in names)
        else:
            continue
        # A limit may be on any level. In a container the path is that of the host, and
        # only the root is there.
        group = root / path.lstrip("/")
        for level in (group, *group.parents):
            if level.is_relative_to(root):
                free = min(free, _left(level, *names))
    return free


def _left(group: Path, limit_name: str, usage_name: str) -> float:
    limit, usage = _lines(group / limit_name), _lines(group / usage_name)
    if not (limit and usage and limit[0].isdigit()):
        return float("inf")
    # The cache of files counts as used, but is given back on demand.
    cache = [
        int(line.split()[1])
        for line in _lines(group / "memory.stat")
        if line.startswith(("inactive_file ", "total_inactive_file "))
    ]
    return float(int(limit[0]) - int(usage[0]) + max(cache, default=0))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
