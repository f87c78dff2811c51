"""Rows shared out to threads in pieces that do not depend on how many threads there are.

A kernel owns the rows of its piece and writes nowhere else, so one thread and many give the same bits.
The kernels release the interpreter's lock; numba's own thread pool is not used, because it may not be
entered by two callers at once and a server has many.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from threadpoolctl import threadpool_limits

_limit: ContextVar[int] = ContextVar("threads", default=os.cpu_count() or 1)


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Inside the block our kernels, when called from this thread, and all of BLAS use at most so many threads."""
    with sharing(threads), threadpool_limits(max(1, threads)):
        yield


@contextmanager
def sharing(threads: int) -> Iterator[None]:
    """The same of our kernels alone: BLAS has one setting for all threads."""
    before = _limit.set(max(1, threads))
    try:
        yield
    finally:
        _limit.reset(before)


def allowed() -> int:
    """How many threads our kernels may use here."""
    return _limit.get()


def in_pieces(work: Callable[[int, int], None], n: int, size: int) -> None:
    """Call work(start, stop) for each `size` of the rows 0..n; idle threads take the next piece.

    The caller is one of the threads: a second one finds the other core idle at once, where two new ones, their caller
    asleep, may share a core until the next tick of the clock.
    """
    starts = iter(range(0, n, size))  # next() is one step for all threads

    def pieces() -> None:
        try:
            for start in starts:
                work(start, min(start + size, n))
        except BaseException:
            deque(starts, maxlen=0)  # nobody begins another
            raise

    others = min(allowed(), -(-n // size)) - 1
    if others < 1:
        pieces()
        return
    with ThreadPoolExecutor(others) as pool:
        asked = [pool.submit(pieces) for _ in range(others)]
        pieces()
    for one in asked:
        one.result()  # its error is raised here


def in_told_pieces(
    work: Callable[[int, int], None], n: int, size: int, pieces: int, tell: Callable[[int], None]
) -> None:
    """As `in_pieces`; after every so many pieces tell(rows done) is called, on the caller's thread."""
    for first in range(0, n, size * pieces):
        last = min(first + size * pieces, n)
        in_pieces(partial(_shifted, work, first), last - first, size)
        tell(last)


def _shifted(work: Callable[[int, int], None], first: int, start: int, stop: int) -> None:
    work(first + start, first + stop)
