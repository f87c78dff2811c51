"""What must hold for any history of a ledger: nothing lost, the newest counts, quotas hold, a torn end is harmless."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.errors import UsageError
from matinee.experiment.handed_in import HandedIn
from matinee.experiment.ledger import Ledger, Rules

FAST = settings(max_examples=30, deadline=None)
START = datetime(2026, 11, 26, tzinfo=UTC)

member = st.sampled_from(["kim", "이", "o'neil <b>", "\u2028x"])
minutes = st.integers(0, 4 * 24 * 60)
score = st.floats(-1, 1, allow_nan=False)
number = st.integers(1, 12)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), member, minutes),
        st.tuples(st.just("score"), number, score),
        st.tuples(st.just("correct"), number, st.fixed_dictionaries({}, optional={
            "member": member, "note": st.text(max_size=9), "withdrawn": st.booleans()})),
        st.tuples(st.just("rule"), st.fixed_dictionaries({}, optional={
            "quota": st.none() | st.integers(0, 3), "zone": st.sampled_from(["UTC", "Asia/Seoul", "America/St_Johns"]),
            "begins": st.sampled_from(["00:00", "09:30"]), "free_after": st.sampled_from([None, "23:00", "02:00"]),
            "beyond": st.sampled_from(["refuse", "warn"])})),
    ),
    max_size=25,
)


def carried_out(ledger: Ledger, history: list[Any]) -> list[dict[str, Any]]:
    """What a plain list says the submissions are."""
    kept: list[dict[str, Any]] = []
    for at, (event, *facts) in enumerate(history):
        if event == "rule":
            ledger.rule(**facts[0])
        elif event == "add":
            name, moment = facts[0].strip(), START + timedelta(minutes=facts[1])
            rules = ledger.book().rules
            counted = [one for one in kept if one["member"] == name and not one["withdrawn"]
                       and rules.day(one["at"]) == rules.day(moment) and not rules.is_free(one["at"])]
            full = rules.quota is not None and not rules.is_free(moment) and len(counted) >= rules.quota
            what = HandedIn(file=f"{at}.csv", sha256=str(at))
            if full and rules.beyond == "refuse":
                with pytest.raises(UsageError, match="beyond-quota"):
                    ledger.add(what, name, at=moment)
            else:
                _, warnings = ledger.add(what, name, at=moment)
                assert any(str(rules) in warning for warning in warnings) == full
                kept.append({"member": name, "at": moment, "public": None, "withdrawn": False, "note": ""})
        elif facts[0] <= len(kept):
            if event == "score":
                ledger.score(*facts)
                kept[facts[0] - 1]["public"] = facts[1]
            else:
                ledger.correct(facts[0], **facts[1])
                kept[facts[0] - 1].update({**facts[1], **({"member": facts[1]["member"].strip()}
                                                          if "member" in facts[1] else {})})
    return kept


@given(steps)
@FAST
def test_a_ledger_is_what_was_written_into_it(history: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.jsonl")
        kept = carried_out(ledger, history)
        found = ledger.book().submissions
        assert [one.number for one in found] == list(range(1, len(kept) + 1))
        assert [{name: getattr(one, name) for name in plain} for one, plain in zip(found, kept, strict=True)] == kept


@given(steps, st.data())
@FAST
def test_a_torn_last_line_is_as_if_it_were_never_written(history: list[Any], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.jsonl")
        carried_out(ledger, history)
        ledger.rule(beyond="warn")  # or a history that ends with no quota at all would refuse the last one
        before, content = ledger.book(), ledger.path.read_bytes()
        ledger.add(HandedIn(file="last.csv", sha256="last"), "kim", at=START + timedelta(days=9))
        whole = ledger.path.read_bytes()
        assert whole.startswith(content), "a ledger only grows"
        ledger.path.write_bytes(whole[: data.draw(st.integers(len(content), len(whole) - 1))])
        assert ledger.book() == before
        ledger.rule(zone="UTC")
        assert ledger.book().submissions == before.submissions
        assert ledger.path.read_bytes().startswith(content)


@given(st.sampled_from(["UTC", "Asia/Seoul", "America/St_Johns"]), st.sampled_from(["00:00", "09:30", "23:59"]),
       st.integers(0, 366 * 24 * 60))
@FAST
def test_a_day_begins_at_its_time_of_the_zone_and_moves_on_by_one(zone: str, begins: str, minute: int) -> None:
    rules, moment = Rules(zone=zone, begins=begins), START + timedelta(minutes=minute)
    assert (rules.day(moment + timedelta(days=7)) - rules.day(moment)).days in {6, 7, 8}
    assert 0 <= (rules.day(moment + timedelta(hours=1)) - rules.day(moment)).days <= 1
