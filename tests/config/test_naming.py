"""What an experiment may be called."""

from __future__ import annotations

import unicodedata

import pytest

from matinee.config.naming import derived
from tests.config.experiments import made, refused


@pytest.mark.parametrize("name", ["한글실험", "映画-2", "кино", "हिन्दी", "été", "a" * 64, "실" * 64, "0", "a.b-c_d"])
def test_an_experiment_is_called_in_any_alphabet(name: str) -> None:
    assert made(name=name).name == name


def test_one_name_is_one_name_however_it_was_typed() -> None:
    decomposed = unicodedata.normalize("NFD", "한글")
    assert decomposed != "한글"
    assert made(name=decomposed).identity() == made(name="한글").identity()
    assert made(name=decomposed).name == "한글"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a b", "한글 실험", "Ease", "ÉTÉ", "-a", ".a", "_a",
                                  "a.", "a\n", "a\0", "a\u202eb", "a\u200bb", "🎬", "a" * 65, "실" * 65, "𠀀" * 64,
                                  "\u0301a"])
def test_what_is_no_name_of_an_experiment_is_refused(name: str) -> None:
    error = refused(name=name)
    assert error.code == "bad-name"
    assert "is no name for an experiment" in error.what
    assert "small letters of any alphabet" in error.way


@pytest.mark.parametrize("name", ["films", "a" * 64, "실" * 64, "𐐨" * 50])
def test_a_name_that_was_made_of_another_is_one(name: str) -> None:
    tuned = derived(name, "-tuned")
    assert made(name=tuned).name == tuned
    assert tuned.endswith("-tuned")
    assert tuned.removesuffix("-tuned") == name[: len(tuned) - 6]
