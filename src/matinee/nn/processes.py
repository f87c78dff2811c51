"""One training shared by several processes, as torchrun starts them: each sees its share of every batch.

Gradients are summed over the processes after each step, so all of them hold the same network all the time. Process 0
validates, writes and answers; the others compute along.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta

import torch
from torch import distributed, nn

PATIENCE = timedelta(minutes=10)
"""Others wait so long while process 0 validates; one that has died is noticed at once."""


def count() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    return int(os.environ.get("RANK", "0"))


def join() -> None:
    """Meet the other processes, where there are any and nobody has done so before."""
    if count() > 1 and not distributed.is_initialized():
        distributed.init_process_group("gloo", timeout=PATIENCE)


def share(n: int) -> slice:
    """Which of n rows are this process's."""
    return slice(rank(), n, count())


def sum_gradients(parameters: Iterable[nn.Parameter]) -> None:
    if count() > 1:
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)


def summed(number: float) -> float:
    """The sum of everybody's numbers, the same bits in each process."""
    if count() == 1:
        return number
    total = torch.tensor([number], dtype=torch.float64)
    distributed.all_reduce(total)
    return float(total)


def first(number: float) -> float:
    """Process 0's number, in every process."""
    return summed(number if rank() == 0 else 0.0)


def meet() -> None:
    """Wait for the others."""
    if count() > 1:
        distributed.barrier()
