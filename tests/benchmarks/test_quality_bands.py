"""The committed quality figures are of the committed bands, and a band is missed on the right side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.quality import run
from ruamel.yaml import YAML


def yaml(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(path))


BANDS = yaml(run.HERE / "bands.yaml")
RESULTS = json.loads((run.HERE / "results.json").read_text())


@pytest.mark.parametrize(("figure", "band", "reached"), [
    (0.0375, {"ndcg@10": 0.0364, "within": 0.001}, False),  # too good is another model or another protocol
    (0.0373, {"ndcg@10": 0.0364, "within": 0.001}, True),
    (0.0353, {"ndcg@10": 0.0364, "within": 0.001}, False),
    (0.28, {"ndcg@10": 0.28, "at_least": True}, True),
    (0.35, {"ndcg@10": 0.28, "at_least": True}, True),
    (0.2799, {"ndcg@10": 0.28, "at_least": True}, False),
])
def test_which_side_of_a_band_is_missed(figure: float, band: dict[str, Any], reached: bool) -> None:
    figures = dict.fromkeys(run.METRICS, figure)
    model = run.against({"recipe": {}, **band}, [{"figures": figures}])
    assert [bound["reached"] for bound in model["bounds"]] == [reached]
    missed = run.missed({"protocol": {"models": {"model": model}}})
    assert len(missed) == (0 if reached else 1)


def test_a_figure_is_the_mean_over_seeds() -> None:
    runs = [{"figures": dict.fromkeys(run.METRICS, figure)} for figure in (0.2, 0.3, 0.4)]
    assert run.against({"recipe": {}}, runs)["figures"]["ndcg@10"] == pytest.approx(0.3)


@pytest.mark.parametrize("protocol", BANDS)
def test_the_committed_figures_are_of_these_bands(protocol: str) -> None:
    band, found = BANDS[protocol], RESULTS["protocols"][protocol]
    assert (found["counts"], found["split"], found["seeds"]) == (band["counts"], band["split"], band["seeds"])
    assert {name: model["recipe"] for name, model in found["models"].items()} == {
        name: model["recipe"] for name, model in band["models"].items()}
    for name, model in found["models"].items():
        wanted = {bound["metric"]: bound["wanted"] for bound in model["bounds"]}
        assert wanted == run.bands_of(band["models"][name])


def test_no_committed_figure_misses_its_band() -> None:
    assert run.missed(RESULTS["protocols"]) == RESULTS["missed"] == []
