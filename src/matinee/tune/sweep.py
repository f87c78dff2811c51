"""A small grid: every cell a run of its own, found again where it is done, and one table of all against `expect`.

The first cell is the one that others are compared with, user by user. Cells are for reading: to choose among them look
at valid, and then at the one test figure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.config import Experiment, as_overrides, cells, expectation, experiment_from, overridden
from matinee.errors import ConfigError, DataError, ModelError
from matinee.evaluation.compare import LEVEL, Comparison, holm
from matinee.experiment import fingerprint
from matinee.experiment.folder import RunFolder
from matinee.experiment.measure import compare_entries
from matinee.experiment.standing import Answer, answer, standing

PARTS = ("valid", "test")


@dataclass(eq=False)
class Cell:
    """One combination, and the run that it is."""

    values: Mapping[str, Any]
    experiment: Experiment
    run: RunFolder | None = None
    error: str | None = None

    def plain(self, metric: str) -> dict[str, Any]:
        figures = {part: _figures(self.run, part, metric) for part in PARTS}
        ids = list(dict.fromkeys(id_ for part in PARTS for id_ in figures[part]))
        return {
            "values": dict(self.values),
            "run": self.run.id if self.run else None,
            "error": self.error,
            "seconds": round(sum(row["seconds"] for row in self.run.timings), 1) if self.run else None,
            "figures": {id_: {part: figures[part].get(id_) for part in PARTS} for id_ in ids},
        }


@dataclass(eq=False)
class Sweep:
    experiment: Experiment
    metric: str
    folder: Path
    all: list[Cell] = field(default_factory=list)
    compared: dict[tuple[str, str], Comparison | None] = field(default_factory=dict)
    """What a run's entry is against the first cell's, by run and entry: found once, and not again after each cell."""

    def write(self) -> None:
        """sweep.json, of the cells that are through."""
        through = [cell for cell in self.all if cell.run or cell.error]
        rows = [cell.plain(self.metric) for cell in through]
        against = self._against_first([cell for cell in through if cell.run])
        stated = expectation(self.experiment.expect or "")
        stated = stated if stated and stated.metric == self.metric else None
        for cell, row in zip(through, rows, strict=True):
            row["differences"] = {}
            for id_, found in against.get(id(cell), {}).items():
                by = stated.by if stated and stated.one is None else None
                told = Answer(id_, "the first cell", self.metric, found, by)
                row["differences"][id_] = {**vars(found), "against_expected": _verdict(told)}
            row["answer"] = str(answer(cell.run)) if cell.run and stated and stated.one else None
        durable.write_json(self.folder / "sweep.json", {
            "format": 1,
            "sweep": self.folder.name,
            "metric": self.metric,
            "keys": list(self.experiment.sweep),
            "thoughts": {name: getattr(self.experiment, name) for name in ("question", "expect", "conclusion")},
            "cells": rows,
            "to_come": len(self.all) - len(through),
            "alike": _alike(rows),
            "config": self.experiment.resolved(),
            "code": fingerprint.code_state(),
        })

    def _against_first(self, through: Sequence[Cell]) -> dict[int, dict[str, Comparison]]:
        """Of each later cell, by entry: its test figures against the first cell's; corrected over all of them.

        An entry that the first cell does not have is left out, and so is a cell on another split.
        """
        found: list[tuple[int, str, Comparison]] = []
        for cell in through[1:]:
            first, run = through[0].run, cell.run
            assert first is not None
            assert run is not None
            here, there = ({entry.id for entry in standing(one, "test", self.metric)} for one in (run, first))
            for id_ in sorted(here & there) if first.id != run.id else []:
                if (run.id, id_) not in self.compared:
                    self.compared[run.id, id_] = _over(run, first, id_, self.metric)
                if (one := self.compared[run.id, id_]) is not None:
                    found.append((id(cell), id_, one))
        told: dict[int, dict[str, Comparison]] = {}
        for (cell_id, id_, one), p in zip(found, holm([one.p for _, _, one in found]), strict=True):
            sure = one.verdict if p < LEVEL else "cannot tell"
            told.setdefault(cell_id, {})[id_] = replace(one, p=p, verdict=sure)
        return told


def sweep(
    experiment: Experiment,
    runs: Path,
    *,
    carry_out: Callable[[Experiment], RunFolder],
    say: Callable[[str], None],
    shown: Callable[[Path], None],
) -> Path:
    """Every cell of `experiment.sweep` by `carry_out`; the folder with sweep.json, which is new after each cell.

    A cell that its data or model refuses is told and left out; `shown` is called with the folder after each.
    """
    stated = expectation(experiment.expect or "")
    metrics = experiment.evaluate.metrics
    metric = stated.metric if stated and stated.metric in metrics else metrics[0]
    decides = [experiment.identity(), dict(experiment.sweep), experiment.expect, fingerprint.package_hash()]
    folder = runs / f"{experiment.name}-sweep-{fingerprint.digest(decides)[:8]}"
    found = Sweep(experiment, metric, folder, [Cell(values, one) for values, one in experiments(experiment)])
    with durable.lock(folder):
        durable.sweep(folder)
        for number, cell in enumerate(found.all, 1):
            say(f"cell {number}/{len(found.all)}: {in_words(cell.values)}")
            try:
                cell.run = carry_out(cell.experiment)
            except (ConfigError, DataError, ModelError) as error:
                cell.error = str(error)
                say(f"  failed: {error}")
            else:
                say(f"  {_told(cell.run, metric)}")
            found.write()
            shown(folder)
    return folder


def experiments(experiment: Experiment) -> list[tuple[dict[str, Any], Experiment]]:
    """Each cell and the experiment that it is. Raises ConfigError for one that cannot be."""
    plain = {key: value for key, value in experiment.resolved().items() if key != "sweep"}
    made = []
    for values in cells(experiment.sweep):
        try:
            made.append((values, experiment_from(overridden(plain, as_overrides(values)), experiment.base)))
        except ConfigError as error:
            raise ConfigError(error.code, f"sweep, {in_words(values)}: {error.what}", error.way) from None
    return made


def in_words(values: Mapping[str, Any]) -> str:
    """`ease.l2 = 300, seed = 1`"""
    return ", ".join(f"{short(key)} = {as_text(value)}" for key, value in values.items())


def as_text(value: Any) -> str:
    """One value of a grid."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def short(key: str) -> str:
    return key.removeprefix("models.")


def _figures(run: RunFolder | None, part: str, metric: str) -> dict[str, Any]:
    """By entry: value, low, high."""
    entries = standing(run, part, metric) if run else []
    return {entry.id: {name: entry.figures[metric][name] for name in ("value", "low", "high")} for entry in entries}


def _told(run: RunFolder, metric: str) -> str:
    entries = standing(run, "test", metric)
    figures = [f"{entry.id} {entry.figures[metric]['value']:.4f}" for entry in entries]
    return f"{metric} on test: {', '.join(figures) or 'no figure'}"


def _over(run: RunFolder, first: RunFolder, id_: str, metric: str) -> Comparison | None:
    """None on another split, or for a metric that no user has a value of."""
    try:
        (one,) = compare_entries([(run, id_), (first, id_)], metric, "test").values()
    except (ModelError, ConfigError):
        return None
    return one


def _verdict(told: Answer) -> str | None:
    """None where nothing was expected of a cell; and what cannot be told from the first, among so many, is not met."""
    if told.expected is None:
        return None
    return "cannot tell" if (told.verdict, told.found.verdict) == ("as expected", "cannot tell") else told.verdict


def _alike(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Entries that the grid does not change."""
    done = [row["figures"] for row in rows if row["run"]]
    ids = dict.fromkeys(id_ for figures in done for id_ in figures)
    return [id_ for id_ in ids if len(done) > 1 and all(figures.get(id_) == done[0].get(id_) for figures in done)]
