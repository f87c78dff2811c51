"""The data set inside the package is what it says it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee.data import embedded
from matinee.data.build import build
from matinee.data.layouts import movielens
from matinee.data.load import load
from matinee.data.source import Reading
from matinee.errors import ConfigError
from tests.paths import data_folder


def test_movietweetings_has_its_counts_and_columns():
    dataset = load("embedded:movietweetings")
    assert (len(dataset.log), dataset.n_users, dataset.n_items) == (73_508, 3_084, 1_585)
    assert dataset.log.counts.min() == 10
    assert dataset.log.item_counts().min() == 10
    assert (dataset.log.columns["rating"].min(), dataset.log.columns["rating"].max()) == (0, 10)
    assert 1_362_062_307 <= dataset.log.times.min() < dataset.log.times.max() <= 1_383_696_025
    features = dataset.item_features
    assert not features.texts("title").missing().any()
    assert not features.numbers("year").missing().any()
    assert len(features.categories("genre").names) > 20
    assert features.texts("title").values[dataset.items.encode(["0110912"])[0]] == "Pulp Fiction (1994)"
    assert dataset.facts.name == "movietweetings"


def test_it_is_the_core_of_the_original_rows():
    core = build(movielens.read(data_folder("movietweetings"), Reading()), min_user_events=10, min_item_events=10)
    shipped = load("embedded:movietweetings")
    assert shipped.hash == core.hash


def test_its_licence_goes_with_it():
    licence = Path(embedded.__file__).parent / "LICENSE-MovieTweetings"
    text = licence.read_text()
    assert text.startswith("The MIT License (MIT)")
    assert "Simon Dooms" in text


def test_it_is_small():
    folder = Path(embedded.__file__).parent
    assert sum(path.stat().st_size for path in folder.rglob("*.gz")) < 750_000


def test_another_name_is_refused():
    with pytest.raises(ConfigError, match="unknown-data: no embedded data set called 'netflix'; one of movietweetings"):
        load("embedded:netflix")
