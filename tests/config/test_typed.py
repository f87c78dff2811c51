"""Every field is checked by type and bounds, strictly, and says what it may hold."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le, MinLen
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.config import fields_of, parameters, recipe
from matinee.config.allowed import allowed
from matinee.errors import ConfigError
from tests.config.experiments import BASE
from tests.config.toy_model import Toy

TOY = "./toy_model.py"


def build(**params: Any) -> Any:
    return recipe(TOY, params, BASE)


def refusal(**params: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        build(**params)
    return str(caught.value)


def test_a_recipe_by_name_and_hyper_parameters() -> None:
    made = build(l2=500, dim=8, layers=[6, 5], since="2015-02-01", extra="side.csv")
    assert type(made).__name__ == "Toy"
    assert (made.l2, type(made.l2)) == (500.0, float), "a whole number may stand where a number is asked"
    assert made.layers == (6, 5)
    assert made.since == date(2015, 2, 1)
    assert made.extra == BASE / "side.csv", "a path counts from the experiment"
    assert made.mode == "sum"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"l2": "5"}, 'wrong-type: l2: "5" is refused; must be a number > 0 and <= 1000'),
        ({"l2": True}, "wrong-type: l2: true is refused; must be a number > 0 and <= 1000"),
        ({"l2": None}, "wrong-type: l2: null is refused; must be a number > 0 and <= 1000"),
        ({"l2": float("nan")}, "out-of-range: l2: NaN is refused; must be a number > 0 and <= 1000"),
        ({"l2": float("inf")}, "out-of-range: l2: Infinity is refused; must be a number > 0 and <= 1000"),
        ({"l2": 10**400}, "out-of-range: l2: 1" + "0" * 56 + "... is refused; must be a number > 0 and <= 1000"),
        ({"l2": 0}, "out-of-range: l2: 0 is refused; must be a number > 0 and <= 1000"),
        ({"dim": 1.0}, "wrong-type: dim: 1.0 is refused; must be a whole number >= 1 and <= 4096"),
        ({"dim": True}, "wrong-type: dim: true is refused; must be a whole number >= 1 and <= 4096"),
        ({"dim": 10**9}, "out-of-range: dim: 1000000000 is refused; must be a whole number >= 1 and <= 4096"),
        ({"mode": "som"}, 'unknown-value: mode: "som" is not known; did you mean sum?'),
        ({"mode": 1}, "unknown-value: mode: 1 is not known; known: sum, mean"),
        (
            {"layers": 3},
            "wrong-type: layers: 3 is refused; must be a list of a whole number >= 1 and <= 600 at least 1 long",
        ),
        (
            {"layers": []},
            "out-of-range: layers: a list is refused; must be a list of a whole number >= 1 and <= 600 at least 1 long",
        ),
        ({"layers": [5, 0]}, "out-of-range: layers[1]: 0 is refused; must be a whole number >= 1 and <= 600"),
        ({"since": 2}, "out-of-range: since: 2 is refused; must be a number > 0 and <= 1 or a date"),
        ({"since": "yesterday"}, 'wrong-type: since: "yesterday" is refused; must be a number > 0 and <= 1 or a date'),
        ({"warm": 1}, "wrong-type: warm: 1 is refused; must be true or false"),
        ({"label": 7}, "wrong-type: label: 7 is refused; must be text or null"),
        ({"label": {"a": 1}}, "wrong-type: label: a mapping is refused; must be text or null"),
        ({"label": object}, "wrong-type: label: <class 'object'> is no plain value; must be text or null"),
        ({"dims": 5}, "unknown-key: dims: there is no such key; did you mean dim?"),
        ({"weigths": 5}, "unknown-key: weigths: there is no such key; did you mean weights?"),
        ({"mode": "mean", "warm": True}, "bad-value: mean cannot be warm"),
    ],
)
def test_what_cannot_be_is_refused_with_its_range(params: dict[str, Any], text: str) -> None:
    assert refusal(**params) == text


def test_a_secret_is_not_repeated() -> None:
    assert "hunter2" not in refusal(label=["https://me:hunter2@host"])
    with pytest.raises(ConfigError, match=r'"https://\*\*\*@host" is refused'):
        build(dim="https://me:hunter2@host")


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "l2": st.floats(0, 1000, exclude_min=True),
            "dim": st.integers(1, 4096),
            "mode": st.sampled_from(["sum", "mean"]),
            "layers": st.lists(st.integers(1, 600), min_size=1),
            "since": st.dates() | st.floats(0, 1, exclude_min=True),
            "label": st.text() | st.none(),
            "extra": st.sampled_from(["a.csv", "../b.csv", "/c.csv"]),
        },
    )
)
def test_a_recipe_survives_being_written_down(params: dict[str, Any]) -> None:
    if isinstance(params.get("since"), date):
        params["since"] = params["since"].isoformat()
    made = build(**params)
    written = parameters(made, BASE)
    assert build(**written) == made
    assert {key: written[key] for key in params} == params
    assert list(written) == [field.name for field in fields(made)]


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (int, "a whole number"),
        (float | None, "a number or null"),
        (bool, "true or false"),
        (Path, "a path"),
        (Annotated[float, Gt(0), Le(1e6)], "a number > 0 and <= 1000000"),
        (Annotated[float, Ge(0.5)], "a number >= 0.5"),
        (Literal["a", None], "one of a, null"),
        (dict[str, str], "keys and values"),
        (tuple[int, str], "a list: a whole number, text"),
        (list[str], "a list of text"),
        (Annotated[tuple[str, ...], MinLen(2)], "a list of text at least 2 long"),
        (Annotated[int, Interval(gt=1, lt=5)], "a whole number > 1 and < 5"),
        (date, "a date"),
    ],
)
def test_what_a_field_may_hold_in_words(hint: Any, text: str) -> None:
    assert allowed(hint) == text


def test_the_fields_of_a_recipe_for_people() -> None:
    found = {field.name: field for field in fields_of(Toy)}
    assert list(found) == [field.name for field in fields(Toy)]
    assert found["l2"].doc == "Ridge strength.\nTwo lines of it."
    assert found["dim"].doc == ""
    assert (found["layers"].default, found["layers"].allowed) == (
        (200, 100),
        "a list of a whole number >= 1 and <= 600 at least 1 long",
    )
