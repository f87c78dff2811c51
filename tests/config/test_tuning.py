"""The block `tune` and the spaces that are searched."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from matinee import catalog
from matinee.config import Choices, Range, Space, experiment_from, spaces_of
from matinee.config.tuning import Budget
from tests.config.experiments import BASE, made, refused, refused_text, toy


def spaces(**changes: Any) -> dict[str, Space]:
    experiment = made(models=[toy()], tune={"search": {"toy": changes}})
    return spaces_of(experiment.models[0], BASE, experiment.tune.search["toy"])


def test_without_the_block_every_model_has_ten_minutes() -> None:
    assert made().tune.budget == Budget(minutes=10)
    assert made(tune={"budget": {"trials": 5}}).tune.budget == Budget(trials=5)
    assert made(tune=None).tune == made().tune


def test_the_block_decides_nothing_of_a_run_and_reads_back_as_it_was_written() -> None:
    tuned = made(tune={"models": ["toy"], "metric": "ndcg@5", "budget": {"minutes": 1.5, "memory": 4}, "seed": 3,
                       "search": {"toy": {"l2": {"low": 1, "high": 9}}}})
    assert tuned.identity() == made().identity()
    assert experiment_from(tuned.resolved(), tuned.base) == tuned


@pytest.mark.parametrize(("block", "code"), [
    ({"budget": {"memory": 4}}, "missing-key"),
    ({"budget": {"minutes": 0}}, "out-of-range"),
    ({"budget": {"hours": 1}}, "unknown-key"),
    ({"metrik": "ndcg@10"}, "unknown-key"),
    ({"metric": "coverage@10"}, "not-accuracy"),
    ({"metric": "ndgc@10"}, "unknown-metric"),
    ({"models": ["ease"]}, "unknown-id"),
    ({"search": {"ease": {}}}, "unknown-id"),
    ({"search": {"toy": {"l3": [1]}}}, "unknown-key"),
    ({"search": {"toy": {"l2": {"low": 1}}}}, "missing-key"),
    ({"search": {"toy": {"l2": {"low": 5, "high": 1}}}}, "out-of-range"),
    ({"search": {"toy": {"l2": {"low": 0, "high": 1, "log": True}}}}, "out-of-range"),
    ({"search": {"toy": {"l2": {"low": 1, "high": 5000}}}}, "out-of-range"),
    ({"search": {"toy": {"mode": ["sum", "max"]}}}, "unknown-value"),
    ({"search": {"toy": {"dim": {"low": 1.5, "high": 8}}}}, "wrong-type"),
    ({"search": {"toy": {"l2": "much"}}}, "wrong-type"),
    ({"search": {"toy": {"l2": []}}}, "wrong-type"),
    ({"search": {"toy": [1]}}, "wrong-type"),
])
def test_a_wrong_block_is_refused(block: Any, code: str) -> None:
    assert refused(tune=block).code == code


def test_an_error_in_the_block_has_its_line(tmp_path: Path) -> None:
    text = ("name: t\ndata: {path: x}\nmodels: [{id: toy, model: ./toy_model.py}]\n"
            "tune:\n  search:\n    toy:\n      l3: [1]\n")
    error = refused_text(tmp_path, text)
    assert error.place is not None
    assert (error.code, getattr(error.place, "line", 0)) == ("unknown-key", 7)


def test_changes_stand_in_the_place_of_a_models_own_search() -> None:
    found = spaces(l2={"low": 1, "high": 100, "log": True}, dim={"low": 8, "high": 64}, mode=["sum"], warm=None)
    assert found == {"l2": Range(1, 100, log=True), "dim": Range(8, 64), "mode": Choices(("sum",))}
    assert (found["dim"].size, found["mode"].size) == (57, 1)
    assert spaces(label={"choices": [None, "a"]}) == {"label": Choices((None, "a"))}


def test_numbers_are_rounded_to_three_digits_inside_their_range() -> None:
    assert Range(0.0, 1.0).rounded(0.123456) == 0.123
    assert Range(1, 100).rounded(41.7) == 42
    assert Range(0.0, 0.1234).rounded(0.1234) <= 0.1234
    assert math.isinf(Range(0.0, 1.0).size)


@pytest.mark.parametrize("name", catalog.names())
def test_the_own_search_of_every_model_can_be_read(name: str) -> None:
    settings = {"candidates": {"from": ["popularity"]}} if name == "boosted_ranker" else {}
    experiment = made(models=[{"id": "popularity", "model": "popularity"}, {"id": "it", "model": name, **settings}])
    found = spaces_of(experiment.models[1], BASE)
    assert all(space.size >= 1 for space in found.values())
