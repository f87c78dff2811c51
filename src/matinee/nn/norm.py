"""A normalised layer whose gradients are the same bits at any number of threads.

Torch adds up the gradients of gain and shift in as many parts as it has threads.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def layer_norm(values: Tensor, gain: Tensor, shift: Tensor, epsilon: float) -> Tensor:
    """values (..., D) -> each row to mean 0 and variance 1, times gain (D,) plus shift (D,)."""
    return _Norm.apply(values, gain, shift, epsilon)  # type: ignore[no-any-return, no-untyped-call]


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, gain: Tensor, shift: Tensor, epsilon: float) -> Tensor:
        out, mean, scale = torch.native_layer_norm(values, gain.shape, gain, shift, epsilon)
        ctx.save_for_backward(values, gain, shift, mean, scale)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, Tensor, None]:
        (gradient,), (values, gain, shift, mean, scale) = gradients, ctx.saved_tensors
        of_values, _, _ = torch.ops.aten.native_layer_norm_backward(
            gradient, values, gain.shape, mean, scale, gain, shift, [True, False, False])
        rows = gradient.reshape(-1, len(gain))
        standard = ((values - mean) * scale).reshape(-1, len(gain))
        return of_values, (rows * standard).sum(0), rows.sum(0), None
