"""Checks of the recipe itself and of the settings beside it; nothing is fitted."""

from __future__ import annotations

import dataclasses
import json
from functools import partial
from pathlib import Path
from typing import Any

from matinee import config
from matinee.contract import Recommender
from matinee.testing.subject import Subject, refusal


def the_recipe_is_frozen_and_survives_json(subject: Subject) -> None:
    """A frozen dataclass (any other cannot be a Recommender), keyword-only, and equal to itself after JSON."""
    kind, before = subject.kind, subject.recipe()
    assert all(field.kw_only for field in dataclasses.fields(kind)), f"{kind.__name__} takes positional settings"
    text = json.loads(json.dumps(config.parameters(before)))
    assert config.recipe(subject.name, text, subject.beside) == before, f"{text} makes another recipe than {before}"


def an_experiment_can_ask_for_every_setting(subject: Subject) -> None:
    """No setting bears the name of another key of an entry; what a manifest repeats is what was asked for."""
    for field in subject.fields:
        wanted = subject.recipe(**{field: subject.other_value(field)})
        entry = {"model": subject.name, **config.parameters(wanted)}
        said = refusal(partial(_is_asked, entry, wanted, subject))
        assert not said, f"an experiment cannot ask for another {field}: {said}"


def _is_asked(entry: dict[str, Any], wanted: Recommender, subject: Subject) -> None:
    plain = {"name": "asked", "data": {"path": "-"}, "models": [entry, {"id": "first_stage", "model": "popularity"}]}
    if wanted.learns_candidates:
        entry["candidates"] = {"from": ["first_stage"]}
    experiment = config.experiment_from(plain, subject.beside or Path.cwd())
    again = config.experiment_from(experiment.resolved(), experiment.base)
    assert again.models[0].recipe == wanted, f"{again.models[0].recipe} is another than {wanted}"


def every_setting_says_what_it_is(subject: Subject) -> None:
    """A text under each field, and a family."""
    silent = [field.name for field in config.fields_of(subject.kind) if not field.doc]
    assert not silent, f"no text under {', '.join(silent)}"
    assert subject.kind.family, "no family"


def a_misspelt_setting_is_refused(subject: Subject) -> None:
    said = refusal(lambda: subject.recipe(lerning_rate=0.1))
    assert "lerning_rate" in said, f"a setting that does not exist was met with {said!r}"


def the_settings_file_speaks_of_fields_that_there_are(subject: Subject) -> None:
    """`tiny`, `search`, `unchanged` and `bench` are all it may hold; what `search` names the recipe takes."""
    strange = set(subject.settings) - {"tiny", "search", "bench", "unchanged"}
    assert not strange, f"unknown parts: {', '.join(sorted(strange))}"
    for part in ("tiny", "search", "unchanged"):
        unknown = set(subject.settings.get(part) or {}) - set(subject.fields)
        assert not unknown, f"{part} names {', '.join(sorted(unknown))}, which the recipe does not have"
    silent = [field for field, why in subject.unchanged.items() if not (isinstance(why, str) and why)]
    assert not silent, f"`unchanged` gives no reason for {silent}"
    for field, values in subject.searched().items():
        for value in values:
            subject.recipe(**{field: value})


def the_bench_says_where_good_settings_come_from(subject: Subject) -> None:
    """`bench`: `recipe` and `source`, then protocols with an entry or several each; the recipe takes what they name."""
    bench = dict(subject.settings.get("bench") or {})
    entries = [bench] if bench else []
    for protocol, given in bench.items():
        if protocol in ("recipe", "source") or given is None:
            continue
        several = given if isinstance(given, list) else [given]
        assert all(isinstance(entry, dict) for entry in several), f"{protocol}: {given!r} stands where keys belong"
        entries += several
    for entry in entries:
        config.recipe(subject.name, entry.get("recipe") or {}, subject.beside)
        figures = {key: value for key, value in entry.items() if "@" in key}
        assert all(isinstance(value, float) for value in figures.values()), f"no figures: {figures}"
        sided = ("within" in entry) != bool(entry.get("at_least"))
        assert sided or not figures, f"{figures}: say either `within` or `at_least: true`"
    assert not bench.get("recipe") or bench.get("source"), "`bench` has settings and no source"
