"""Rows of large tables: gathered for a batch, scattered back after a step.

Input: a table with a row for each word of the vocabulary, and distinct row numbers.
Output: these rows, or the table with new values in them. The cost follows the number of
rows that are read or written.
"""

from __future__ import annotations

from torch.nn.functional import embedding


def gather_rows(table, rows):
    """Return table[rows]."""
    # Faster than index_select.
    return embedding(rows, table)


def scatter_rows(table, rows, values) -> None:
    """Assign table[rows] = values, for distinct rows."""
    if table.device.type == "cpu":
        # Faster than index_copy_.
        table.numpy()[rows.numpy()] = values.numpy()
    else:
        table.index_copy_(0, rows, values)
