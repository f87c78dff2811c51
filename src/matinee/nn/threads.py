"""Torch on so many threads, and on as many as before afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from matinee.numerics.threads import limited


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
