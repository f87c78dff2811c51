"""The run of month.yaml as it stands, finished or not: figures, values of users, lists, seconds, of what has ended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee import catalog
from matinee.ensemble.overlap import overlap
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.compare import Comparison, paired
from matinee.evaluation.segments import segment
from matinee.experiment import lists_store
from matinee.experiment.answer import Answers
from matinee.experiment.cache import Cache
from matinee.experiment.figures import rows_of, stored_lists
from matinee.experiment.folder import RunFolder
from matinee.experiment.timing import Timings
from matinee.ranking.lists import Lists

Key = tuple[str, str, str | None]
MAIN = "recall@10"
KINDS = {"fit": ("fit", "tune"), "rank": ("score", "combine")}


@dataclass(frozen=True, eq=False)
class Month:
    folder: RunFolder
    _values: dict[tuple[str, str, str | None], NDArray[np.float64]] = field(default_factory=dict)
    _lists: dict[tuple[str, str, int], Lists] = field(default_factory=dict)

    @cached_property
    def answers(self) -> Answers:
        return Answers(self.folder)

    @cached_property
    def config(self) -> dict[str, Any]:
        return dict(self.folder.manifest["config"])

    @cached_property
    def families(self) -> dict[str, str]:
        """id -> family of its model; `ensemble`, and `second stage` for what orders what others found."""
        found = {one["id"]: "second stage" if one.get("candidates") else catalog.load(one["model"]).family
                 for one in self.config["models"]}
        return found | {one["id"]: "ensemble" for one in self.config["ensembles"]}

    @cached_property
    def members(self) -> dict[str, list[str]]:
        return {one["id"]: list(one["members"]) for one in self.config["ensembles"]}

    @cached_property
    def done(self) -> list[str]:
        """The entries whose lists of every stage are whole."""
        return [id_ for id_ in self.families
                if all(lists_store.is_whole(self.folder.lists(stage, id_)) for stage in self.answers.measured)]

    @cached_property
    def shortened(self) -> dict[str, tuple[int, int]]:
        """id -> epochs given to it, and those of its model's defaults, where these are more."""
        usual = {one["id"]: getattr(catalog.load(one["model"])(), "epochs", 0) for one in self.config["models"]
                 if "epochs" in one}
        return {one["id"]: (one["epochs"], usual[one["id"]]) for one in self.config["models"]
                if one.get("epochs", 0) < usual.get(one["id"], 0)}

    @property
    def models(self) -> list[str]:
        return [id_ for id_ in self.done if self.families[id_] != "ensemble"]

    def lacks(self, *ids: str) -> list[str]:
        return [id_ for id_ in ids if id_ not in self.done]

    @cached_property
    def figures(self) -> dict[Key, dict[str, Any]]:
        """(id, metric, segment) -> the row at test; measured here while the run has not come to that."""
        if (self.folder.path / "metrics.json").is_file():
            rows = [row for row in self.folder.metrics if row["part"] == "test"]
        else:
            wanted = self.config["evaluate"]
            rows = [row for id_ in self.done
                    for row in rows_of(self.folder, id_, self.answers.measured["test"], wanted["metrics"],
                                       wanted["segments"], self.folder.manifest["seed"])]
        return {(row["id"], row["metric"], row["segment"]): row for row in rows}

    def figure(self, id_: str, segment_: str | None = None, metric: str = MAIN) -> float:
        """NaN where nobody is in the segment."""
        row = self.figures.get((id_, metric, segment_))
        return float("nan") if row is None or row["value"] is None else float(row["value"])

    @cached_property
    def labels(self) -> list[str]:
        """Every segment with its label that anybody is in, in the order of the file."""
        return list(dict.fromkeys(label for _, _, label in self.figures if label))

    @cached_property
    def ranked(self) -> list[str]:
        """Entries that have ended, best first."""
        return sorted(self.done, key=lambda id_: -self.figure(id_))

    def lists(self, id_: str, part: str = "test", depth: int = 10) -> Lists:
        key = (id_, part, depth)
        if key not in self._lists:
            self._lists[key] = stored_lists(self.folder, id_, self.answers.measured[part], depth)
        return self._lists[key]

    def values(self, id_: str, hidden: str | None = None, part: str = "test") -> NDArray[np.float64]:
        """(V,) recall@10 of each user, of all that is hidden or of its `tail` or `gap`."""
        key = (id_, part, hidden)
        if key not in self._values:
            self._values[key] = self.measured(self.lists(id_, part), hidden, part)
        return self._values[key]

    def measured(self, lists: Lists, hidden: str | None = None, part: str = "test") -> NDArray[np.float64]:
        stage = self.answers.measured[part]
        assert stage.truth is not None
        truth = stage.truth if hidden is None else segment("hidden_part", stage.truth, stage.given,
                                                           stage.item_counts)[hidden]
        return per_user(lists, truth, [MAIN])[MAIN]

    def against(self, one: str, other: str, hidden: str | None = None) -> Comparison:
        """Paired over users, at test."""
        return paired(self.values(one, hidden), self.values(other, hidden), seed=0)

    def chosen(self, ids: Sequence[str], hidden: str | None = None) -> str:
        """The best of them on valid, so that what test says of it is no choice of test's."""
        return max(ids, key=lambda id_: float(self.values(id_, hidden, "valid").mean()))

    def shared(self, ids: Sequence[str], part: str = "test") -> NDArray[np.float64]:
        """(M, M) shares of common items in the first ten."""
        return overlap([self.lists(id_, part) for id_ in ids], 10)

    @cached_property
    def _timed(self) -> list[dict[str, Any]]:
        return Timings(self.folder.journal).rows()

    def cost(self, id_: str) -> tuple[float, float, float, bool]:
        """Seconds to fit and to rank, peak MB, and whether another run's steps stand in for a fit found again."""
        own = [row for row in self._timed if row["id"] == id_]
        again = id_ in self.models and not any(row["stage"].startswith("fit:") for row in own)
        if again:
            own = [*self._elsewhere(id_), *(row for row in own if not row["reused"])]
        fit, rank = (sum(row["seconds"] for row in own if row["stage"].split(":")[0] in kinds
                         and (kind == "fit" or row["stage"].endswith(":test"))) for kind, kinds in KINDS.items())
        work = [row["peak_mb"] for row in own if row["stage"].split(":")[0] in KINDS["fit"] + KINDS["rank"]]
        return fit, rank, max(work, default=float("nan")), again

    def _elsewhere(self, id_: str) -> list[dict[str, Any]]:
        """The steps of the run that made this fit, where that run is still there."""
        about = self.folder.model("test", id_) / "manifest.json"
        if not about.is_file():
            return []
        key = json.loads(about.read_text())["about"]["key"]
        place = Cache(self.folder.path.parent / ".cache").find("model", key)
        if place is None:
            return []
        journal = Path(place).parents[2] / "journal.jsonl"
        return [row for row in Timings(journal).rows() if row["id"] == place.name and not row["reused"]]
