"""What the speed figures rest on: memory seen from outside, ratios round by round, both sides on the same rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.speed import launch
from benchmarks.speed.figures import against, alone, same
from benchmarks.speed.held_out import held_out, recall, sample, write_benchmark, write_train
from benchmarks.speed.report import lines

import matinee


def launched(code: str) -> dict[str, Any]:
    command = [sys.executable, launch.__file__, sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, check=True)
    return dict(json.loads(done.stdout))


def test_a_peak_is_seen_after_the_process_has_set_its_own_mark_back() -> None:
    took = launched(
        "import time; block = bytearray(b'x' * 150_000_000); time.sleep(0.1); del block\n"
        "open('/proc/self/clear_refs', 'w').write('5'); print('done')"
    )
    assert took["peak_mb"] > 140
    assert took["seconds"] >= 0.1
    assert (took["code"], took["output"]) == (0, "done\n")


def test_a_peak_is_not_that_of_the_parent() -> None:
    block = np.ones(20_000_000)  # 160 MB
    assert launched("pass")["peak_mb"] < 100
    assert block.sum() == len(block)


def test_an_exit_status_is_handed_on() -> None:
    assert launched("raise SystemExit(3)")["code"] == 3


def test_times_faster_is_taken_round_by_round() -> None:
    found = {"ours": [{"fit": 1.0}, {"fit": 4.0}, {"fit": 2.0}], "peer": [{"fit": 3.0}, {"fit": 8.0}, {"fit": 2.0}]}
    figure = against(found, "fit", 2.5)
    assert figure["times_faster"] == {"median": 2.0, "min": 1.0, "max": 3.0}
    assert figure["ours"] == {"median": 2.0, "min": 1.0, "max": 4.0}
    assert figure["reached"] is False
    assert against(found, "fit", 2.0)["reached"] is True


def test_a_bound_without_a_peer_is_an_upper_one() -> None:
    runs = [{"peak_mb": 10.0}, {"peak_mb": 30.0}, {"peak_mb": 20.0}]
    assert alone(runs, "peak_mb", 20.0)["reached"] is True
    assert alone(runs, "peak_mb", 19.0)["reached"] is False


def test_a_bound_on_memory_beside_a_peer_is_of_ours_alone() -> None:
    found = {"ours": [{"peak_mb": 900.0}], "peer": [{"peak_mb": 3000.0}]}
    figure = against(found, "peak_mb", most=1000.0)
    assert figure["reached"] is True
    assert against(found, "peak_mb", most=800.0)["reached"] is False
    origin = {"date": "2026-01-02", "commit": "0123", "changed": False, "threads": 2, "load_average": [1.0],
              "seeds": [0], "versions": {},
              "machine": {"processor": "AMD", "cores": 2, "memory_gb": 8, "python": "3.11"}}
    page = "\n".join(lines({"x": {"title": "t", "origin": origin, "peer": "P", "rounds": {}, "figures": [figure]}}))
    assert "| 900 MB (900 to 900) | 3000 MB (3000 to 3000) | 3.33x (3.33 to 3.33) | 1000 MB at most | yes" in page


def test_the_peer_of_networks_gets_what_is_learnt_from_and_what_is_hidden(tmp_path: Path) -> None:
    stage = held_out(matinee.load("synthetic:60x40"))
    write_benchmark(stage, tmp_path / "toy")
    rows = {part: (tmp_path / "toy" / f"toy.{part}.inter").read_text().splitlines()
            for part in ("train", "valid", "test")}
    first = f"{stage.fit.users[0]}\t{stage.fit.items[int(stage.fit.log.items[0])]}"
    assert rows["valid"] == rows["test"]
    assert [len(part) - 1 for part in rows.values()][:2] == [len(stage.fit.log), int(stage.truth.counts.sum())]
    assert rows["train"][:2] == ["user_id:token\titem_id:token", first]
    assert not set(rows["train"][1:]) & set(rows["valid"][1:])


def test_sides_that_see_other_rows_are_refused() -> None:
    same({"ours": [{"events": 5}], "peer": [{"events": 5}]}, "events")
    with pytest.raises(SystemExit, match="other events"):
        same({"ours": [{"events": 5}], "peer": [{"events": 6}]}, "events")


def test_lists_in_raw_ids_are_measured_as_ours_are(tmp_path: Path) -> None:
    folder = tmp_path / "log.csv"
    rng = np.random.default_rng(0)
    pairs = sorted({(int(user), int(item) ** 2 // 300) for user, item in rng.integers(5, 300, (6000, 2))})
    folder.write_text("user,item,time\n" + "".join(f"{user},{item},{user + item}\n" for user, item in pairs))
    stage = held_out(folder)
    write_train(stage, tmp_path / "train.npz")
    train = np.load(tmp_path / "train.npz")
    assert {len(train[name]) for name in train} == {len(stage.fit.log)}
    assert str(train["items"][0]) == stage.fit.items[int(stage.fit.log.items[0])]
    lists = stage.recommend(matinee.recipe("popularity", {}).fit(stage.fit), 10, personal=False)
    ours = next(row.value for row in stage.measure(lists, ["recall@10"]))
    users = stage.fit.users.decode(lists.users).cast(int).to_numpy()
    items = stage.fit.items.decode(lists.items.ravel()).cast(int).to_numpy().reshape(-1, 10)
    back = np.arange(len(users))[::-1]
    np.savez(tmp_path / "lists.npz", users=users[back], items=items[back])
    assert recall(stage, tmp_path / "lists.npz") == pytest.approx(ours, abs=1e-12)
    assert ours > 0.01


def test_a_sample_is_told_by_raw_ids_and_measured_alone(tmp_path: Path) -> None:
    folder = tmp_path / "log.csv"
    rng = np.random.default_rng(0)
    pairs = sorted({(int(user), int(item)) for user, item in rng.integers(5, 300, (6000, 2))})
    folder.write_text("user,item,time\n" + "".join(f"{user},{item},{user + item}\n" for user, item in pairs))
    stage = held_out(folder)
    few = sample(stage, 7)
    assert sorted(stage.fit.users.decode(few).cast(int).to_list()) == list(range(7, 300, 7))
    lists = stage.recommend(matinee.recipe("popularity", {}).fit(stage.fit), 10, users=few, personal=False)
    users, items = stage.fit.users.decode(lists.users), stage.fit.items.decode(lists.items.ravel())
    np.savez(tmp_path / "lists.npz", users=users.cast(int).to_numpy(),
             items=items.cast(int).to_numpy().reshape(lists.items.shape))
    of_all = next(row.value for row in stage.measure(lists, ["recall@10"])) * len(stage.users)
    assert recall(stage, tmp_path / "lists.npz", every=7) == pytest.approx(of_all / len(few))


def test_ids_that_a_peer_would_not_give_back_are_refused(tmp_path: Path) -> None:
    stage = held_out(matinee.load("embedded:movietweetings"))  # 0083987
    with pytest.raises(SystemExit, match="zeros before it"):
        write_train(stage, tmp_path / "train.npz")
