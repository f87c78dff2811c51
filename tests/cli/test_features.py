"""`matinee data features`: what it lists, and what it says that a data set knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from matinee.features.registry import names
from tests.cli.commands import Said, matinee

__all__ = ["matinee"]


def test_all_of_them_with_scope_kind_and_a_line(matinee: Callable[..., Said]) -> None:
    said = matinee("data", "features")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == names()
    assert "era                    item  categories One of six eras of release" in said.out


def test_what_a_data_set_knows_of_each(matinee: Callable[..., Said], tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "train_ratings.csv").write_text("user,item,time\n1,7,1\n1,8,2\n2,7,3\n2,9,4\n2,6,5\n")
    (folder / "titles.tsv").write_text("item\ttitle\n7\tHeat (1995)\n8\t기생충 (2019)\n9\tAlien\n", encoding="utf-8")
    said = matinee("data", "features", folder, "--json")
    assert said.code == 0
    known = {row["name"]: row["known"] for row in json.loads(said.out)}
    wanted = {"era": 0.5, "title": 0.75, "user_count": 1, "genre": None, "age": None, "release_gap": 0.5}
    assert {name: known[name] for name in wanted} == wanted
    text = matinee("data", "features", folder).out
    assert "genre                  item  categories       - The item's genres" in text
    assert "era                    item  categories   50.0% One of six" in text
