"""The scores of drawn pairs: each the product of a row of one table with a row of another one.

The rows that take part are never copied into one tensor, (P, C, D), neither forward nor backward: P pairs of the log
with C items each are read where they stand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from matinee.numerics.products import product
from matinee.numerics.sampled_products import sampled_products


def pair_products(left: Tensor, right: Tensor, items: NDArray[np.int32]) -> Tensor:
    """left (P, D), right (I, D), items (P, C) -> (P, C); differentiable by both tables."""
    return _Products.apply(left, right, items)  # type: ignore[no-any-return, no-untyped-call]


def side_products(left: Tensor, own: Tensor, right: Tensor, of_items: Tensor, items: NDArray[np.int32]) -> Tensor:
    """left (P, D), own (P,), right (I, D), of_items (I,), items (P, C) -> (P, C) left . right + own + of_items."""
    left = torch.cat([left, own[:, None], torch.ones_like(own)[:, None]], dim=1)
    right = torch.cat([right, torch.ones_like(of_items)[:, None], of_items[:, None]], dim=1)
    return pair_products(left, right, items)


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor, items: NDArray[np.int32]) -> Tensor:
        ctx.save_for_backward(left, right)
        ctx.items = items
        return torch.from_numpy(sampled_products(left.detach().numpy(), right.detach().numpy(), items))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None]:
        (gradient,), (left, right), items = gradients, ctx.saved_tensors, ctx.items
        ends = np.arange(len(items) + 1, dtype=np.int64) * items.shape[1]
        weights = np.ascontiguousarray(gradient.numpy()).reshape(-1)
        matrix = csr_array((weights, items.reshape(-1), ends), shape=(len(items), len(right)))
        to_left = product(matrix, right.detach().numpy())
        to_right = product(matrix.T.tocsr(), left.detach().numpy())
        return torch.from_numpy(to_left), torch.from_numpy(to_right), None


def picked(table: Tensor, rows: NDArray[np.integer]) -> Tensor:
    """table (N, D), rows (P,) -> (P, D); the gradient is the same at any number of threads."""
    return _Picked.apply(table, rows)  # type: ignore[no-any-return, no-untyped-call]


class _Picked(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: NDArray[np.integer]) -> Tensor:
        ctx.rows, ctx.size = rows, len(table)
        return table.detach()[torch.from_numpy(rows.astype(np.int64))]

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None]:
        (gradient,), rows = gradients, ctx.rows
        ones, ends = np.ones(len(rows), np.float32), np.arange(len(rows) + 1, dtype=np.int64)
        matrix = csr_array((ones, rows.astype(np.int32), ends), shape=(len(rows), ctx.size))
        return torch.from_numpy(product(matrix.T.tocsr(), np.ascontiguousarray(gradient.numpy()))), None
