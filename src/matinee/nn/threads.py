"""Torch on so many threads, and on as many as before afterwards; work side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from matinee.numerics.threads import allowed, limited, sharing


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


def side_by_side(work: Callable[[int], None], n: int) -> None:
    """work(0) to work(n - 1), each on a thread of its own where there are several, with its share of all of them.

    Torch and our kernels in turn, each on all threads, wait for each other: a product, a softmax and two more products
    took two threads as long as one. Gradients are not recorded inside.
    """
    threads, before = allowed(), torch.get_num_threads()

    @torch.no_grad()  # a thread's own setting
    def one(k: int) -> None:
        torch.set_num_threads(max(1, threads // n))
        with sharing(max(1, threads // n)):
            work(k)

    try:
        if min(threads, n) < 2:
            for k in range(n):
                one(k)
        else:
            with ThreadPoolExecutor(n) as pool:
                for _ in pool.map(one, range(n)):  # the first error is raised here
                    pass
    finally:
        torch.set_num_threads(before)
