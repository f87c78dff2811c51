"""Names as MLflow takes them, and back."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matinee.tracking.names import LARGEST, cut, flat, mapped, number, original

TAKEN = re.compile(r"[A-Za-z0-9_ ./-]+")


@given(st.lists(st.text(max_size=12) | st.text("_atx5f@.", max_size=12), min_size=1, max_size=4))
@example(["_at@", "@at_", "_at_at_", "_x_", "_x5f_", "..", "", "_@"])
def test_every_name_is_taken_and_comes_back(parts: list[str]) -> None:
    name = mapped(*parts)
    assert TAKEN.fullmatch(name)
    assert not {"", ".", ".."} & set(name.split("/"))
    assert list(original(name)) == parts


def test_metrics_read_as_people_write_them() -> None:
    assert mapped("ease", "valid", "ndcg@10") == "ease/valid/ndcg_at_10"
    assert mapped("a_model", "look_at_me") == "a_model/look_x5f_at_me"


def test_a_long_name_is_cut_and_two_stay_two() -> None:
    one, other = "a" * 300 + "b", "a" * 300 + "c"
    assert len(cut(one)) == len(cut(other)) == 250
    assert cut(one) != cut(other)
    assert cut("a" * 250) == "a" * 250


def test_parameters_are_flat_and_entries_go_by_their_id() -> None:
    found = dict(flat({"data": {"path": "x", "side": ["a", "b"]}, "models": [{"id": "v1.2", "l2": 0.5, "of": None}],
                       "members": [{"run": "r"}], "nothing": {}}))
    assert found == {"data.path": "x", "data.side": '["a", "b"]', "models.v1_x2e_2.id": "v1.2",
                     "models.v1_x2e_2.l2": "0.5", "models.v1_x2e_2.of": "null", "members.0.run": "r", "nothing": "{}"}


@pytest.mark.parametrize(
    ("value", "kept", "otherwise"),
    [(1.5, 1.5, False), (7, 7.0, False), (math.inf, LARGEST, True), (-math.inf, -LARGEST, True), (1e308, 1e308, False),
     (-0.0, 0.0, True), (0.0, 0.0, False), (2**53 + 1, float(2**53), True), (2**53, float(2**53), False),
     (10**400, LARGEST, True), (-(10**400), -LARGEST, True)],
)
def test_a_number_that_no_store_keeps_is_replaced_and_told(value: float, kept: float, otherwise: bool) -> None:
    found = number(value)
    assert found == (kept, otherwise)
    assert math.copysign(1, found[0]) == math.copysign(1, kept)
    assert math.isnan(number(math.nan)[0])
    assert not number(math.nan)[1]
