"""The page of one search, made from its folder alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from markupsafe import Markup

from matinee import durable
from matinee.report.page import rendered
from matinee.tune.study import FEWEST


def write_page(folder: Path) -> None:
    """tune.html beside tune.json, where matplotlib is installed."""
    if not find_spec("matplotlib"):
        return
    found = json.loads((folder / "tune.json").read_text())
    tuned = folder / "tuned.yaml"
    rows = sorted(found["models"], key=lambda row: -(row["best"]["value"] if row["best"] else -1.0))
    content = {**found, "rows": rows, "models": [_model(row, found["metric"]) for row in rows],
               "tuned": tuned.read_text() if tuned.is_file() else "", "file": str(tuned)}
    durable.write_text(folder / "tune.html", rendered("search.html", content))


def _model(row: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """One model's pictures and settings."""
    from matinee.report import search_pictures as pictures

    shares = row["importances"]
    order = [*sorted(shares, key=lambda name: -shares[name]), *(name for name in row["search"] if name not in shares)]
    fields = order[: pictures.MOST_FIELDS]
    finished = sum(trial["state"] == "done" for trial in row["trials"])
    written = row["trials"][0]["settings"] if row["trials"] else {}
    best = row["best"]["settings"] if row["best"] else {}
    return {
        **row,
        "history": Markup(pictures.history(row["trials"], metric)) if row["trials"] else None,
        "shares": Markup(pictures.importances(shares)) if shares else None,
        "unsaid": _unsaid(finished) if finished and not shares else None,
        "fields": Markup(pictures.by_field(row["trials"], row["search"], fields, metric)) if finished else None,
        "drawn": _drawn(len(fields), len(order), ranked=bool(shares)),
        "settings": [(name, _plain(written.get(name)), _plain(best.get(name)), _space(row["search"][name]))
                     for name in order],
        "failures": [(trial["number"], trial["why"]) for trial in row["trials"] if trial["state"] == "failed"],
    }


def _unsaid(finished: int) -> str:
    """Why it is not told which fields mattered."""
    if finished < FEWEST:
        return f"too few to say: {finished} {'trial has' if finished == 1 else 'trials have'} finished, of {FEWEST} " \
               "that it takes"
    return "nothing was searched that could be told apart"


def _drawn(shown: int, all_: int, *, ranked: bool) -> str:
    """Which of the fields have a picture, and in what order."""
    if shown == all_:
        return f"each of its settings{', those that matter most first' if ranked else ''}"
    return f"the {shown} of {all_} settings that {'matter most' if ranked else 'come first in the table'}"


def _space(space: Any) -> str:
    if isinstance(space, Mapping):
        return f"{space['low']:g} to {space['high']:g}{', by logarithm' if space.get('log') else ''}"
    return ", ".join(map(_plain, space))


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
