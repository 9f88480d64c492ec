"""Dense layers in blocks of rows."""

import numpy as np
import torch

from sklearn_amortlda.kernels.blocks import BLOCK, in_blocks


def test_result_of_a_row_does_not_depend_on_the_number_of_rows():
    torch.manual_seed(0)
    layer = torch.nn.Linear(100, 50).eval()
    x = torch.randn(16 * BLOCK, 100)
    every = in_blocks(layer, x)
    for n_blocks in (1, 2, 5):
        rows = slice(3 * BLOCK, (3 + n_blocks) * BLOCK)
        assert torch.equal(in_blocks(layer, x[rows]), every[rows])
    np.testing.assert_allclose(every.detach(), layer(x).detach(), rtol=1e-4, atol=1e-5)


def test_training_applies_the_layer_once():
    calls = []

    class Counting(torch.nn.Linear):
        def forward(self, x):
            calls.append(len(x))
            return super().forward(x)

    layer = Counting(3, 2)
    in_blocks(layer, torch.randn(5 * BLOCK, 3))
    in_blocks(layer.eval(), torch.randn(5 * BLOCK, 3))
    assert calls == [5 * BLOCK] + [BLOCK] * 5
