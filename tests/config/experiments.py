"""A small experiment of toy models, as plain values and as text, to break in every way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from matinee.config import Experiment, experiment_from, load_experiment
from matinee.errors import ConfigError

BASE = Path(__file__).parent


def plain(**sections: Any) -> dict[str, Any]:
    """The smallest experiment there is, with more sections or others."""
    return {
        "name": "toy",
        "data": {"path": "log.csv"},
        "models": [{"id": "toy", "model": "./toy_model.py"}],
        **sections,
    }


def made(**sections: Any) -> Experiment:
    return experiment_from(plain(**sections), BASE)


def refused(**sections: Any) -> ConfigError:
    """The error that these sections meet."""
    with pytest.raises(ConfigError) as caught:
        made(**sections)
    assert caught.value.exit_code == 2
    return caught.value


def toy(**params: Any) -> dict[str, Any]:
    """A models entry."""
    return {"id": "toy", "model": "./toy_model.py", **params}


def write(folder: Path, text: str) -> Path:
    """An experiment file in `folder`, with the toy models beside it."""
    for name in ("toy_model.py", "toy_unweighted.py"):
        (folder / name).write_bytes((BASE / name).read_bytes())
    file = folder / "실험.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refused_text(folder: Path, text: str, *overrides: str) -> ConfigError:
    """The error that an experiment file with this text meets; its place counts from line 1, column 1."""
    with pytest.raises(ConfigError) as caught:
        load_experiment(write(folder, text), overrides)
    assert json.loads(caught.value.as_json())["exit"] == 2
    return caught.value
