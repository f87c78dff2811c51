"""`matinee models`: the list, and one model explained from its own file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from matinee import catalog
from tests.cli.commands import Said, matinee

__all__ = ["matinee"]

TOY = Path(__file__).parents[1] / "config/toy_model.py"


def test_the_list_has_every_model_with_its_first_line(matinee: Callable[..., Said]) -> None:
    said = matinee("models")
    assert (said.code, said.err) == (0, "")
    assert [line.split(maxsplit=1) for line in said.out.splitlines()] == [
        list(pair) for pair in catalog.summaries().items()
    ]


def test_one_model_is_explained(matinee: Callable[..., Said]) -> None:
    said = matinee("models", TOY)
    assert (said.code, said.err) == (0, "")
    assert (
        said.out
        == """A model with a field of every kind.

Shines nowhere.

hyper-parameters:
  l2 = 5.0    a number > 0 and <= 1000
      Ridge strength.
      Two lines of it.
  dim = 64    a whole number >= 1 and <= 4096
  mode = "sum"    one of sum, mean
  layers = [200, 100]    a list of a whole number >= 1 and <= 600 at least 1 long
      Widths, from the input inward.
  since = 0.5    a number > 0 and <= 1 or a date
  label = null    text or null
  warm = false    true or false
  extra = null    a path or null

uses: confidence weights, the history of each user
"""
    )


@pytest.mark.parametrize("name", catalog.names())
def test_every_model_can_be_explained(matinee: Callable[..., Said], name: str) -> None:
    said = matinee("models", name)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(catalog.summaries()[name])


def test_an_unknown_model_is_named(matinee: Callable[..., Said]) -> None:
    said = matinee("models", "nobody")
    assert said.code == 2
    assert said.error.startswith("unknown-model: no model is called 'nobody'; ")
