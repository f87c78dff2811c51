"""Measure again what a run stored, or lists and a truth from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from matinee.contract import Run
from matinee.data.aliases import column_of
from matinee.data.columns import Features
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.data.reading import read_text
from matinee.data.source import Reading
from matinee.ensemble.external import read_lists
from matinee.errors import ModelError
from matinee.evaluation.compare import Comparison, compare_all
from matinee.evaluation.evaluate import Row, evaluate
from matinee.experiment.answer import Answers
from matinee.experiment.figures import rows_of, values_of
from matinee.experiment.folder import RunFolder
from matinee.split.parts import Truth


def measure_again(folder: RunFolder) -> list[dict[str, Any]]:
    """The rows of metrics.json, computed anew from stored lists and the stored split."""
    answers = Answers(folder)
    wanted = answers.experiment.evaluate
    ids = dict.fromkeys(row["id"] for row in folder.metrics)
    return [
        row
        for id_ in ids
        for stage in answers.measured.values()
        for row in rows_of(folder, id_, stage, wanted.metrics, wanted.segments, answers.experiment.seed)
    ]


def apart(rows: Sequence[dict[str, Any]], stored: Sequence[dict[str, Any]]) -> list[str]:
    """Where two sets of rows differ in any bit, in words."""

    def name(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["id"], row["part"], row["segment"], row["metric"]

    old = {name(row): row for row in stored}
    return [
        f"{' '.join(str(part) for part in name(row) if part)}: {old.get(name(row), {}).get('value')} stored, "
        f"{row['value']} now"
        for row in rows
        if old.get(name(row)) != row
    ]


def measure_files(lists: Path, truth: Path, metrics: Sequence[str]) -> list[Row]:
    """Figures of lists from a file (user, item and rank or score) against hidden items from a file (user, item).

    Users of the truth who have no list score 0 and count. Raises DataError where a file is not such a table.
    """
    table = read_text(truth, separator=",", header=None, encoding=None, reading=Reading())
    raw_users, raw_items = table.ids(column_of(table, "user")), table.ids(column_of(table, "item"))
    users, items = Vocabulary.of(raw_users), Vocabulary.of(raw_items)
    hidden = Interactions.from_events(
        users.encode(raw_users), items.encode(raw_items), n_users=len(users), n_items=len(items)
    )
    pairs = hidden.matrix()
    answer = Truth(
        np.arange(len(users)),
        pairs.indptr.astype(np.int64),
        pairs.indices.astype(np.int32),
        np.zeros(pairs.nnz, np.int8),
    )
    given, _ = read_lists(lists, users, items)
    nothing = Interactions.empty(len(users), len(items))
    return evaluate(
        given,
        answer,
        metrics=metrics,
        segments=(),
        given=nothing,
        fit=nothing,
        item_features=Features(len(items)),
        seed=Run().seed,
    )


def compare_entries(
    entries: Sequence[tuple[RunFolder, str | None]], metric: str, part: str
) -> dict[tuple[str, str], Comparison]:
    """Every pair of the entries (all of a run's where its entry is None), corrected for the number of pairs.

    Raises ModelError where runs were measured on different splits: such figures cannot be compared.
    """
    first = entries[0][0]
    values, read = {}, {folder.path: Answers(folder) for folder, _ in entries}
    for folder, id_ in entries:
        if folder.manifest["split"]["hash"] != first.manifest["split"]["hash"] or (
            folder.manifest["data"]["hash"] != first.manifest["data"]["hash"]
        ):
            raise ModelError(
                "other-split",
                f"{folder.id} and {first.id} were measured on different splits",
                "figures of different splits cannot be compared; run both on one",
                folder.path,
            )
        stage = read[folder.path].measured.get(part)
        if stage is None:
            raise ModelError("no-stage", f"{folder.id} has no {part} part", "its split has only test", folder.path)
        ids = [id_] if id_ else list(dict.fromkeys(row["id"] for row in folder.metrics))
        alone = len({run.id for run, _ in entries}) == 1
        for one in ids:
            values[one if alone else f"{folder.id}/{one}"] = values_of(folder, one, stage, metric)
    return compare_all(values, seed=0)
