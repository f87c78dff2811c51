"""A split written for other tools: disjoint tables in raw ids that say what the split says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matinee.data.dataset import Dataset
from matinee.data.load import load
from matinee.errors import UsageError
from matinee.split import PROTOCOLS
from matinee.split.export import write
from matinee.split.given import Given
from matinee.split.parts import PARTS, Split, Truth
from matinee.split.protocol import Protocol
from tests.paths import data_folder

OWN = [PROTOCOLS[name]() for name in PROTOCOLS if name != "given"]


def read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, schema_overrides={"user": pl.String, "item": pl.String})


def pairs(frame: pl.DataFrame) -> set[tuple[str, str]]:
    return set(frame.select("user", "item").rows())


def told(dataset: Dataset, truth: Truth) -> set[tuple[str, str, str]]:
    users = dataset.users.decode(np.repeat(truth.users, truth.counts)).to_list()
    items = dataset.items.decode(truth.items).to_list()
    return set(zip(users, items, (PARTS[part] for part in truth.parts), strict=True))


@pytest.mark.parametrize("spec", ["synthetic:120x80", "synthetic-uplus:120x80"])
@pytest.mark.parametrize("protocol", OWN, ids=lambda protocol: type(protocol).__name__)
def test_tables_say_what_the_split_says(tmp_path: Path, protocol: Protocol, spec: str) -> None:
    dataset = load(spec)
    split = protocol.split(dataset)
    written = write(split, dataset, tmp_path / "out")
    assert {path.name for path in written} >= {"train.csv", "valid.csv", "test.csv", "split.json"}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in written)
    for name, stage in split.stages.items():
        frame = read(tmp_path / "out" / f"{name}.csv")
        assert set(frame.select("user", "item", "hidden_part").rows()) == told(dataset, stage.truth)
        assert len(frame) == len(stage.truth.items)
    train = read(tmp_path / "out/train.csv")
    assert len(train) == split.stages["valid"].fit.sum()
    tables = [read(tmp_path / "out" / f"{name}.csv") for name in split.stages]
    hidden = [set(table.select("user", "item", "time").rows()) for table in tables]
    assert not set.intersection(*hidden)  # by event, also where a pair is hidden in both
    if not dataset.facts.repeats:
        parts = [pairs(train), *(pairs(read(tmp_path / "out" / f"{name}.csv")) for name in ("valid", "test"))]
        assert len(set.union(*parts)) == sum(map(len, parts))


@pytest.mark.parametrize("protocol", OWN, ids=lambda protocol: type(protocol).__name__)
def test_the_histories_to_ask_with_can_be_put_together(tmp_path: Path, protocol: Protocol) -> None:
    """What comes before, unless a file of its own says otherwise."""
    dataset = load("synthetic:120x80")
    split = protocol.split(dataset)
    write(split, dataset, tmp_path / "out")
    before = pairs(read(tmp_path / "out/train.csv"))
    for name in ("valid", "test"):
        own = tmp_path / "out" / f"{name}_given.csv"
        given = dataset.log.select(split.stages[name].given)
        want = zip(dataset.users.decode(given.users), dataset.items.decode(given.items), strict=True)
        assert (pairs(read(own)) if own.exists() else before) == set(want)
        before |= pairs(read(tmp_path / "out" / f"{name}.csv"))


def test_split_json_has_settings_hashes_and_counts(tmp_path: Path) -> None:
    dataset = load("synthetic:60x40")
    split = PROTOCOLS["leave_last"]().split(dataset)
    write(split, dataset, tmp_path / "out")
    about = json.loads((tmp_path / "out/split.json").read_text())
    assert about["settings"]["protocol"] == "leave_last"
    assert (about["split_hash"], about["data"]["hash"]) == (split.hash, dataset.hash)
    assert about["rows"]["train.csv"] == len(read(tmp_path / "out/train.csv"))


def test_other_peoples_answers_are_files_already(tmp_path: Path) -> None:
    split = Split(Given(test=tmp_path / "x.csv").settings, {}, {})
    with pytest.raises(UsageError, match="nothing-to-write: the given protocol reads its answers from files"):
        write(split, load("synthetic:5x5"), tmp_path / "out")


def test_a_written_split_can_be_given_again(tmp_path: Path) -> None:
    """train.csv with test.csv as somebody else's truth: the same hidden pairs."""
    dataset = load(data_folder("ml-latest-small"))
    split = PROTOCOLS["leave_last"]().split(dataset)
    write(split, dataset, tmp_path / "out")
    train = load(tmp_path / "out/train.csv")
    again = Given(test=tmp_path / "out/test.csv").split(train)
    assert again.stages["test"].truth.counts.sum() == split.stages["test"].truth.counts.sum()
