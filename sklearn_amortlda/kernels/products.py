"""Products over the non-zeros of a batch.

Input: theta (documents x topics) and beta (words x topics), contiguous by rows, so that
every product reads whole rows. Output: a value for each non-zero, or a row for each
document or word. Work and memory are O(non-zeros x topics) or less. Temporaries are
larger on MPS than on CPU and CUDA.
"""

from __future__ import annotations

import math
import warnings

import torch
from torch.nn.functional import embedding_bag

from ..data.batches import Batch
from .rows import gather_rows


def _raise_beta_warning_once():
    # torch warns once per process that CSR tensors are in beta. The warning is raised
    # and ignored on import, because changing filters during a fit is not thread-safe.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.sparse_csr_tensor([0, 1], [0], [1.0], (1, 1), device="cpu")


_raise_beta_warning_once()


def pair_dots(theta, beta, batch: Batch):
    """theta_d . beta_v for every non-zero (d, v), shape (nnz,)."""
    if theta.device.type in ("cpu", "cuda"):
        return _sampled_pair_dots(theta, beta, batch)
    return _gathered_pair_dots(theta, beta, batch)


def pair_products(theta, beta, batch: Batch):
    """`pair_dots` of probabilities, bounded below so that none is zero."""
    # Products of small probabilities would be subnormal numbers, with which a CPU takes
    # ten times as long. A power of two changes no digit.
    tiny = torch.finfo(theta.dtype).tiny
    scale = 2.0 ** int(-0.875 * math.log2(tiny))
    return pair_dots(theta * scale, beta, batch).mul_(1.0 / scale).clamp_min_(tiny)


def _sampled_pair_dots(theta, beta, batch: Batch):
    pattern = batch.pattern
    values = pattern.values().zero_()
    # The result goes to the operand, because a new output would copy the indices.
    torch.sparse.sampled_addmm(pattern, theta, beta.t(), out=pattern)
    return values.clone()


def _gathered_pair_dots(theta, beta, batch: Batch):
    # MPS has no sampled product. The temporaries here have shape (nnz, topics).
    rows = gather_rows(theta, batch.documents)
    return (rows * gather_rows(beta, batch.words)).sum(1)


def sum_over_words(values, beta, batch: Batch):
    """sum_v values_dv beta_v for every document, shape (documents, topics)."""
    return _bag_sum(batch.words, beta, batch.offsets, values)


def sum_over_documents(values, theta, batch: Batch):
    """sum_d values_dv theta_d for every word, shape (words, topics)."""
    by_word = batch.by_word
    values = values.take(by_word.order)
    return _bag_sum(by_word.documents, theta, by_word.offsets, values)


def sum_by_word(values, batch: Batch):
    """sum_d values_dv for every word, shape (words,)."""
    by_word = batch.by_word
    values = values.unsqueeze(1)
    return _bag_sum(by_word.order, values, by_word.offsets, None).squeeze(1)


def sum_by_document(values, batch: Batch):
    """sum_v values_dv for every document, shape (documents,)."""
    # Not index_add, because it sums in no fixed order.
    rows = torch.arange(len(values), device=values.device)
    return _bag_sum(rows, values.unsqueeze(1), batch.offsets, None).squeeze(1)


def at_entries(values, batch: Batch):
    """The value of each non-zero's document, shape (nnz,)."""
    return values.index_select(0, batch.documents)


def log_likelihood(products, batch: Batch):
    """sum_v c_dv log(products_dv) of every document, in nats, shape (documents,)."""
    return sum_by_document(batch.counts * torch.log(products), batch)


class SparseProduct(torch.autograd.Function):
    """sum_v values_dv rows_v for every document, differentiable in the rows.

    `rows` has the shape (words, hidden). The values get no gradient.
    """

    @staticmethod
    def forward(ctx, rows, values, batch):
        ctx.batch = batch
        ctx.save_for_backward(values)
        return sum_over_words(values, rows, batch)

    @staticmethod
    def backward(ctx, gradient):
        (values,) = ctx.saved_tensors
        rows = sum_over_documents(values, gradient.contiguous(), ctx.batch)
        return rows, None, None


def _bag_sum(rows, matrix, offsets, values):
    # Detached, because embedding_bag would prepare its own backward pass.
    return embedding_bag(
        rows,
        matrix.detach(),
        offsets,
        mode="sum",
        per_sample_weights=values,
        include_last_offset=True,
    )
