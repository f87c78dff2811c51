"""Item vectors keep to their raw ids, byte for byte, through every file and in any order."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data.ids import Vocabulary
from matinee.data.item_vectors import ItemVectors, known, read, write

LETTERS = st.characters(exclude_categories=["Cs", "Cc"])
ids = st.one_of(st.from_regex(r"0{0,3}[0-9]{1,3}(\.0)?", fullmatch=True), st.text(LETTERS, min_size=1, max_size=6))
tables = st.lists(ids, min_size=1, max_size=12, unique=True)


def vectors_of(raw: list[str]) -> np.ndarray:
    """(N, 2) one that tells each id, none of them zeros."""
    return np.array([[n + 1, -0.5 * n] for n in range(len(raw))], np.float32)


@settings(max_examples=60, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_ids_keep_their_vectors(raw: list[str], random: object) -> None:
    values = vectors_of(raw)
    with tempfile.TemporaryDirectory() as folder:
        native, text = Path(folder, "v.parquet"), Path(folder, "v.csv")
        write(native, ItemVectors.of(pl.Series(raw, dtype=pl.String), values))
        with text.open("w", encoding="utf-8", newline="") as file:
            rows = [[one, *map(str, row)] for one, row in zip(raw, values, strict=True)]
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["item", "v0", "v1"], *rows])
        found = [read(native), read(text)]
    assert found[0].hash == found[1].hash
    items = Vocabulary.of(raw)
    for one in found:
        got = dict(zip(items.series, map(tuple, one.aligned(items)), strict=True))
        assert got == dict(zip(raw, map(tuple, values), strict=True))


@settings(max_examples=60, deadline=None)
@given(tables, tables)
def test_an_id_takes_no_others_vector(raw: list[str], others: list[str]) -> None:
    catalogue = Vocabulary.of([*raw, *others])
    aligned = ItemVectors.of(pl.Series(raw, dtype=pl.String), vectors_of(raw)).aligned(catalogue)
    assert [catalogue[n] for n in np.flatnonzero(known(aligned))] == sorted(raw, key=str.encode)
