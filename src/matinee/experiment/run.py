"""An experiment to its run folder: fit, rank, evaluate, ensemble, submit.

A run that was stopped goes on where it was; a run that is done says so; the same experiment is the same folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from matinee import durable
from matinee.config import Experiment, ModelEntry, expectation
from matinee.ensemble.order import order
from matinee.evaluation.evaluate import check
from matinee.experiment import leading, submission
from matinee.experiment.cache import Cache
from matinee.experiment.dataset_store import save_dataset, save_split
from matinee.experiment.ensembling import Ensembling
from matinee.experiment.feature_cache import FeatureCache
from matinee.experiment.figures import rows_of, stored_lists
from matinee.experiment.fitting import Fitter
from matinee.experiment.folder import NOTES, RunFolder
from matinee.experiment.item_vectors import find_vectors
from matinee.experiment.ledger_members import with_members
from matinee.experiment.manifest import run_id, write_manifest
from matinee.experiment.material import Material, material
from matinee.experiment.modelling import Modelling
from matinee.experiment.stages import StageData, final_stage, split_stages
from matinee.experiment.timing import Timings
from matinee.experiment.users_file import read_users
from matinee.nn import processes
from matinee.ranking.lists import DEPTH
from matinee.split.parts import PARTS, Truth

SAID = {
    "resumed": "{id}: goes on after {epoch} epochs and {step} steps",
    "trained-before": "{id}: was trained to its end before, {epoch} epochs",
    "unread": "{id}: {share:.0%} of the events are too old for its windows; `windows: all` reads them too",
}


def _silent(what: str, done: int, total: int) -> None:
    """No progress display."""


def _unheard(line: str) -> None:
    """Nobody listens."""


def _unseen(folder: RunFolder) -> None:
    """Nobody waits for the folder."""


def run(
    experiment: Experiment,
    runs: Path,
    *,
    again: bool = False,
    use_cache: bool = True,
    threads: int | None = None,
    stuff: Material | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
    begun: Callable[[RunFolder], None] | None = None,
) -> RunFolder:
    """Carry out `experiment` below `runs` and return its folder; nothing is done twice.

    `again` makes a new folder beside one that is done, with everything computed anew; so does `use_cache` False,
    in the same folder. `stuff` is given where data and split are at hand already. `begun` hears of the folder as
    soon as it has a manifest. Of several processes that torchrun has started, the first does it and the others compute
    along where networks are trained. Raises what reading, fitting and writing raise; what was done until then is kept.
    """
    with processes.joined():
        leading.check(experiment)
        if processes.rank():
            return leading.follow(experiment)
        progress, say, begun = progress or _silent, say or _unheard, begun or _unseen
        cache = Cache(runs / ".cache")
        if stuff is None:
            stuff = material(experiment, cache, progress)
            stuff = replace(stuff, vectors=find_vectors(experiment, stuff, runs, say))
        _require_measurable(experiment, stuff)
        experiment, chosen = with_members(experiment, stuff, runs, say)
        id_ = run_id(experiment, stuff)
        folder = RunFolder(_free(runs, id_) if again else runs / id_)
        with durable.lock(folder.path):
            durable.sweep(folder.path)
            _tell_what_stays(experiment, folder, say)
            if folder.is_done:
                begun(folder)
                say(f"{folder.id} is done already; --again makes a new one")
            else:
                for found in stuff.reused:
                    say(f"{found}: reused")
                for facts in chosen:
                    durable.append_line(folder.journal, {"event": "from-ledger", **facts})
                own = cache if use_cache and not again else Cache(folder.path / ".cache")
                work = Work(experiment, folder, stuff, own, threads or os.cpu_count() or 1, progress, say)
                _prepare(work)
                begun(folder)
                _carry_out(work)
        leading.end(folder)
        if (said := experiment.conclusion) and said not in _conclusions(folder):
            folder.conclude(said)
        return folder


@dataclass(frozen=True, eq=False)
class Work:
    """The steps of one run."""

    experiment: Experiment
    folder: RunFolder
    stuff: Material
    cache: Cache
    threads: int
    progress: Callable[[str, int, int], None]
    say: Callable[[str], None]

    def whole(self) -> None:
        stages = split_stages(self.stuff.dataset, self.stuff.split, self.experiment.filters)
        for number, entry in enumerate(self.models, 1):
            self.say(f"model {number}/{len(self.experiment.models)}: {entry.id}")
            started = time.perf_counter()
            self.modelling.model(entry, stages)
            self.say(f"  fitted and ranked in {time.perf_counter() - started:.1f} s")
        for id_ in self.ensembles:
            self.say(f"ensemble: {id_}")
            for stage in stages.values():
                self.ensembling.lists(id_, stage)
        self.say("evaluating")
        self._evaluate(stages)
        del stages
        self._submit()
        self.folder.write_json("timings.json", {"rows": self.timings.rows()})

    @cached_property
    def timings(self) -> Timings:
        return Timings(self.folder.journal)

    @cached_property
    def ensembles(self) -> list[str]:
        """Ids in an order in which members come first."""
        members = {
            entry.id: [member.id for member in entry.members if member.id] for entry in self.experiment.ensembles
        }
        return [id_ for id_ in order(members, known=[entry.id for entry in self.experiment.models]) if id_ in members]

    @property
    def models(self) -> list[ModelEntry]:
        """First-stage models before the second stages that put into order what they find."""
        return sorted(self.experiment.models, key=lambda entry: entry.candidates is not None)

    @cached_property
    def modelling(self) -> Modelling:
        checkpoints = self.folder.path / "checkpoints"
        fitter = Fitter(self.experiment, self.threads, self.progress, self._note, checkpoints, self.stuff.vectors,
                        FeatureCache(self.cache, self.say))
        return Modelling(self.folder, fitter, self.cache, self.timings, self.say)

    @cached_property
    def ensembling(self) -> Ensembling:
        return Ensembling(self.experiment, self.folder, self.modelling, self.say, self.stuff.lists)

    def _note(self, facts: Mapping[str, Any]) -> None:
        durable.append_line(self.folder.journal, {"event": "step-metrics", "time": round(time.time(), 3), **facts})
        if facts.get("event") in SAID:
            self.say(SAID[facts["event"]].format(**facts))

    def _evaluate(self, stages: Mapping[str, StageData]) -> None:
        wanted = self.experiment.evaluate
        rows: list[dict[str, Any]] = []
        for id_ in [*(entry.id for entry in self.experiment.models), *self.ensembles]:
            for stage in stages.values():
                with self.timings.step(id_, f"evaluate:{stage.name}"):
                    rows += rows_of(self.folder, id_, stage, wanted.metrics, wanted.segments, self.experiment.seed)
        self.folder.write_json("metrics.json", {"rows": rows})

    def _submit(self) -> None:
        """Refit what `output.which` needs on everything that is known, and write its lists."""
        wanted = self.experiment.output
        if not wanted.which:
            return
        dataset = self.stuff.dataset
        asked = self._asked()
        stage = final_stage(dataset, np.unique(asked), self.experiment.filters)
        needed = self.ensembling.needed(wanted.which)
        for entry in self.models:
            if entry.id in needed:
                self.say(f"final: {entry.id}")
                self.modelling.model(entry, {"final": stage})
        for id_ in self.ensembles:
            if id_ in needed:
                self.say(f"final: {id_}")
                self.ensembling.lists(id_, stage)
        for id_ in wanted.which:
            with self.timings.step(id_, "submission"):
                lists = stored_lists(self.folder, id_, stage, wanted.k)
                found = submission.publish(
                    self.folder.submission(id_), lists, dataset, wanted.submission, asked, wanted.k
                )
            filled = int((lists.filled & (lists.items >= 0)).sum())
            facts = {"places_filled_by_popularity": filled, "short_lists": found.short, "formula_ids": found.formulas}
            durable.append_line(self.folder.journal, {"event": "submission", "id": id_, "users": len(asked), **facts})
            for name, count in facts.items():
                if count:
                    self.say(f"{id_}: {name.replace('_', ' ')}: {count:,}")

    def _asked(self) -> NDArray[np.int64]:
        """Who gets a list, in the order of the submission."""
        wanted, dataset = self.experiment.output, self.stuff.dataset
        if wanted.users is not None:
            return read_users(self.experiment.base / wanted.users, dataset)
        return submission.natural_order(dataset, np.arange(dataset.n_users))


def _require_measurable(experiment: Experiment, stuff: Material) -> None:
    """Raises ConfigError for a metric that these data have no means for, before anything is fitted."""
    stated = expectation(experiment.expect or "")
    metrics = dict.fromkeys([*experiment.evaluate.metrics, *([stated.metric] if stated else [])])
    check(list(metrics), experiment.evaluate.segments, DEPTH, stuff.dataset.item_features)


def _tell_what_stays(experiment: Experiment, folder: RunFolder, say: Callable[[str], None]) -> None:
    """A hypothesis is worth something for having been written before the figures: no other takes its place."""
    if not (folder.path / "manifest.json").is_file():
        return
    kept = folder.manifest["config"]
    for what, new in (("question", experiment.question), ("expect", experiment.expect)):
        if new is not None and new != kept.get(what):
            was = f"is {kept[what]!r}, as it was" if kept.get(what) else "is not there, as there was none"
            say(f"{what} {was} when this run began; --again begins one with {new!r}")


def _conclusions(folder: RunFolder) -> list[str | None]:
    """All that were ever written: an older one in a file does not take the place of a newer one by `conclude`."""
    lines = durable.read_lines(folder.path / NOTES)
    return [folder.manifest["config"].get("conclusion"), *(line["conclusion"] for line in lines)]


def _prepare(work: Work) -> None:
    if not (work.folder.path / "manifest.json").is_file():
        _lay_foundations(work.folder, work.experiment, work.stuff, work.threads)


def _carry_out(work: Work) -> None:
    leading.begin(work.folder, work.threads)
    with threadpool_limits(limits=work.threads):
        work.whole()


def _lay_foundations(folder: RunFolder, experiment: Experiment, stuff: Material, threads: int) -> None:
    """Data, split and truth first, the manifest last: a folder with a manifest has them all."""
    save_dataset(stuff.dataset, folder.path / "dataset")
    save_split(stuff.split, folder.path / "split")
    for name, stage in stuff.split.stages.items():
        _write_truth(folder.path / "truth" / f"{name}.parquet", stage.truth, stuff)
    write_manifest(folder, experiment, stuff, threads)


def _write_truth(path: Path, truth: Truth, stuff: Material) -> None:
    """user, item, hidden_part of everything hidden; users and items outside the data are left to the counts."""
    rows = np.repeat(truth.users, truth.counts)
    known = (rows >= 0) & (truth.items >= 0)
    frame = pl.DataFrame(
        {
            "user": stuff.dataset.users.decode(rows[known]),
            "item": stuff.dataset.items.decode(truth.items[known]),
            "hidden_part": [PARTS[part] for part in truth.parts[known].tolist()],
        },
        schema={"user": pl.String, "item": pl.String, "hidden_part": pl.String},
    )
    with durable.replacing(path) as file:
        frame.write_parquet(file)


def _free(runs: Path, name: str) -> Path:
    """The first of name, name-2, name-3 ... that no finished run has."""
    number, path = 1, runs / name
    while RunFolder(path).is_done:
        number += 1
        path = runs / f"{name}-{number}"
    return path
