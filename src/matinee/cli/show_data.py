"""The description of a data set on the terminal: a few small tables, then the warnings in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matinee.cli import terminal

Facts = dict[str, Any]

QUANTILES = {"min": "min", "q05": "5 %", "q25": "25 %", "median": "median", "q75": "75 %", "q95": "95 %", "max": "max",
             "mean": "mean"}  # fmt: skip


def show(facts: Facts) -> None:
    """Print what `describe` found."""
    terminal.table("", (facts["name"], ""), _counts(facts))
    _table("how much of each", ("", *QUANTILES.values()), _quantiles(facts))
    popularity = facts["popularity"]
    rows = [(f"items with fewer than {least} events", _number(count), _percent(count / max(1, facts["items"])))
            for least, count in popularity["items_under"].items()]  # fmt: skip
    _table("rare items", ("", "items", "share"), rows)
    for name, column in facts["event_columns"].items():
        if "counts" in column:
            counts, known = column["counts"], column["known"]
            shares = [(value, _number(count), _percent(count / known)) for value, count in counts.items()]
            _table(f"events by {name}", (name, "events", "share"), shares)
    _side(facts)
    for joined in facts["notes"].get("joined", []):
        _joined(joined)
    notes = [(_words(name), _told(value)) for name, value in facts["notes"].items() if name != "joined"]
    terminal.table("", ("met while reading and cleaning", ""), notes)
    for warning in facts["warnings"]:
        terminal.say(f"! {warning}")


def _counts(facts: Facts) -> list[tuple[str, str]]:
    pairs, time, popularity = facts["pairs"], facts["time"], facts["popularity"]
    rows = [
        ("users", _number(facts["users"])),
        ("items", _number(facts["items"])),
        ("events", _number(facts["events"])),
        ("density", f"{pairs['density']:.3%} of all pairs"),
        ("events that repeat a pair", _count(pairs["repeated_events"], pairs["repeated_share"])),
        ("of them at the same second", _number(pairs["same_pair_same_time"])),
        ("lists may hold seen items", "yes" if facts["may_repeat"] else "no"),
    ]
    if time is not None:
        rows += [
            ("first and last event", f"{time['first']}  {time['last']}  ({_number(round(time['days']))} days)"),
            ("events that share their second", _count(time["tied_events"], time["tied_share"])),
            ("users with several events", _number(time["users_with_several_events"])),
            ("of them within one day", _count(time["users_within_one_day"], time["users_within_one_day_share"])),
            ("of them at one moment", _number(time["users_at_one_moment"])),
        ]
    sessions = facts["sessions"]
    if sessions is not None:
        by = "as the data has them" if sessions["by"] == "the data" else f"by gaps over {sessions['gap_hours']:g} hours"
        rows += [
            ("sessions", f"{_number(sessions['sessions'])}  ({by}; half have {sessions['median']:g} events or fewer)"),
            ("of them with one event", _count(sessions["of_one_event"], sessions["of_one_event_share"])),
        ]
    return rows + [
        ("users without events", _number(facts["history"]["users_without_events"])),
        ("items without events", _number(popularity["items_without_events"])),
        ("most popular 1 % of items have", f"{_percent(popularity['top_1_percent_share'])} of the events"),
        ("most popular 10 % have", f"{_percent(popularity['top_10_percent_share'])} (Gini {popularity['gini']:.3f})"),
        ("hash", facts["hash"]),
    ]


def _quantiles(facts: Facts) -> list[tuple[str, ...]]:
    measured = {"events a user": facts["history"], "events an item": facts["popularity"]}
    if facts["sessions"] is not None:
        measured["events a session"] = facts["sessions"]
    if facts["time"] is not None:
        measured["days a user is active"] = facts["time"]["span_days"]
    measured |= {name: column for name, column in facts["event_columns"].items() if name != "session"}
    return [(name, *(_short(found[key]) for key in QUANTILES)) for name, found in measured.items()]


def _side(facts: Facts) -> None:
    rows = [
        (f"{whose} {name}", column["kind"], _number(column["rows"]), _percent(column["share"]),
         _percent(column["event_share"]), _number(column["labels"]) if "labels" in column else "",
         f"{column['labels_a_row']:.2f}" if "labels" in column else "")
        for whose in ("item", "user")
        for name, column in facts[f"{whose}_side"].items()
    ]  # fmt: skip
    columns = ("", "kind", "known", "share", "of events", "labels", "labels each")
    if rows:
        _table("side information", columns, rows, left=2)


def _joined(joined: Facts) -> None:
    for whose in ("items", "users"):
        found = joined.get(whose)
        if not found:
            continue
        rows = [(f"{whose} in both", found["shared"], found)]
        rows += [(name, column["known"], column) for name, column in found["columns"].items()]
        shown = [(name, _number(n), _percent(part["share"]), _percent(part["event_share"])) for name, n, part in rows]
        _table(f"joined from {joined['from']}", ("", "known", "share", "of events"), shown)
        if found.get("titles_apart"):
            example = found["titles_apart_examples"][0]
            terminal.say(f"{found['titles_apart']:,} of {found['titles_compared']:,} titles begin differently, such as "
                         f"{example['ours']!r} and {example['theirs']!r}.\n")  # fmt: skip


def _told(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, dict):
        return ", ".join(f"{_words(name)} {_told(inner)}" for name, inner in value.items())
    if isinstance(value, int):
        return _number(value)
    return ", ".join(map(_told, value)) if isinstance(value, list | tuple) else str(value)


def _table(title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]], left: int = 1) -> None:
    """A table whose columns from position `left` stand to the right."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    padded = [tuple(cell if at < left else cell.rjust(widths[at]) for at, cell in enumerate(row))
              for row in (columns, *rows)]  # fmt: skip
    terminal.table(title, padded[0], padded[1:])


def _words(name: str) -> str:
    return name.replace("_", " ")


def _short(value: float) -> str:
    return f"{value:.4g}" if value < 1000 else _number(round(value))


def _number(value: int) -> str:
    return f"{value:,}"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _count(count: int, share: float) -> str:
    return f"{_number(count)} ({_percent(share)})"
