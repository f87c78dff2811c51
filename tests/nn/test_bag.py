"""The sparse first layer is the dense one, forward and backward."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array

from matinee.nn.bag import bag_sums
from matinee.numerics.threads import limited
from tests.numerics.logs import random_log


def test_sums_and_gradient_are_those_of_the_dense_product() -> None:
    log = random_log(1, 130, 40, 900, weighted=True)
    inputs = log.matrix()[np.append(np.arange(130)[::-1], [3, 3])]  # in any order, a user twice
    table = torch.randn(40, 7, generator=torch.Generator().manual_seed(2)).requires_grad_()
    weights = torch.randn(132, 7, generator=torch.Generator().manual_seed(3))
    sums = bag_sums(inputs, table)
    (2 * sums * weights).sum().backward()
    dense, other = torch.from_numpy(inputs.toarray()).double(), table.detach().double().requires_grad_()
    want = dense @ other
    (2 * want * weights).sum().backward()
    torch.testing.assert_close(sums.double(), want, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(table.grad.double(), other.grad, rtol=1e-4, atol=1e-4)  # type: ignore[union-attr]
    unseen = np.diff(inputs.tocsc().indptr) == 0
    assert not table.grad[torch.from_numpy(unseen)].any()  # type: ignore[index]


def test_users_without_anything_sum_to_zero() -> None:
    table = torch.ones((4, 3), requires_grad=True)
    sums = bag_sums(csr_array((2, 4), dtype=np.float32), table)
    assert not sums.any()
    sums.sum().backward()
    assert not table.grad.any()  # type: ignore[union-attr]


def test_threads_change_no_bit_of_the_gradient() -> None:
    inputs, found = random_log(4, 900, 300, 20_000, weighted=True).matrix(), []
    for threads in (1, 3):
        table = torch.randn(300, 33, generator=torch.Generator().manual_seed(2)).requires_grad_()
        with limited(threads):
            bag_sums(inputs, table).square().sum().backward()
        found.append(table.grad)
    assert torch.equal(*found)
