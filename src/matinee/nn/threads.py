"""Torch on so many threads, and on as many as before afterwards; work side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from matinee.numerics.threads import allowed, in_pieces, limited, sharing


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Inside the block torch, our kernels and BLAS use at most so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, threads))
    try:
        with limited(threads):
            yield
    finally:
        torch.set_num_threads(before)


def side_by_side(work: Callable[[int], None], n: int, *, apart: bool = True) -> None:
    """work(0) to work(n - 1), each with one thread for torch and for our kernels, which is one of its own if `apart`.

    Torch and our kernels in turn, each on all threads, wait for each other: a product, a softmax and two more products
    took two threads as long as one. A product shared out by torch has other bits with other threads as well; here none
    is. Gradients are not recorded inside. More threads than n are not used.
    """
    before = torch.get_num_threads()

    @torch.no_grad()  # a thread's own setting
    def one(k: int, _: int) -> None:
        torch.set_num_threads(1)
        with sharing(1):
            work(k)

    try:
        with sharing(allowed() if apart else 1):
            in_pieces(one, n, 1)
    finally:
        torch.set_num_threads(before)
