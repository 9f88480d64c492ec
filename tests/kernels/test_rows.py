"""Rows gathered from a table and scattered back."""

import torch

from sklearn_amortlda.kernels.rows import gather_rows, scatter_rows


def test_gathered_rows_are_those_of_the_table():
    table, rows = torch.arange(12.0).view(6, 2), torch.tensor([4, 0, 5])
    assert torch.equal(gather_rows(table, rows), table[rows])


def test_scattered_rows_replace_only_themselves():
    table, rows = torch.arange(12.0).view(6, 2), torch.tensor([4, 0, 5])
    expected = table.clone()
    expected[rows] = -1.0
    scatter_rows(table, rows, torch.full((3, 2), -1.0))
    assert torch.equal(table, expected)


def test_values_of_a_vector_are_scattered_too():
    table = torch.zeros(4)
    scatter_rows(table, torch.tensor([3, 1]), torch.tensor([1.0, 2.0]))
    assert table.tolist() == [0.0, 2.0, 0.0, 1.0]
