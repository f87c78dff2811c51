"""Features are found by their names, also new ones, and refused by name where a model cannot read them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from matinee import config
from matinee.contract import Run
from matinee.errors import ConfigError, DataError
from matinee.features.feature import FEATURES
from matinee.features.fitted import with_features
from matinee.features.registry import feature
from tests.features.people import data, everybody

NEW = '''
from matinee.data.columns import Numbers
from matinee.features.feature import user


@user("number")
def 긴_역사(known, queries):
    """1 for a history of more than 12 events."""
    return Numbers((queries.history.counts > 12).astype(float))
'''


@pytest.fixture
def outside(tmp_path: Path):
    """A module with a feature of its own, imported from anywhere."""
    path = tmp_path / "mine.py"
    path.write_text(NEW)
    spec = importlib.util.spec_from_file_location("mine", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["mine"] = module
    spec.loader.exec_module(module)
    yield path
    del sys.modules["mine"], FEATURES["긴_역사"]


def test_a_new_feature_is_one_function_in_one_file(outside: Path) -> None:
    made = feature("긴_역사")
    assert (made.scope, made.kind, made.source, made.doc) == (
        "user", "number", outside, "1 for a history of more than 12 events.")
    recipe = config.recipe("fm", {"dim": 4, "epochs": 1})
    scorer = recipe.fit(with_features(data(), ["긴_역사"]), Run(threads=1))
    assert "긴_역사" in scorer.tables
    assert np.isfinite(scorer.score(everybody(data()))).all()


def test_two_files_with_one_name_are_refused(outside: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin.py"
    twin.write_text(NEW)
    spec = importlib.util.spec_from_file_location("twin", twin)
    module = importlib.util.module_from_spec(spec)
    sys.modules["twin"] = module
    with pytest.raises(ConfigError, match=r"feature-twice: mine.py and twin.py both have a feature '긴_역사'"):
        spec.loader.exec_module(module)
    del sys.modules["twin"]


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="features-unknown: no feature is called 'eraa'; did you mean era"):
        feature("eraa")


def test_any_column_of_the_side_files_is_a_feature() -> None:
    with pytest.raises(DataError, match="no-feature: no user of the data has labels or a number called 'zip'"):
        with_features(data(), ["user:zip"])
    told = with_features(data(), ["user:gender"])
    assert feature("user:gender").column(told.features["user:gender"], everybody(data())).labels(0) == \
        data().user_features.categories("gender").labels(0)


def test_what_the_data_lack_is_named() -> None:
    from dataclasses import replace

    from matinee.data.columns import Features

    bare = replace(data(), item_features=Features(data().n_items))
    for name, what in (("era", "year of release"), ("genre", "genre"), ("director", "director"), ("title", "title")):
        with pytest.raises(DataError, match=what):
            with_features(bare, [name])


def experiment(features: list[str]):
    return config.experiment_from({"name": "fm", "data": {"path": "-"},
                                   "models": [{"model": "fm", "features": features}]}, Path())


def test_an_experiment_names_features() -> None:
    assert experiment(["era", "user:zip"]).models[0].features == ("era", "user:zip")
    with pytest.raises(ConfigError, match=r"features-unknown: models\[0\].features\[1\]: no feature is called 'ear'"):
        experiment(["era", "ear"])
    with pytest.raises(ConfigError, match=r"duplicate-name: models\[0\].features\[1\]: 'era' is given twice"):
        experiment(["era", "era"])
    with pytest.raises(ConfigError, match=r"features-pairs: models\[0\].features\[0\]: genre_affinity is of a"):
        experiment(["genre_affinity"])
