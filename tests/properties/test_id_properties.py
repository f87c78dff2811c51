"""Ids: whole numbers are told apart by their text, and stand for it wherever they are told by number."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data.ids import Vocabulary

WHOLE = st.one_of(st.integers(0, 30), st.integers(0, 10**6), st.integers(0, 10**18 - 1))


@settings(max_examples=200, deadline=None)
@given(st.lists(WHOLE), st.lists(WHOLE), st.lists(st.sampled_from(["007", "00", "x", "-7", "9" * 30])))
def test_whole_numbers_are_their_text(known: list[int], asked: list[int], more: list[str]) -> None:
    assert Vocabulary.of(pl.Series(known, dtype=pl.Int64)) == Vocabulary.of(map(str, known))
    vocabulary = Vocabulary.of([*map(str, known), *more])
    numbers, text = pl.Series(asked, dtype=pl.Int64), pl.Series(list(map(str, asked)), dtype=pl.String)
    assert vocabulary.encode(numbers).tolist() == vocabulary.encode(text).tolist()
