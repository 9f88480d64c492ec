"""The memory that a fit needs, compared with the available memory.

Input: the sizes of a fit. Output: a MemoryError that names the parts of the memory and
the parameter to lower, before the first step or when an allocation fails.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import torch

# Parts of the messages of RuntimeErrors that torch raises for failed allocations.
_REFUSALS = ("allocate memory", "out of memory", "bad_alloc")


@contextmanager
def enough_memory(n_topics: int, n_features: int, n_hidden: int, itemsize: int, device):
    """Raise a MemoryError that explains itself, before the block or inside it.

    Parameters
    ----------
    n_topics, n_features : int
        Shape of the topics.
    n_hidden : int
        Width of the word embedding; 0 if there is none.
    itemsize : int
        Bytes of a number in `components_`.
    device : torch.device

    Raises
    ------
    MemoryError
        If the memory is smaller than the fit needs, or an allocation in the block
        fails. The message has the parts of the memory and the parameter to lower.
    """
    # lambda and a copy of it, `components_` and `topic_word_`.
    topics = (8 + 2 * itemsize) * n_topics * n_features
    # The embedding, and a copy of it at the end.
    embedding = 8 * n_hidden * n_features
    parts = f"topics {topics / 1e9:.3g} GB, encoder {embedding / 1e9:.3g} GB"
    cure = f"n_components={n_topics}" if topics >= embedding else "hidden_layer_sizes"
    cure = f"Lower {cure}, or the {n_features} features (max_features or min_df of the "
    cure += "vectorizer)."
    needed = topics + embedding
    available = available_memory(device)
    if needed > available:
        raise MemoryError(
            f"This fit needs at least {needed / 1e9:.3g} GB ({parts}), and "
            f"{available / 1e9:.3g} GB are available. {cure}"
        )
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = str(error).lower()
        if not isinstance(error, MemoryError) and not any(s in text for s in _REFUSALS):
            raise
        raise MemoryError(
            f"An allocation failed: {error}. This fit needs at least "
            f"{needed / 1e9:.3g} GB ({parts}), and more for each batch. {cure} A "
            "smaller batch_size also needs less memory."
        ) from error


def available_memory(device) -> float:
    """Bytes that can be allocated on a device; infinity if unknown."""
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device)
        cached -= torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + cached
    return _machine_memory()


def _machine_memory(meminfo=Path("/proc/meminfo")) -> float:
    try:
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    # Only Linux has the file.
    except OSError:
        pass
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return float("inf")
