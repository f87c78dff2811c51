"""`matinee data features`: the features that an experiment may name, and how much of a data set each covers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matinee.cli import terminal
from matinee.cli.reading_data import (
    EncodingOption,
    LayoutOption,
    SetOption,
    SideOption,
    degraded,
    load,
    settings,
    within,
)

if TYPE_CHECKING:
    from matinee.data.dataset import Dataset


def features(
    path: Annotated[
        str | None, typer.Argument(metavar="[PATH]", help="A data set, to see what each feature covers of it.")
    ] = None,
    layout: LayoutOption = None,
    side: SideOption = None,
    set_: SetOption = None,
    encoding: EncodingOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
) -> None:
    """Name, scope and kind of each feature that a model entry may name; with PATH, how much of the data it knows.

    Any column of the side files is one as well: user:NAME, item:NAME.

    matinee data features data/ml-1m --side data/boostcamp/train
    """
    from matinee.features.registry import feature, names

    dataset = None
    if path is not None:
        chosen, _ = settings(path, layout, side, encoding, [within("data", text) for text in set_ or ()])
        dataset = load(chosen, "refuse", "1%", "rejects.csv")
    rows: list[dict[str, Any]] = []
    for name in names():
        one = feature(name)
        rows.append({"name": name, "scope": one.scope, "kind": one.kind, "about": one.doc})
        if dataset is not None:
            rows[-1]["known"] = _covered(name, dataset)
    if as_json:
        terminal.say(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for row in rows:
            terminal.say(_line(row))
    if dataset is not None:
        degraded(dataset)


def _line(row: dict[str, Any]) -> str:
    known = ""
    if "known" in row:
        known = "      - " if row["known"] is None else f"{row['known']:>7.1%} "
    return f"{row['name']:<22} {row['scope']:<5} {row['kind']:<10} {known}{row['about']}"


def _covered(name: str, dataset: Dataset) -> float | None:
    """The share of users or items, or of users with their newest item; None where the data lack what it needs."""
    import numpy as np

    from matinee.errors import DataError
    from matinee.features.feature import COLUMN
    from matinee.features.fitted import OF_THE_LOG, everybody, learn
    from matinee.features.registry import feature

    try:
        known = learn(name, dataset)
    except DataError:
        return None
    one = feature(name)
    if one.of_pairs is None:
        missing = known[COLUMN if one.scope == "item" else OF_THE_LOG].missing()
    else:
        users = np.flatnonzero(dataset.log.counts)[:1000]
        newest = dataset.log.items[dataset.log.indptr[1:][users] - 1]
        missing = np.isnan(one.of_pairs(known, everybody(dataset).take(users), newest[:, None]))
    return float(1 - missing.mean()) if missing.size else 0.0
