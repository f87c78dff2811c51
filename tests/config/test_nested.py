"""A recipe inside a recipe: given by name or with its settings, checked as deep, and written down again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from matinee.config import fields_of, load_experiment, parameters, recipe
from matinee.errors import ConfigError
from matinee.models.latent_neighbours import LatentKNN
from matinee.models.pure_svd import PureSVD
from tests.config.experiments import BASE, made, refused, refused_text, write


def latent(of: Any) -> LatentKNN:
    built = recipe("latent_neighbours", {"of": of}, BASE)
    assert isinstance(built, LatentKNN)
    return built


@pytest.mark.parametrize(("of", "inner"), [
    (None, None),
    ("pure_svd", PureSVD()),
    ({"model": "pure_svd"}, PureSVD()),
    ({"model": "pure_svd", "dim": 12}, PureSVD(dim=12)),
    ({"model": "latent_neighbours", "of": {"model": "pure_svd", "dim": 9}}, LatentKNN(of=PureSVD(dim=9))),
])
def test_it_is_a_name_or_a_name_with_settings(of: Any, inner: Any) -> None:
    assert latent(of).of == inner


@pytest.mark.parametrize("of", [None, "pure_svd", {"model": "pure_svd", "dim": 12}, {"model": "./toy_model.py"},
                                {"model": "latent_neighbours", "of": {"model": "als", "epochs": 3}}])
def test_it_survives_being_written_down(of: Any) -> None:
    before = latent(of)
    written = json.loads(json.dumps(parameters(before, BASE)))
    assert latent(written["of"]) == before
    if of:
        assert written["of"]["model"] == (of if isinstance(of, str) else of["model"].removeprefix("./"))


@pytest.mark.parametrize(("of", "text"), [
    ("pure_svt", "unknown-model: of.model: no model is called 'pure_svt'; did you mean pure_svd?"),
    ({"model": "pure_svd", "din": 4}, "unknown-key: of.din: there is no such key; did you mean dim or damping?"),
    ({"model": "pure_svd", "dim": 0},
     "out-of-range: of.dim: 0 is refused; must be a whole number >= 1 and <= 4096"),
    ({"dim": 4}, "missing-key: of: the key 'model' is missing; add it"),
    ({"model": 4}, "wrong-type: of.model: 4 is refused; must be text"),
    (4, "wrong-type: of: 4 is refused; must be a model or null"),
    (["pure_svd"], "wrong-type: of: a list is refused; must be a model or null"),
    ({"model": "latent_neighbours", "of": {"model": "als", "epoch": 3}},
     "unknown-key: of.of.epoch: there is no such key; did you mean epochs?"),
])
def test_what_cannot_be_is_refused(of: Any, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        latent(of)
    assert str(caught.value) == text


def test_a_fault_is_found_with_its_line(tmp_path: Path) -> None:
    text = ("name: toy\ndata: {path: log.csv}\nmodels:\n  - model: latent_neighbours\n    of:\n      model: pure_svd\n"
            "      din: 4\n")
    error = refused_text(tmp_path, text)
    assert (error.place.line, error.place.column) == (7, 7)  # type: ignore[union-attr]
    assert error.what == "models[0].of.din: there is no such key"


def test_an_override_reaches_into_it(tmp_path: Path) -> None:
    file = write(tmp_path, "name: toy\ndata: {path: log.csv}\nmodels: [{model: latent_neighbours, of: pure_svd}]\n")
    (entry,) = load_experiment(file, ["models.latent_neighbours.of.dim=5"]).models
    assert entry.recipe == LatentKNN(of=PureSVD(dim=5))


def test_an_experiment_says_it_whole_and_makes_the_same_of_that() -> None:
    experiment = made(models=[{"model": "latent_neighbours", "of": "pure_svd"}])
    entry = experiment.resolved()["models"][0]
    assert entry["of"] == {"model": "pure_svd", **parameters(PureSVD())}
    assert made(models=[entry]).models == experiment.models
    files = experiment.model_files(experiment.models[0])
    assert {name: file.name for name, file in files.items()} == {
        "latent_neighbours": "latent_neighbours.py", "pure_svd": "pure_svd.py"}


def test_one_that_is_nowhere_is_told_of_its_entry() -> None:
    error = refused(models=[{"model": "latent_neighbours", "of": "./gone.py"}])
    assert error.what == "models[0].of.model: there is no model file './gone.py'"


def test_a_reader_is_told_what_it_may_be() -> None:
    assert next(field.allowed for field in fields_of(LatentKNN) if field.name == "of") == "a model or null"
