"""One model of each family beside RecBole's: what it is given, and that the page is what was measured."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from benchmarks.quality import parity

from matinee import catalog


@pytest.mark.parametrize("name", parity.PAIRS)
def test_every_setting_of_ours_is_one(name: str) -> None:
    pair = parity.PAIRS[name]
    parity.entry_of(pair.ours, pair.settings, parity.protocols()[pair.protocol], 0)
    assert pair.family in {"Markov", catalog.load(pair.ours).family}


def test_a_row_holds_what_came_before_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    folder.mkdir()
    for part, rows in {"train": ["u\ta", "u\tb", "v\tb", "u\tc"], "valid": ["u\td"], "test": ["v\ta", "u\te"]}.items():
        (folder / f"toy.{part}.inter").write_text("\n".join(["user_id:token\titem_id:token", *rows]) + "\n")
    parity.with_what_came_before(folder, most=3)
    written = {part: pl.read_csv(folder / f"toy.{part}.inter", separator="\t").rows()
               for part in ("train", "valid", "test")}
    assert written == {"train": [("u", "a", "b"), ("u", "a b", "c")], "valid": [("u", "a b c", "d")],
                       "test": [("v", "b", "a"), ("u", "b c d", "e")]}
    seen = {tuple(line.split("\t")) for line in (folder / "seen.tsv").read_text().splitlines()}
    assert seen == {("u", "a"), ("u", "b"), ("u", "c"), ("u", "d"), ("v", "b")}


def test_the_page_is_of_the_stored_rows() -> None:
    rows = parity.rows()
    text = "\n".join(parity.page(rows)) + "\n"
    assert text == (parity.LISTS / "results.md").read_text()
    for name in rows:
        for side in ("ours", "recbole"):
            assert (parity.LISTS / f"{name}.{side}.csv.gz").is_file()
