"""The page of one run: one file, readable offline, made from the run folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from markupsafe import Markup

from matinee import durable
from matinee.ensemble.overlap import overlap
from matinee.evaluation.compare import ALONE, Comparison, compare_all
from matinee.evaluation.names import is_per_user, parse
from matinee.evaluation.sanity import warnings
from matinee.experiment.answer import Answers
from matinee.experiment.figures import stored_lists, values_of
from matinee.experiment.folder import THOUGHTS, RunFolder
from matinee.experiment.standing import answer, standing
from matinee.report import pictures
from matinee.report.latent import HEIGHT, WIDTH, Catalogue
from matinee.report.page import rendered
from matinee.report.second_stages import second_stages

SAMPLE_USERS = 4
MOST_MAPS = 4
COUNTED = {
    "fit_events": "events to learn from",
    "given_events": "events known when lists are asked for",
    "users": "users asked for",
    "users_new_to_fit": "of them without an event to learn from",
    "users_without_history": "of them without a known event",
    "users_with_nothing_hidden": "users of whom nothing is hidden",
    "hidden_items": "hidden pairs of user and item",
    "hidden_tail": "of them at the end of a history",
    "hidden_gap": "of them in the middle",
    "cold_hidden_items": "of them with an item that nothing is learnt of",
    "cold_items": "such items",
}
"""What a split counts of each part, in words and in the order of the page."""


def write_report(folder: RunFolder) -> None:
    """Write report.html. Raises ModelError where the run has not come that far."""
    durable.write_text(folder.path / "report.html", rendered("run.html", Page(folder).content()))


@dataclass(frozen=True)
class Page:
    folder: RunFolder

    def content(self) -> dict[str, Any]:
        """Everything that the template shows."""
        manifest = self.folder.manifest
        dataset = self.folder.dataset
        answers = Answers(self.folder)
        ids, metrics = self._order(), manifest["config"]["evaluate"]["metrics"]
        stage = answers.measured["test"]
        return {
            "run": self.folder.id,
            "manifest": manifest,
            "config": manifest["config"],
            "thoughts": dict.fromkeys(THOUGHTS) | self.folder.thoughts,
            "facts": manifest["data"]["facts"],
            "warnings": self._warnings(ids, answers),
            "answer": answer(self.folder),
            "split_counts": self._split_counts(),
            "metrics": metrics,
            "rows": [
                (
                    id_,
                    [self._figure("test", None, id_, metric) for metric in metrics],
                    self._figure("valid", None, id_, metrics[0]),
                )
                for id_ in ids
            ],
            "leader": ids[0] if ids else None,
            "alone": ALONE,
            "verdicts": self._verdicts(ids, metrics[0], answers),
            "leaderboard": Markup(pictures.leaderboard(self._dots(ids, metrics[0]), metrics[0])),
            "segments": [Markup(picture) for picture in self._segments(ids, metrics[0])],
            "overlap": Markup(
                pictures.overlap(ids, overlap([stored_lists(self.folder, id_, stage, 10) for id_ in ids], 10))
            ),
            "times": Markup(self._times(ids)),
            "peak": max((row["peak_mb"] for row in self.folder.timings), default=0.0),
            "seconds": sum(row["seconds"] for row in self.folder.timings),
            "glance": Markup(
                pictures.log_at_a_glance(dataset.log.times, dataset.log.counts, dataset.log.item_counts())
            ),
            **self._maps(ids, answers),
            "second_stages": second_stages(self.folder, answers, ids),
            "samples": self._samples(ids[0], answers) if ids else [],
            "users": self._figure("test", None, ids[0], metrics[0])["users"] if ids else 0,
            "submissions": sorted(path.name for path in (self.folder.path / "submission").glob("*.csv")),
        }

    def _warnings(self, ids: Sequence[str], answers: Answers) -> list[str]:
        """What the data, the split and the lists themselves make a reader doubt."""
        stage = answers.measured["test"]
        assert stage.truth is not None
        personal = {entry.id: entry.recipe.personal for entry in answers.experiment.models}
        of_lists = [
            f"{id_}: {warning}"
            for id_ in ids
            for warning in warnings(stored_lists(self.folder, id_, stage, 10), stage.truth, stage.given,
                                    repeats=stage.fit.facts.repeats, personal=personal.get(id_, True))
        ]
        manifest = self.folder.manifest
        return [*manifest["data"]["facts"]["warnings"], *manifest["split"]["notes"].get("warnings", []), *of_lists]

    def _split_counts(self) -> list[tuple[str, list[int]]]:
        """In words, of each stage."""
        split = self.folder.manifest["split"]
        return [(words, [split["notes"][stage][key] for stage in split["stages"]])
                for key, words in COUNTED.items() if key in split["notes"]["test"]]

    def _order(self) -> list[str]:
        """Entries, best first by the first metric on test."""
        return [entry.id for entry in standing(self.folder)]

    def _rows(self, part: str, segment: str | None) -> list[dict[str, Any]]:
        return [row for row in self.folder.metrics if row["part"] == part and row["segment"] == segment]

    def _figure(self, part: str, segment: str | None, id_: str, metric: str) -> dict[str, Any]:
        found = [row for row in self._rows(part, segment) if row["id"] == id_ and row["metric"] == metric]
        return found[0] if found else {"value": None, "low": None, "high": None, "users": 0}

    def _dots(self, ids: Sequence[str], metric: str) -> list[Mapping[str, Any]]:
        ensembles = {entry["id"] for entry in self.folder.manifest["config"]["ensembles"]}
        return [{**self._figure("test", None, id_, metric), "id": id_, "ensemble": id_ in ensembles} for id_ in ids]

    def _verdicts(self, ids: Sequence[str], metric: str, answers: Answers) -> list[tuple[str, Comparison]]:
        """The leader against each other entry, corrected for all pairs."""
        if not is_per_user(parse(metric)) or len(ids) < 2:
            return []
        stage = answers.measured["test"]
        found = compare_all(
            {id_: values_of(self.folder, id_, stage, metric) for id_ in ids}, self.folder.manifest["seed"]
        )
        return [(second, comparison) for (first, second), comparison in found.items() if first == ids[0]]

    def _segments(self, ids: Sequence[str], metric: str) -> list[str]:
        labels = list(
            dict.fromkeys(row["segment"] for row in self.folder.metrics if row["segment"] and row["part"] == "test")
        )
        shown = []
        for name in dict.fromkeys(label.split("=")[0] for label in labels):
            own = [label for label in labels if label.split("=")[0] == name]
            values = np.array(
                [[self._figure("test", label, id_, metric)["value"] for label in own] for id_ in ids], np.float64
            )
            if np.isfinite(values).any():
                users = [self._figure("test", label, ids[0], metric)["users"] for label in own]
                names = [f"{label.split('=')[1]} ({n:,} users)" for label, n in zip(own, users, strict=True)]
                shown.append(pictures.segments(name, names, ids, values, metric))
        return shown

    def _times(self, ids: Sequence[str]) -> str:
        spent: dict[str, list[float]] = {}
        for kind in ("fit", "tune", "combine", "score", "evaluate", "load"):
            column = [
                sum(
                    row["seconds"]
                    for row in self.folder.timings
                    if row["id"] == id_ and row["stage"].split(":")[0] == kind
                )
                for id_ in ids
            ]
            if any(column):
                spent[kind] = column
        return pictures.times(ids, spent)

    def _maps(self, ids: Sequence[str], answers: Answers) -> dict[str, Any]:
        """Where the best of the models that have a latent space have their items."""
        catalogue, models = Catalogue.of(self.folder.dataset), {entry.id for entry in answers.experiment.models}
        drawn = ((id_, catalogue.map(answers.scorer(id_))) for id_ in ids if id_ in models)
        maps = list(islice((pair for pair in drawn if pair[1] is not None), MOST_MAPS))
        return {"catalogue": catalogue, "maps": maps, "width": WIDTH, "height": HEIGHT}

    def _samples(self, id_: str, answers: Answers) -> list[dict[str, Any]]:
        """A few users: what they had last, what they were given, what was hidden."""
        stage, dataset = answers.measured["test"], self.folder.dataset
        assert stage.truth is not None
        lists = stored_lists(self.folder, id_, stage, 10)
        titles = dataset.item_features.texts("title").values if "title" in dataset.item_features else ()

        def shown(item: int) -> str:
            return (titles[item] if titles else "") or dataset.items[item]

        step = max(1, len(lists) // SAMPLE_USERS)
        found = []
        for user in lists.users[::step][:SAMPLE_USERS].tolist():
            at = int(np.searchsorted(stage.truth.users, user))
            hidden = set(stage.truth.items[stage.truth.indptr[at] : stage.truth.indptr[at + 1]].tolist())
            given = stage.given.items[stage.given.indptr[user] : stage.given.indptr[user + 1]].tolist()
            row = lists.items[int(np.searchsorted(lists.users, user))]
            found.append(
                {
                    "user": dataset.users[user],
                    "history": [shown(item) for item in given[-8:][::-1]],
                    "length": len(given),
                    "list": [(shown(item), item in hidden) for item in row.tolist() if item >= 0],
                    "missed": [shown(item) for item in sorted(hidden - set(row.tolist())) if item >= 0],
                }
            )
        return found
