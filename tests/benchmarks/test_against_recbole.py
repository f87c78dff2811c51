"""A peer's lists are measured as ours are: the split it gets, the file it gives back, what is refused, the page."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from benchmarks.quality import against_recbole as peer

import matinee
from matinee.data.dataset import Dataset
from matinee.experiment.stages import StageData
from matinee.ranking.lists import Lists

SPLIT = {"protocol": "random_ratio", "valid": 0.1, "test": 0.1}
ORIGIN = {"date": "2026-01-02T03:04:05Z", "commit": "0123456789abcdef",
          "machine": {"processor": "AMD", "cores": 2}}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return matinee.load("synthetic:80x60")


@pytest.fixture(scope="module")
def stages(dataset: Dataset) -> Mapping[str, StageData]:
    return matinee.stages(dataset, {**SPLIT, "seed": 0})


def lists_of(stage: StageData) -> Lists:
    return stage.recommend(matinee.recipe("popularity", {}).fit(stage.fit), 10, personal=False)


def written(path: Path, stage: StageData, lists: Lists, change: tuple[int, str] | None = None) -> Path:
    """The lists as the peer writes them, rows in no order; `change` puts another item in one place."""
    users = stage.fit.users.decode(np.repeat(lists.users, 10)).to_list()
    items = stage.fit.items.decode(lists.items.ravel()).to_list()
    if change is not None:
        items[change[0]] = change[1]
    rows = [f"{user},{item},{at % 10 + 1},{-at}" for at, (user, item) in enumerate(zip(users, items, strict=True))]
    with gzip.open(path, "wt") as file:
        file.write("\n".join(["user,item,rank,score", *rows[::-1]]) + "\n")
    return path


def test_the_peer_gets_the_split_that_we_measure_on(
    dataset: Dataset, stages: Mapping[str, StageData], tmp_path: Path
) -> None:
    peer.write_for_recbole(dataset, SPLIT, tmp_path / "toy")
    parts = {}
    for part in ("train", "valid", "test"):
        frame = pl.read_csv(tmp_path / "toy" / f"toy.{part}.inter", separator="\t", infer_schema=False)
        assert frame.columns == ["user_id:token", "item_id:token"]
        parts[part] = set(frame.rows())
    for part, stage in stages.items():
        assert stage.truth is not None
        users = dataset.users.decode(np.repeat(stage.truth.users, stage.truth.counts))
        assert parts[part] == set(zip(users, dataset.items.decode(stage.truth.items), strict=True))
    fit = stages["test"].fit.log
    assert parts["train"] == set(zip(dataset.users.decode(fit.users), dataset.items.decode(fit.items), strict=True))


def test_a_split_that_recbole_cannot_ask_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="RecBole cannot"):
        peer.write_for_recbole(dataset, {"protocol": "unseen_users"}, tmp_path / "toy")


def test_lists_from_a_file_have_the_figures_of_the_same_lists_of_ours(
    stages: Mapping[str, StageData], tmp_path: Path
) -> None:
    stage = stages["test"]
    lists = lists_of(stage)
    back = peer.from_file(written(tmp_path / "lists.csv.gz", stage, lists), stage)
    assert np.array_equal(back.items, lists.items)
    found = peer.figures(stage, back)
    assert found == peer.figures(stage, lists)
    value, low, high = found["ndcg@10"]
    assert 0.01 < low < value < high < 0.9


def test_lists_that_would_be_measured_as_something_else_are_refused(
    stages: Mapping[str, StageData], tmp_path: Path
) -> None:
    stage = stages["test"]
    lists = lists_of(stage)
    seen = stage.fit.items[int(stage.given.items[stage.given.indptr[lists.users[0]]])]
    for change, wrong in (((0, seen), "seen_rows"), ((3, "nobody"), "unknown_items"),
                          ((1, stage.fit.items[int(lists.items[0, 0])]), "repeated_rows")):
        with pytest.raises(SystemExit, match=wrong):
            peer.from_file(written(tmp_path / "lists.csv.gz", stage, lists, change), stage)
    path = written(tmp_path / "lists.csv.gz", stage, lists)
    path.write_bytes(path.read_bytes() + gzip.compress(f"{stage.fit.users[int(lists.users[0])]},{seen},0,9\n".encode()))
    with pytest.raises(SystemExit, match="'seen_rows': 1"):
        peer.from_file(path, stage)
    few = Lists(lists.users[1:], lists.items[1:], lists.scores[1:], lists.filled[1:])
    with pytest.raises(SystemExit, match="not ten unseen items for each"):
        peer.from_file(written(tmp_path / "lists.csv.gz", stage, few), stage)


def test_ours_can_be_asked_as_recbole_asks(stages: Mapping[str, StageData]) -> None:
    test, valid = stages["test"], stages["valid"]
    scorer = matinee.recipe("item_knn", {}).fit(test.fit)
    lists = peer.asked_with_train(scorer, stages)
    scores = scorer.score(valid.ask(test.users))
    for row, user in enumerate(test.users):
        given = test.given.items[test.given.indptr[user] : test.given.indptr[user + 1]]
        scores[row, given] = -np.inf
        assert np.array_equal(scores[row][lists.items[row]], np.sort(scores[row])[::-1][:10])
        assert not set(lists.items[row]) & set(given)
    assert not np.array_equal(lists.items, test.recommend(scorer, 10).items)


def row_of(**changes: Any) -> dict[str, Any]:
    measured = {metric: [0.25, 0.24, 0.26] for metric in peer.METRICS}
    row = {"protocol": "random_811", "side": "RecBole", "model": "MultiVAE", "best_epoch": 40, "epochs": 95,
           "seconds": 90.0, "seconds_an_epoch": 0.5, "seconds_an_evaluation": 1.5, "stopped_by": "time",
           "settings": {"learning_rate": 0.001}, "versions": {"recbole": "1.2.1"}, "origin": ORIGIN,
           "own_figures_at_test": {"ndcg@10": 0.25}, "asked": dict.fromkeys(peer.ASKED, measured)}
    return row | changes


def test_what_has_ended_is_not_trained_again_until_its_lists_are_gone(tmp_path: Path) -> None:
    peer.put(tmp_path, row_of())
    assert not peer.finished(tmp_path, "random_811", "MultiVAE")
    for protocol, model in (("random_811", "MultiVAE"), ("random_811", "RecVAE"), ("gap_and_tail", "MultiVAE")):
        (tmp_path / protocol).mkdir(exist_ok=True)
        for end in peer.ASKED.values():
            (tmp_path / protocol / f"{model}{end}.csv.gz").touch()
    assert peer.finished(tmp_path, "random_811", "MultiVAE")
    assert not peer.finished(tmp_path, "gap_and_tail", "MultiVAE")
    assert not peer.finished(tmp_path, "random_811", "RecVAE")
    (tmp_path / "random_811" / "MultiVAE.csv.gz").unlink()
    assert not peer.finished(tmp_path, "random_811", "MultiVAE")


def test_the_page_holds_a_row_of_each_side(tmp_path: Path) -> None:
    mine = row_of(side="ours", model="multi_vae")
    for name in ("epochs", "seconds", "seconds_an_epoch", "seconds_an_evaluation", "stopped_by", "versions"):
        del mine[name]
    for row in (mine, row_of(seconds=1.0), row_of()):
        peer.put(tmp_path, row)
    assert [row["side"] for row in peer.rows_in(tmp_path)] == ["RecBole", "ours"]
    text = "\n".join(peer.page(peer.rows_in(tmp_path)))
    assert "| RecBole | MultiVAE | 0.2500 (0.2400 to 0.2600) |" in text
    assert "| 40 | 95 | 1.5 | 0.5 | 1.5 | time | 2026-01-02, 01234567 | AMD, 2 cores |" in text
    assert "| ours | multi_vae |" in text
    assert "- MultiVAE: learning_rate 0.001; recbole 1.2.1. Its own evaluator says ndcg@10 0.2500" in text
