"""Products over the non-zeros of a batch; nothing here is of size documents x words.

theta is (documents, topics) and beta is (words, topics), row by row contiguous, so
that every product reads whole rows. All work and memory is O(non-zeros x topics) or
less, on CPU, CUDA and, with larger temporaries, MPS.
"""

from __future__ import annotations

import warnings

import torch
from torch.nn.functional import embedding, embedding_bag

from ._batches import Batch


def _silence_beta_warning():
    # torch says once a process that CSR tensors are in beta. Saying it here, unheard,
    # keeps it out of every user's first fit without touching filters while threads run.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.sparse_csr_tensor([0, 1], [0], [1.0], (1, 1), device="cpu")


_silence_beta_warning()


def pair_products(theta, beta, batch: Batch):
    """`pair_dots` of positive matrices; never exactly zero."""
    products = pair_dots(theta, beta, batch)
    return products.clamp_min_(torch.finfo(products.dtype).tiny)


def pair_dots(theta, beta, batch: Batch):
    """theta_d . beta_v for every non-zero (d, v), shape (nnz,)."""
    if theta.device.type in ("cpu", "cuda"):
        return _sampled_pair_products(theta, beta, batch)
    return _gathered_pair_products(theta, beta, batch)


def _sampled_pair_products(theta, beta, batch: Batch):
    places = batch.pattern
    values = places.values().zero_()
    # Into the operand itself, which would be copied otherwise, indices and all.
    torch.sparse.sampled_addmm(places, theta, beta.t(), out=places)
    return values.clone()


def _gathered_pair_products(theta, beta, batch: Batch):
    # Temporaries of shape (nnz, topics), but nothing that MPS lacks.
    rows = take_rows(theta, batch.documents)
    return (rows * take_rows(beta, batch.words)).sum(1)


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
    # Bags of consecutive rows: unlike index_add, the same order of addition each time.
    rows = torch.arange(len(values), device=values.device)
    return _bag_sum(rows, values.unsqueeze(1), batch.offsets, None).squeeze(1)


def log_likelihood(products, batch: Batch):
    """sum_v c_dv log(products_dv) of every document, in nats, shape (documents,)."""
    return sum_by_document(batch.counts * torch.log(products), batch)


class SparseProduct(torch.autograd.Function):
    """sum_v values_dv rows_v for every document; rows is (words, hidden).

    `sum_over_words` with a derivative in the rows. The values are data and have none.
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


def take_rows(matrix, rows):
    """matrix[rows]: what index_select gives, in half the time."""
    return embedding(rows, matrix)


def put_rows(matrix, rows, values) -> None:
    """matrix[rows] = values, for distinct rows."""
    if matrix.device.type == "cpu":
        # Twice as fast as index_copy_.
        matrix.numpy()[rows.numpy()] = values.numpy()
    else:
        matrix.index_copy_(0, rows, values)


def _bag_sum(rows, matrix, offsets, values):
    # Detached, or embedding_bag would prepare for a backward pass of its own.
    return embedding_bag(
        rows,
        matrix.detach(),
        offsets,
        mode="sum",
        per_sample_weights=values,
        include_last_offset=True,
    )
