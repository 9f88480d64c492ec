"""Adam for a matrix of which each step touches a few rows."""

from __future__ import annotations

import torch
from torch.optim.adam import adam


class RowAdam(torch.optim.Optimizer):
    """`torch.optim.SparseAdam` for gradients whose rows are distinct.

    The same update, without sorting the rows and re-assembling sparse tensors, which
    made up a quarter of a training step.

    Parameters
    ----------
    params : iterable of Parameter
        Matrices whose gradients are sparse in the first dimension, no row twice.
    lr : float
        Learning rate.
    betas : tuple of float, default=(0.9, 0.999)
        Decay of the first and second moments.
    eps : float, default=1e-8
        Added to the root of the second moment.
    """

    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    @torch.no_grad()
    def step(self):
        """Move the rows that have a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step(parameter, **group)

    def _step(self, parameter, *, lr, betas, eps, **_):
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(
                (), dtype=torch.float32, device=parameter.device
            )
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        rows = parameter.grad._indices()[0]
        whole = [parameter, state["exp_avg"], state["exp_avg_sq"]]
        weights, first, second = [matrix.index_select(0, rows) for matrix in whole]
        adam(
            [weights],
            [parameter.grad._values()],
            [first],
            [second],
            [],
            [state["step"]],
            fused=True,
            amsgrad=False,
            beta1=betas[0],
            beta2=betas[1],
            lr=lr,
            weight_decay=0.0,
            eps=eps,
            maximize=False,
        )
        for matrix, changed in zip(whole, [weights, first, second]):
            matrix.index_copy_(0, rows, changed)
