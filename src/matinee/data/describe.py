"""What a data set is like, in numbers and in warnings: before a model is chosen, and in every report.

Everything is counted from the `Dataset`, so it is what models will see; what reading and cleaning met on
the way stands under `notes`. Cost: one sort of the events.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.columns import Categories, Features
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.data.sessions import DAY, GAP_HOURS, one_day_dumps, session_indptr

THRESHOLDS = (2, 10, 50, 200, 500, 1000)  # popularity below which items are counted
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def describe(dataset: Dataset) -> dict[str, Any]:
    """Facts about the data, JSON-able; shares lie in 0..1, times are ISO in UTC, absent things are None or left out."""
    log = dataset.log
    facts: dict[str, Any] = {
        "name": dataset.facts.name,
        "hash": dataset.hash,
        "users": dataset.n_users,
        "items": dataset.n_items,
        "events": len(log),
        "may_repeat": dataset.facts.repeats,
        "pairs": _pairs(log),
        "time": _time(log),
        "sessions": _sessions(log),
        "history": _history(log),
        "popularity": _popularity(log),
        "event_columns": {name: _event_column(column) for name, column in log.columns.items()},
        "item_side": _side(dataset.item_features, _events_of_items(log)),
        "user_side": _side(dataset.user_features, log.counts),
        "ids": {"users": _ids(dataset.users), "items": _ids(dataset.items)},
        "notes": dict(dataset.facts.notes),
    }
    facts["warnings"] = warnings(facts)
    return facts


def _events_of_items(log: Interactions) -> NDArray[np.int64]:
    return np.bincount(log.items, minlength=log.n_items)


def _pairs(log: Interactions) -> dict[str, Any]:
    """Distinct (user, item), and what stands in more than one event."""
    keys = log.users * np.int64(log.n_items) + log.items
    ordered = np.sort(keys)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    among = np.flatnonzero(np.isin(keys, again))  # few, so that these alone are sorted by time too
    keys, times = keys[among], log.times[among]
    order = np.lexsort((times, keys))
    same = (keys[order][1:] == keys[order][:-1]) & (times[order][1:] == times[order][:-1])
    pairs = len(log) - len(again)
    cells = log.n_users * log.n_items
    return {
        "distinct": pairs,
        "density": pairs / cells if cells else 0.0,
        "repeated_events": len(again),
        "repeated_share": _share(len(again), len(log)),
        "same_pair_same_time": int(same.sum()),
    }


def _time(log: Interactions) -> dict[str, Any] | None:
    """First and last moment, and how much of the order inside histories is known. None where times are unknown."""
    if not len(log) or not log.times.any():
        return None
    active = log.counts > 0
    starts, ends = log.indptr[:-1][active], log.indptr[1:][active] - 1
    spans = log.times[ends] - log.times[starts]
    users = log.users
    tie = (users[1:] == users[:-1]) & (log.times[1:] == log.times[:-1])
    tied = np.zeros(len(log), bool)
    tied[1:] |= tie
    tied[:-1] |= tie
    first, last = int(log.times.min()), int(log.times.max())
    several = log.counts[active] > 1  # one event has no order
    quick = int(one_day_dumps(log).sum())
    return {
        "first": _iso(first),
        "last": _iso(last),
        "days": (last - first) / DAY,
        "tied_events": int(tied.sum()),
        "tied_share": _share(int(tied.sum()), len(log)),
        "users_with_several_events": int(several.sum()),
        "users_within_one_day": quick,
        "users_within_one_day_share": _share(quick, int(several.sum())),
        "users_at_one_moment": int((spans[several] == 0).sum()),
        "span_days": _quantiles(spans / DAY),
    }


def _sessions(log: Interactions) -> dict[str, Any] | None:
    """Events a session, by the data's own sessions or by gaps. None where neither they nor times are known."""
    own = "session" in log.columns
    if not len(log) or not (own or log.times.any()):
        return None
    lengths = np.diff(session_indptr(log))
    return {
        "by": "the data" if own else "gap",
        "gap_hours": None if own else GAP_HOURS,
        "sessions": len(lengths),
        "of_one_event": int((lengths == 1).sum()),
        "of_one_event_share": _share(int((lengths == 1).sum()), len(lengths)),
        **_quantiles(lengths),
    }


def _history(log: Interactions) -> dict[str, Any]:
    """Events a user."""
    return {"users_without_events": int((log.counts == 0).sum()), **_quantiles(log.counts)}


def _popularity(log: Interactions) -> dict[str, Any]:
    """Events an item, and how unevenly they are spread."""
    counts = np.sort(_events_of_items(log))[::-1]
    n, total = len(counts), int(counts.sum())
    rising = np.arange(1, n + 1)
    gini = 2.0 * float(rising @ counts[::-1]) / (n * total) - (n + 1) / n if total else 0.0
    return {
        "items_without_events": int((counts == 0).sum()),
        "gini": gini,
        "top_1_percent_share": _share(int(counts[: -(-n // 100)].sum()), total),
        "top_10_percent_share": _share(int(counts[: -(-n // 10)].sum()), total),
        "items_under": {str(least): int((counts < least).sum()) for least in THRESHOLDS},
        **_quantiles(counts),
    }


def _event_column(column: NDArray[np.generic]) -> dict[str, Any]:
    """Coverage and range; every value with its count where there are few, as with ratings."""
    values = np.asarray(column, np.float64)
    known = values[~np.isnan(values)]
    facts: dict[str, Any] = {"known": len(known), "share": _share(len(known), len(values)), **_quantiles(known)}
    levels, counts = np.unique(known, return_counts=True)
    if 0 < len(levels) <= 20:
        facts["counts"] = {f"{level:g}": int(count) for level, count in zip(levels, counts, strict=True)}
    return facts


def _side(features: Features, events: NDArray[np.int64]) -> dict[str, Any]:
    """Coverage of every column by rows and by events; `events` (N,) of each row."""
    facts: dict[str, Any] = {}
    for name, column in features.columns.items():
        known = ~column.missing()
        facts[name] = {
            "kind": type(column).__name__.lower(),
            "rows": int(known.sum()),
            "share": _share(int(known.sum()), len(known)),
            "event_share": _share(int(events[known].sum()), int(events.sum())),
        }
        if isinstance(column, Categories):
            facts[name] |= {"labels": len(column.names), "labels_a_row": len(column.codes) / max(1, int(known.sum()))}
    return facts


def _ids(vocabulary: Vocabulary) -> dict[str, Any]:
    """Ids that are kept exactly as they are, but that people or other programs may take for something else."""
    raw = vocabulary.series
    plain = raw.str.strip_chars()
    looks = pl.DataFrame({"id": raw, "look": plain.str.normalize("NFC")})
    alike = looks.filter(pl.col("look").is_duplicated()).sort("look", "id")
    return {
        "blank_at_an_end": int((plain != raw).sum()),
        "alike": len(alike),
        "alike_examples": alike["id"].head(2).to_list(),
        "formula_start": int(raw.str.contains(r"^[=+\-@\t\r]").sum()),
    }


def warnings(facts: dict[str, Any]) -> list[str]:
    """What somebody should know before trusting figures made from this data, in words."""
    if not facts["events"]:
        return ["There are no events."]
    said = _time_warnings(facts["time"])
    again, median, rare = facts["pairs"]["repeated_events"], facts["history"]["median"], _rare(facts)
    if again and not facts["may_repeat"]:
        said.append(
            f"{again:,} events repeat a pair of user and item, and yet lists will hold nothing seen: "
            "set `duplicates: last`, or `repeats: true` if watching again is normal."
        )
    if median < 5:
        said.append(
            f"Half of the users have {median:g} events or fewer: "
            "expect wide intervals, and popularity to be hard to beat."
        )
    if rare > 0.5 * facts["items"]:
        said.append(
            f"{rare:,} of {facts['items']:,} items have fewer than 10 events: `min_item_events` would drop them."
        )
    return said + _side_warnings(facts) + _id_warnings(facts)


def _rare(facts: dict[str, Any]) -> int:
    return int(facts["popularity"]["items_under"]["10"])


def _time_warnings(time: dict[str, Any] | None) -> list[str]:
    if time is None:
        return ["No times: order means nothing, so splits by time and models of sequences cannot be used."]
    said = []
    if time["users_within_one_day_share"] > 0.2:
        said.append(
            f"{time['users_within_one_day_share']:.0%} of the users with several events did everything within one day: "
            "their order is the order of typing in, and says little about what comes next."
        )
    if time["tied_share"] > 0.05:
        said.append(
            f"{time['tied_share']:.0%} of the events share their second with another of the same user: "
            "ties keep the order of the file."
        )
    return said


def _side_warnings(facts: dict[str, Any]) -> list[str]:
    return [
        f"{whose.capitalize()} column {name!r} is known for {column['share']:.0%} of the {whose}s only "
        f"({column['event_share']:.0%} of the events)."
        for whose in ("item", "user")
        for name, column in facts[f"{whose}_side"].items()
        if column["share"] < 0.5
    ]


def _id_warnings(facts: dict[str, Any]) -> list[str]:
    said = []
    for whose, ids in facts["ids"].items():
        if ids["blank_at_an_end"]:
            said.append(f"{ids['blank_at_an_end']:,} ids of {whose} begin or end with a blank; they are kept so.")
        if ids["alike"]:
            said.append(f"{ids['alike']:,} ids of {whose} differ only in blanks or in how their letters are encoded, "
                        f"such as {ids['alike_examples']!a}; they are kept apart.")
        if ids["formula_start"]:
            said.append(f"{ids['formula_start']:,} ids of {whose} begin with = + - @ or a control character: "
                        "files keep them exactly, a spreadsheet may run them as formulas.")
    return said


def _quantiles(values: NDArray[np.number[Any]]) -> dict[str, Any]:
    """min, 5 %, 25 %, median, 75 %, 95 %, max and mean; empty for no values."""
    if not len(values):
        return {"min": 0.0, "q05": 0.0, "q25": 0.0, "median": 0.0, "q75": 0.0, "q95": 0.0, "max": 0.0, "mean": 0.0}
    low, first, middle, third, high = (float(q) for q in np.quantile(values, QUANTILES))
    return {"min": float(values.min()), "q05": low, "q25": first, "median": middle, "q75": third, "q95": high,
            "max": float(values.max()), "mean": float(values.mean())}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _iso(seconds: int) -> str:
    return str(np.datetime64(seconds, "s")) + "Z"
