"""Rows shared out to threads: each exactly once, errors heard, settings put back."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matinee.numerics.threads import in_pieces, sharing


@given(n=st.integers(0, 60), size=st.integers(1, 20), threads=st.integers(1, 4))
def test_each_row_is_worked_once(n: int, size: int, threads: int) -> None:
    done: list[int] = []
    with sharing(threads):
        in_pieces(lambda start, stop: done.extend(range(start, stop)), n, size)
    assert sorted(done) == list(range(n))


def test_the_caller_and_another_thread_work_side_by_side() -> None:
    both, who = threading.Barrier(2, timeout=20), set()

    def meet(start: int, stop: int) -> None:
        both.wait()
        who.add(threading.get_ident())

    with sharing(2):
        in_pieces(meet, 2, 1)
    assert threading.get_ident() in who
    assert len(who) == 2


@pytest.mark.parametrize("in_the_caller", [True, False])
def test_an_error_in_any_thread_is_raised_and_ends_the_work(in_the_caller: bool) -> None:
    caller, done = threading.get_ident(), list[int]()

    def work(start: int, stop: int) -> None:
        if (threading.get_ident() == caller) == in_the_caller:
            raise ValueError("bad row")
        done.append(start)
        time.sleep(0.01)

    with sharing(2), pytest.raises(ValueError, match="bad row"):
        in_pieces(work, 2_000, 1)
    assert len(done) < 1_000
