"""The first layer of a network that reads a history: the sum of the vectors of its items.

The dense layer would multiply the whole row of the user's matrix, which is zeros but for a few hundredths. Here an
item that was not there, or was dropped, costs nothing; forward and backward run over the items that are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from matinee.numerics.products import product


def bag_sums(inputs: csr_array, table: Tensor) -> Tensor:
    """inputs (B, I) with the weight of each item, table (I, H) -> (B, H) weighted sums; differentiable by `table`.

    The gradient is dense, (I, H): every optimiser takes it.
    """
    return _Bag.apply(table, inputs)  # type: ignore[no-any-return, no-untyped-call]


class _Bag(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, inputs: csr_array) -> Tensor:
        ctx.inputs = inputs
        return torch.from_numpy(product(inputs, table.detach().numpy()))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        (gradient,) = gradients
        turned = ctx.inputs.T.tocsr()  # an item's users in ascending order: the same sum at any thread count
        return torch.from_numpy(product(turned, np.ascontiguousarray(gradient.numpy()))), None
