"""What runs came to: the figures of their entries, best first, and how what was expected turned out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee.config import expectation
from matinee.evaluation.compare import Comparison
from matinee.evaluation.names import is_per_user, parse
from matinee.experiment.folder import THOUGHTS, RunFolder, runs_in
from matinee.experiment.measure import compare_entries
from matinee.experiment.own_copies import model_names


@dataclass(frozen=True)
class Entry:
    """One model or ensemble of a run, as it was measured."""

    run: RunFolder
    id: str
    figures: Mapping[str, Mapping[str, Any]]
    """Per metric the row of metrics.json: value, low, high, users."""


@dataclass(frozen=True)
class Answer:
    """One entry against another; str() is a line of words."""

    one: str
    other: str
    metric: str
    found: Comparison
    expected: float | None
    among: int = 2
    """Entries that were compared, where it is these two because of how they came out: then p is corrected for all."""

    def __str__(self) -> str:
        found = self.found
        shown = f"{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
        against = f"{self.metric}: {self.one} over {self.other} {shown}"
        if self.expected is None:
            return f"{against}, {found.verdict}" + (f", the best two of {self.among}" if self.among > 2 else "")
        return f"{against}, {self.expected:+g} was expected: {self.verdict}"

    @property
    def verdict(self) -> str:
        """As expected, where the interval holds the number; but an interval that holds 0 as well tells nothing."""
        assert self.expected is not None
        if self.found.low <= self.expected <= self.found.high:
            return "cannot tell" if self.found.low <= 0 <= self.found.high else "as expected"
        return "more than expected" if self.found.low > self.expected else "less than expected"


def standing(folder: RunFolder, part: str = "test", by: str | None = None) -> list[Entry]:
    """The entries of a run, best first by the metric `by`, the first of the experiment's unless told."""
    figures: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in folder.metrics:
        if row["part"] == part and row["segment"] is None:
            figures.setdefault(row["id"], {})[row["metric"]] = row
    entries = [Entry(folder, id_, own) for id_, own in figures.items()]
    by = by or next((metric for own in figures.values() for metric in own), "")
    return best_first([entry for entry in entries if by in entry.figures], by)


def best_first(entries: Sequence[Entry], by: str) -> list[Entry]:
    """Entries without the metric, or without a figure of it, come last."""
    def order(entry: Entry) -> float:
        value = entry.figures.get(by, {}).get("value")
        return float("inf") if value is None else -float(value)

    return sorted(entries, key=order)


def answer(folder: RunFolder, part: str = "test") -> Answer | None:
    """What `expect: +0.005 recall@10 [ONE over OTHER]` came to; without names the entry listed last over the first.

    Where nothing was expected in numbers: the best entry over the second, which is known only after all were looked at,
    and so is told as one of all comparisons. None where there are no two to compare.
    """
    entries = standing(folder, part)
    stated = expectation(folder.thoughts.get("expect", ""))
    config = folder.manifest["config"]
    listed = [entry["id"] for entry in (*config["models"], *config["ensembles"])]
    if stated is not None:
        pair = [stated.one or listed[-1], stated.other or listed[0]]
        metric, expected = stated.metric, stated.by
    else:
        pair = [entry.id for entry in entries[:2]]
        metric, expected = next(iter(entries[0].figures)) if entries else "", None
    if len(set(pair)) < 2 or not set(pair) <= {entry.id for entry in entries} or not is_per_user(parse(metric)):
        return None
    compared = pair if stated is not None else [entry.id for entry in entries]
    found = compare_entries([(folder, id_) for id_ in compared], metric, part)[pair[0], pair[1]]
    return Answer(pair[0], pair[1], metric, found, expected, len(compared))


def thoughts_and_answer(folder: RunFolder, part: str = "test") -> dict[str, str]:
    """What was asked, expected, found and concluded, in this order, as far as it was."""
    found = answer(folder, part)
    said = {**folder.thoughts, **({"answer": str(found)} if found else {})}
    return {what: said[what] for what in ("question", "expect", "answer", "conclusion") if what in said}


def finished(runs: Path) -> list[RunFolder]:
    """Every run below `runs` that has figures, newest first."""
    measured = [folder for folder in runs_in(runs) if (folder.path / "metrics.json").is_file()]
    return sorted(measured, key=lambda folder: (folder.manifest["made"], folder.id), reverse=True)


def chosen(folders: Sequence[RunFolder], *, name: str = "", model: str = "", data: str = "") -> list[RunFolder]:
    """Those whose experiment's name holds `name`, that have the model, and whose data path or hash is such."""
    def fits(folder: RunFolder) -> bool:
        config = folder.manifest["config"]
        is_data = data in config["data"]["path"] or (data and folder.manifest["data"]["hash"].startswith(data))
        return name in config["name"] and (not model or model in model_names(config["models"])) and bool(is_data)

    return [folder for folder in folders if fits(folder)]


def unlike(folders: Sequence[RunFolder]) -> dict[str, list[str]]:
    """What differs between runs: a key, or a fact of its manifest, and the value of each run."""
    plain = [{**dict(_flat(_thoughtless(folder))), **_facts(folder)} for folder in folders]
    keys = dict.fromkeys(key for one in plain for key in one)
    found = {key: [one.get(key, "") for one in plain] for key in keys}
    return {key: values for key, values in found.items() if len(set(values)) > 1}


def _thoughtless(folder: RunFolder) -> dict[str, Any]:
    return {key: value for key, value in folder.manifest["config"].items() if key not in (*THOUGHTS, "name")}


def _facts(folder: RunFolder) -> dict[str, str]:
    manifest = folder.manifest
    return {"data hash": manifest["data"]["hash"][:12], "split hash": manifest["split"]["hash"][:12],
            "commit": str(manifest["code"]["commit"])[:12], "code": manifest["code"]["package"][:12],
            "threads": str(manifest["threads"])}


def _flat(value: Any, trail: str = "") -> Iterator[tuple[str, str]]:
    """Keys with dots; entries by their id."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{trail}.{key}".lstrip("."))
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) and "id" in one for one in value):
        for one in value:
            yield from _flat({key: inner for key, inner in one.items() if key != "id"}, f"{trail}.{one['id']}")
    else:
        yield trail, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
