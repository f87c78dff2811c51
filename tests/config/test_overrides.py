"""`--set path=value` puts one value into an experiment, and says where a path leads nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from matinee.config import load_experiment, overridden
from matinee.config.yaml_file import read
from matinee.errors import ConfigError
from tests.config.experiments import plain, refused_text, write

TEXT = """
name: toy
data: {path: log.csv}
split: leave_last
models:
  - ./toy_model.py
  - {id: v1.2, model: ./toy_model.py, weights: recency_half_life}
filters:
  - {kind: unpopular_items}
"""


@pytest.mark.parametrize(
    ("override", "where", "value"),
    [
        ("models.v1.2.l2=300", ("models", 1, "l2"), 300),
        ("models.toy_model.l2=300", ("models", 0), {"model": "./toy_model.py", "l2": 300}),
        ("models.0.dim=8", ("models", 0), {"model": "./toy_model.py", "dim": 8}),
        ("models.v1.2.layers=[5, 6]", ("models", 1, "layers"), [5, 6]),
        ("models.v1.2.layers=[5]", ("models", 1, "layers"), [5]),
        ("models.v1.2.weights.half_life_days=9", ("models", 1, "weights"),
         {"kind": "recency_half_life", "half_life_days": 9}),
        ("split.valid=2", ("split",), {"protocol": "leave_last", "valid": 2}),
        ("filters.unpopular_items.least=3", ("filters", 0, "least"), 3),
        ("output.k=5", ("output",), {"k": 5}),
        ("question=a=b", ("question",), "a=b"),
        ("question=영화?", ("question",), "영화?"),
        ("seed=", ("seed",), None),
    ],
)
def test_a_path_leads_to_its_value(tmp_path: Path, override: str, where: tuple[Any, ...], value: Any) -> None:
    found: Any = overridden(read(write(tmp_path, TEXT)).content, [override])
    for step in where:
        found = found[step]
    assert found == value


def test_later_overrides_win_and_the_original_stays() -> None:
    mapping = plain()
    assert overridden(mapping, ["seed=1", "seed=2", "models.toy.l2=3"])["seed"] == 2
    assert mapping == plain()


def test_an_overridden_file_is_the_edited_file(tmp_path: Path) -> None:
    edited = load_experiment(write(tmp_path, TEXT.replace("weights: recency_half_life", "l2: 7")))
    assert load_experiment(write(tmp_path, TEXT), ["models.v1.2.weights=null", "models.v1.2.l2=7"]) == edited


@pytest.mark.parametrize(
    ("override", "text"),
    [
        (
            "models.v1.3.l2=1",
            "--set models.v1.3.l2: bad-override: no entry has the id or position 'v1'; did you mean v1.2?",
        ),
        (
            "models.2.l2=1",
            "--set models.2.l2: bad-override: no entry has the id or position '2'; known: toy_model, v1.2",
        ),
        ("name.x=1", "--set name.x: bad-override: there is nothing inside a plain value to call 'x'"),
        ("seed", "--set seed: bad-override: an override is written key=value; such as models.ease.l2=300"),
        ("=1", "--set : bad-override: an override is written key=value; such as models.ease.l2=300"),
        (
            "seed=[1",
            "--set seed:1:3: bad-yaml: while parsing a flow sequence expected ',' or ']', but got '<stream end>'",
        ),
        (
            "seed=!!python/name:os.system",
            "--set seed:1:1: tag-refused: the tag tag:yaml.org,2002:python/name:os.system is "
            "refused; write plain values without tags",
        ),
        ("sed=1", "--set sed: unknown-key: sed: there is no such key; did you mean seed?"),
        ("outptu.k=5", "--set outptu.k: unknown-key: outptu: there is no such key; did you mean output?"),
        ("data={path: 5}", "--set data: wrong-type: data.path: 5 is refused; must be text at least 1 long"),
        (
            "models.v1.2.l2=-1",
            "--set models.v1.2.l2: out-of-range: models[1].l2: -1 is refused; must be a number > 0 and <= 1000",
        ),
    ],
)
def test_an_override_that_cannot_be_is_named(tmp_path: Path, override: str, text: str) -> None:
    assert str(refused_text(tmp_path, TEXT, override)) == text


def test_an_id_that_stands_twice_needs_a_position() -> None:
    twins = plain(models=["./toy_model.py", "./toy_model.py"])
    with pytest.raises(ConfigError, match="2 entries have the id 'toy_model'; name one by its position, from 0"):
        overridden(twins, ["models.toy_model.l2=1"])
    assert overridden(twins, ["models.1.l2=1"])["models"][1]["l2"] == 1
