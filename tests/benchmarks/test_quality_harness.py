"""What `bench` means, how rows are kept, and what is written of a user's hits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.quality import bench, report, store
from benchmarks.quality.bench import METRICS, Case
from benchmarks.quality.measure import keep, kept, one

import matinee
from matinee.config.yaml_file import read

BLOCK = {"only_if_named": [], "main": "recall@10", "title": "t", "seeds": [0], "shown": ["recall@10"], "ordered": True,
         "data": {"path": "toy"}, "split": {"protocol": "gap_and_tail"},
         "counts": {"users": 2, "items": 3, "events": 4}}


def cases_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, model: str = "item_knn", **block: Any
) -> list[Case]:
    (tmp_path / "settings.yaml").write_text(f"bench:\n  recipe: {{}}\n{text}")
    monkeypatch.setattr(bench.catalog, "settings_file", lambda name: tmp_path / "settings.yaml")
    return bench.of_model(model, "random_811", {**BLOCK, **block})


def test_the_defaults_are_measured_beside_what_was_tuned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "  random_811: {recipe: {neighbours: 20, shrink: 10}, source: tuned, ndcg@10: 0.2, at_least: true}\n"
    defaults, tuned = cases_of(tmp_path, monkeypatch, text)
    assert (defaults.name, defaults.settings, defaults.bounds) == ("item_knn", {}, ())
    assert (tuned.name, tuned.settings, tuned.source) == ("item_knn (neighbours 20)", {"neighbours": 20}, "tuned")
    assert [str(bound) for bound in tuned.bounds] == ["ndcg@10 ≥ 0.2"]


def test_entries_of_the_same_settings_are_one_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = ("  random_811:\n  - {ndcg@10: 0.2, at_least: true}\n  - {recipe: {shrink: 10}, mrr@10: 0.3, within: 0.01}\n"
            "  - {weights: recency_half_life}\n")
    both, weighted = cases_of(tmp_path, monkeypatch, text)
    assert [str(bound) for bound in both.bounds] == ["ndcg@10 ≥ 0.2", "mrr@10 0.3 ± 0.01"]
    assert weighted.settings == {"weights": "recency_half_life"}


def test_some_families_are_measured_only_where_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few: Any = ["baseline", "rules"]
    assert cases_of(tmp_path, monkeypatch, "", "popularity", only_if_named=few) == []
    assert len(cases_of(tmp_path, monkeypatch, "  random_811:\n", "popularity", only_if_named=few)) == 1
    assert len(cases_of(tmp_path, monkeypatch, "", "item_knn", only_if_named=few)) == 1
    assert cases_of(tmp_path, monkeypatch, "", "item_knn", only_if_named="all") == []
    only: Any = ["item_knn"]
    assert cases_of(tmp_path, monkeypatch, "", "item_knn", only_if_named=only) == []


def test_of_what_takes_long_the_entries_alone_are_measured_and_the_seeds_that_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "  random_811: {recipe: {shrink: 11}, seeds: [3, 4]}\n"
    (one,) = cases_of(tmp_path, monkeypatch, text, entries_alone=["item_knn"])
    assert (one.settings, one.seeds) == ({"shrink": 11}, (3, 4))
    assert len(cases_of(tmp_path, monkeypatch, "", entries_alone=["neighbours"])) == 1
    defaults, _ = cases_of(tmp_path, monkeypatch, text, entries_alone=["ease"])
    assert defaults.seeds == ()
    fewer = Case("random_811", one.model, one.settings)
    block = {**BLOCK, "data": {}, "split": {}}
    assert store.key(one, block) != store.key(fewer, block)


@pytest.mark.parametrize("entry", ["{ndgc@10: 0.2, at_least: true}", "{ndcg@10: 0.2}",
                                   "{ndcg@10: 0.2, at_least: true, within: 0.1}"])
def test_a_band_that_says_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    with pytest.raises(ValueError, match=r"ndgc@10 is not measured|say either"):
        cases_of(tmp_path, monkeypatch, f"  random_811: {entry}\n")


def test_a_name_that_there_is_not_is_met_with_those_that_there_are() -> None:
    with pytest.raises(SystemExit, match=r"there is no esae; known: .*ease"):
        bench.cases(model="esae")
    with pytest.raises(SystemExit, match="there is no P2; known: next_item"):
        bench.cases(protocol="P2")


def test_every_model_names_protocols_that_there_are() -> None:
    for name in bench.catalog.names():
        named = set(read(bench.catalog.settings_file(name)).content["bench"]) - {"recipe", "source"}
        assert named <= set(bench.protocols()), name


def row(model: str, figure: float = 0.1, **recipe: Any) -> dict[str, Any]:
    case = Case("gap_and_tail", model)
    run = {"seed": 0, "users": 4, "figures": dict.fromkeys(METRICS, figure), "errors": dict.fromkeys(METRICS, 0.01),
           "intervals": {metric: [0.0, 1.0] for metric in METRICS}, "parts": {"gap": 0.2, "tail": 0.1},
           "fit_seconds": 1.5, "rank_seconds": 0.5}
    origin = {"commit": "0123456789", "changed": False, "date": "2026-11-26", "threads": 2, "load_average": [1.0],
              "versions": {"numpy": "2"}, "machine": {"processor": "p", "cores": 2, "memory_gb": 8.0, "python": "3"}}
    return {"protocol": "gap_and_tail", "model": model, "settings": {}, "recipe": {**case.recipe, **recipe},
            "key": "k", "figures": run["figures"], "runs": [run], "seconds": 2.0, "peak_mb": 300, "origin": origin}


def test_a_new_row_takes_the_place_of_its_older_self_and_leaves_the_others(tmp_path: Path) -> None:
    cases = [Case("gap_and_tail", "ease"), Case("gap_and_tail", "popularity")]
    rows = store.put([row("popularity"), row("als")], row("ease", 0.2), cases)
    assert [one["model"] for one in rows] == ["ease", "popularity"], "in the order of the cases; als is none of them"
    rows = store.put(rows, row("popularity", 0.3), cases)
    assert [one["figures"]["recall@10"] for one in rows] == [0.2, 0.3]
    store.write_rows(rows, tmp_path / "results.json")
    assert store.read_rows(tmp_path / "results.json") == rows
    assert len((tmp_path / "results.json").read_text().splitlines()) == 2 + len(rows)


def test_a_row_is_not_of_defaults_that_have_changed_since() -> None:
    case = Case("gap_and_tail", "ease")
    assert store.row_of(case, [row("ease")]) is not None
    assert store.row_of(case, [row("ease", l2=400.0)]) is None
    older = row("ease")
    older["recipe"].pop("precision")
    assert store.row_of(case, [older]) is not None, "a field that came later is at its default, which changes nothing"


def test_a_row_depends_on_the_code_of_its_model_and_on_its_protocol() -> None:
    ease, block = Case("random_811", "ease"), bench.protocols()["random_811"]
    keys = {store.key(ease, block), store.key(Case("random_811", "als"), block),
            store.key(Case("random_811", "ease", {"l2": 1.0}), block), store.key(ease, {**block, "seeds": [0]})}
    assert len(keys) == 4
    assert store.key(ease, {**block, "title": "other", "counts": {}}) == store.key(ease, block)


def test_what_is_kept_of_a_list_gives_every_metric_of_every_user(tmp_path: Path) -> None:
    data = matinee.load("synthetic:300x80")
    stages = matinee.stages(data, {"protocol": "gap_and_tail", "seed": 0})
    run, lists = one("popularity", {"half_life_days": 30.0}, {"main": "recall@10"}, stages, seed=0)
    truth = stages["test"].truth
    keep(lists, truth, tmp_path / "deep" / "hits.npz")
    for metric in METRICS:
        values = kept(tmp_path / "deep" / "hits.npz", metric)
        assert np.array_equal(values, matinee.evaluation.accuracy.per_user(lists, truth, [metric])[metric]), metric
        assert values.mean() == pytest.approx(run["figures"][metric], abs=1e-6)
    assert set(run["parts"]) == {"gap", "tail"}
    assert run["figures"]["recall@10"] > 0


def test_the_page_orders_and_compares(tmp_path: Path) -> None:
    users = np.arange(600)
    for model, share in (("ease", 2), ("popularity", 6), ("als", 2)):
        bits = np.where(users % share == 0, 1, 0).astype(np.uint16)
        file = store.hits_file(Case("gap_and_tail", model), tmp_path)
        file.parent.mkdir(exist_ok=True)
        np.savez_compressed(file, bits=bits, hidden=np.full(600, 2, np.uint16))
    cases = [Case("gap_and_tail", model) for model in ("als", "ease", "popularity")]
    rows = [row("als", 0.25), row("ease", 0.25), row("popularity", 0.08)]
    text = "\n".join(report.page({"gap_and_tail": BLOCK}, cases, rows, tmp_path))
    assert "| 1 | als | 0.2500 | 0.0100 | 0.0000 to 1.0000 | 0.2000 | 0.1000 | 1.5 | 0.5 | 300 | 01234567 |" in text
    assert "| ease | +0.1667 |" in text
    assert "| 1 als | +0.0000 | **+0.1667** |" in text, "nobody can tell als from ease"
