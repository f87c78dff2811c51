"""The committed quality figures reach the bands beside the models, and a band is missed on the right side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks.quality import bench, report, store
from benchmarks.quality.bench import METRICS, Bound, Case

CASES, BLOCKS, ROWS = bench.cases(), bench.protocols(), store.read_rows()

COSINE = {"similarity": "cosine", "neighbours": 20, "shrink": 0}
FIRST = [
    # what was promised before anything was measured; a later change may only raise a bound
    ("next_item", "popularity", {}, "hit_rate@10", 0.0364, 0.001),
    ("next_item", "popularity", {}, "ndcg@10", 0.0179, 0.001),
    ("next_item", "item_knn", COSINE, "hit_rate@10", 0.0876, 0.004),
    ("next_item", "item_knn", COSINE, "ndcg@10", 0.0433, 0.004),
    ("next_item", "ease", {"l2": 500}, "hit_rate@10", 0.1099, 0.003),
    ("next_item", "ease", {"l2": 500}, "ndcg@10", 0.0544, 0.003),
    ("next_item_refit", "popularity", {}, "hit_rate@10", 0.0364, 0.0001),
    ("next_item_refit", "popularity", {}, "ndcg@10", 0.0179, 0.0001),
    ("next_item_refit", "item_knn", COSINE, "hit_rate@10", 0.0876, 0.0001),
    ("next_item_refit", "item_knn", COSINE, "ndcg@10", 0.0433, 0.0001),
    ("next_item_refit", "ease", {"l2": 500}, "hit_rate@10", 0.1099, 0.0001),
    ("next_item_refit", "ease", {"l2": 500}, "ndcg@10", 0.0544, 0.0001),
    ("random_811", "popularity", {}, "ndcg@10", 0.1187, 0.01),
    ("random_811", "ease", {}, "ndcg@10", 0.280, None),
    ("random_811", "item_knn", {}, "ndcg@10", 0.22, None),
    ("random_811", "als", {}, "ndcg@10", 0.25, None),
]


def same_settings(case: Case, recipe: dict[str, Any]) -> bool:
    return dict(case.settings) == bench.differing(case.model, {"recipe": recipe})


@pytest.mark.parametrize(("protocol", "model", "recipe", "metric", "wanted", "within"), FIRST)
def test_no_band_is_loosened(
    protocol: str, model: str, recipe: dict[str, Any], metric: str, wanted: float, within: float | None
) -> None:
    (case,) = [case for case in CASES if (case.protocol, case.model) == (protocol, model)
               and same_settings(case, recipe)]
    now = [bound for bound in case.bounds if bound.metric == metric]
    if within is None:
        assert max(bound.wanted for bound in now if bound.within is None) >= wanted
    else:
        assert any(bound.wanted == wanted and bound.within is not None and bound.within <= within for bound in now)
    assert store.row_of(case, ROWS) is not None, f"make quality MODEL={model} PROTOCOL={protocol}"


@pytest.mark.parametrize(("figure", "bound", "reached"), [
    (0.0375, Bound("ndcg@10", 0.0364, 0.001), False),  # too good is another model or another protocol
    (0.0373, Bound("ndcg@10", 0.0364, 0.001), True),
    (0.0374, Bound("ndcg@10", 0.0364, 0.001), True),
    (0.0353, Bound("ndcg@10", 0.0364, 0.001), False),
    (0.28, Bound("ndcg@10", 0.28, None), True),
    (0.35, Bound("ndcg@10", 0.28, None), True),
    (0.2799, Bound("ndcg@10", 0.28, None), False),
])
def test_which_side_of_a_band_is_missed(figure: float, bound: Bound, reached: bool) -> None:
    case = Case("random_811", "popularity", bounds=(bound,))
    row = {"protocol": "random_811", "model": "popularity", "settings": {}, "recipe": case.recipe,
           "figures": dict.fromkeys(METRICS, figure)}
    assert bound.reached(figure) is reached
    assert len(store.missed([case], [row])) == (0 if reached else 1)


def test_no_committed_figure_misses_its_band() -> None:
    assert store.missed(CASES, ROWS) == []


def test_what_has_a_band_has_been_measured() -> None:
    assert [f"make quality MODEL={case.model} PROTOCOL={case.protocol}" for case in CASES
            if case.bounds and store.row_of(case, ROWS) is None] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['protocol']}-{row['model']}")
def test_a_committed_row_is_whole(row: dict[str, Any]) -> None:
    block = BLOCKS[row["protocol"]]
    own = {case.seeds for case in CASES if store.is_of(row, case)}
    assert [run["seed"] for run in row["runs"]] in [list(seeds) or block["seeds"] for seeds in own]
    for metric, figure in row["figures"].items():
        assert figure == pytest.approx(np.mean([run["figures"][metric] for run in row["runs"]]), abs=2e-6)
        low, high = row["runs"][0]["intervals"][metric]
        assert low <= row["runs"][0]["figures"][metric] <= high
        assert row["runs"][0]["errors"][metric] > 0
    assert row["origin"]["commit"]
    assert row["peak_mb"] > 0 < row["seconds"]


def test_the_hits_beside_the_rows_give_their_figures() -> None:
    found = report.measured("gap_and_tail", BLOCKS["gap_and_tail"], CASES, ROWS)
    assert found, "nothing is measured on gap_and_tail"
    for case, row in found:
        for metric in ("recall@10", "ndcg@10"):
            mean = report.kept(store.hits_file(case), metric).mean()
            assert mean == pytest.approx(row["figures"][metric], abs=2e-6), case.name
