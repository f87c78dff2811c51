"""Ensembles of a run: lists combined from stored lists, scores blended from stored scorers. Nothing is refitted.

What an ensemble is (method, members, weights) stands in `models/<stage>/<id>/ensemble.json`. Weights that are
tuned are tuned on valid and used as they are from then on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matinee import durable
from matinee.config import EnsembleEntry, Experiment, Member
from matinee.ensemble import METHODS
from matinee.ensemble.external import read_lists
from matinee.ensemble.method import Histories, ListMethod
from matinee.ensemble.score_blend import ScoreBlend
from matinee.ensemble.weights import tuned_blend, tuned_lists
from matinee.errors import ConfigError, ModelError
from matinee.experiment import fingerprint, lists_store
from matinee.experiment.cache import copy_whole
from matinee.experiment.folder import RunFolder, find, member_folder
from matinee.experiment.modelling import Modelling, list_key
from matinee.experiment.stages import StageData
from matinee.ranking.lists import DEPTH, Lists
from matinee.scoring import store
from matinee.scoring.blend import Blend


@dataclass(frozen=True, eq=False)
class Ensembling:
    experiment: Experiment
    folder: RunFolder
    modelling: Modelling
    say: Callable[[str], None]
    kept: Path | None = None
    """Copies of other runs' lists that an earlier run of the same experiment made."""

    def needed(self, wanted: Sequence[str]) -> set[str]:
        """`wanted` and all their members and first-stage models, at any depth."""
        members = {
            entry.id: [member.id for member in entry.members if member.id] for entry in self.experiment.ensembles
        }
        members |= {one.id: list(one.candidates.sources) for one in self.experiment.models if one.candidates}
        found: set[str] = set()
        todo = list(wanted)
        while todo:
            id_ = todo.pop()
            if id_ not in found:
                found.add(id_)
                todo += members.get(id_, [])
        return found

    def lists(self, id_: str, stage: StageData) -> None:
        """Write the ensemble's description and its lists for one stage."""
        entry = next(entry for entry in self.experiment.ensembles if entry.id == id_)
        members = self._counted(entry, stage)
        about = {
            "method": entry.method,
            "recipe": self._recipe(entry),
            "members": [_plain(m) for m in members],
            "weights": self._weights(entry, members, stage),
            "tuned": entry.weights == "tuned",
        }
        durable.write_json(self.folder.model(stage.name, id_) / "ensemble.json", about)
        if isinstance(entry.recipe, ScoreBlend):
            scorer = Blend(
                tuple(self._scorer(member, stage) for member in members),
                np.asarray(about["weights"], np.float32),
                entry.recipe.normalise,
                entry.recipe.combine,
            )
            key = fingerprint.digest([about, [self.modelling.keys[stage.name, str(member.id)] for member in members]])
            self.modelling.lists(id_, scorer, stage, list_key(key, stage))
        else:
            self._combine(id_, about, members, stage)

    def _combine(self, id_: str, about: Mapping[str, Any], members: Sequence[Member], stage: StageData) -> None:
        dataset, target = stage.fit, self.folder.lists(stage.name, id_)
        sources = [self._source(member, stage) for member in members]
        key = fingerprint.digest(
            [
                about,
                [source.key for source in sources],
                fingerprint.array_hash(stage.users),
                stage.given.hash() if _method(about).reads_histories else None,
                fingerprint.source_hash(fingerprint.PACKAGE / "ensemble/__init__.py"),
            ]
        )
        if lists_store.is_whole(target, key):
            return
        parts = lists_store.parts_of(stage.users)
        lists_store.begin(target, key, len(parts), min(DEPTH, dataset.n_items))
        with self.modelling.timings.step(id_, f"combine:{stage.name}"):
            for number, users in enumerate(parts):
                lists = [source.part(number, users) for source in sources]
                block = combined(about, lists, min(DEPTH, dataset.n_items), stage.given.take)
                lists_store.write_part(target, number, block, dataset.users, dataset.items)

    def _weights(self, entry: EnsembleEntry, members: Sequence[Member], stage: StageData) -> list[float]:
        if entry.weights is None:
            return [1.0] * len(members)
        if entry.weights != "tuned":
            by_member = dict(zip(entry.members, entry.weights, strict=True))
            return [float(by_member[member]) for member in members]
        if stage.name != "valid":
            place = self.folder.path / "models" / "valid" / entry.id
            return [float(weight) for weight in stored_ensemble(place)["weights"]]
        return self._tuned(entry, members, stage)

    def _tuned(self, entry: EnsembleEntry, members: Sequence[Member], valid: StageData) -> list[float]:
        metric = self.experiment.evaluate.metrics[0]
        assert valid.truth is not None
        with self.modelling.timings.step(entry.id, "tune:valid"):
            if isinstance(entry.recipe, ScoreBlend):
                scorers = [self._scorer(member, valid) for member in members]
                found = tuned_blend(
                    entry.recipe,
                    scorers,
                    valid.ask,
                    valid.users,
                    valid.truth,
                    metric,
                    repeats=valid.fit.facts.repeats,
                    filters=valid.filters,
                    seed=self.experiment.seed,
                )
            else:
                assert isinstance(entry.recipe, ListMethod)
                lists = [self._source(member, valid).whole(valid) for member in members]
                found = tuned_lists(entry.recipe, lists, valid.truth, metric, seed=self.experiment.seed)
        shown = ", ".join(f"{_name(m)} {w:.3g}" for m, w in zip(members, found.weights, strict=True))
        self.say(f"{entry.id}: weights tuned on valid: {shown} ({metric} {found.value:.4f})")
        return [float(weight) for weight in found.weights]

    def _counted(self, entry: EnsembleEntry, stage: StageData) -> list[Member]:
        """The members that count at this stage: a file was made from everything, so offline it knows the answers."""
        if stage.name == "final" or self.experiment.split.settings["protocol"] == "given":
            return list(entry.members)
        members = [member for member in entry.members if member.file is None]
        if not members:
            raise ConfigError(
                "only-files",
                f"the ensemble {entry.id!r} has only files as members, so it has no honest figure",
                "add a model, or give the truth by `split: {protocol: given}`",
            )
        if isinstance(entry.recipe, ListMethod) and entry.recipe.exactly not in (None, len(members)):
            raise ConfigError(
                "file-member",
                f"the ensemble {entry.id!r} has a file as a member, which counts at no stage that is measured, and "
                f"{entry.method} combines exactly {entry.recipe.exactly}",
                "put a model in its place, or give the truth by `split: {protocol: given}`",
            )
        if len(members) < len(entry.members):
            self.say(f"{entry.id}: measured without its files, which were made from everything")
        return members

    def _recipe(self, entry: EnsembleEntry) -> dict[str, Any]:
        named = self.experiment.entry(entry.id)
        return {key: value for key, value in named.items() if key not in {"id", "method", "members", "weights"}}

    def _scorer(self, member: Member, stage: StageData) -> Any:
        if (
            member.id is None
            or not (place := self.folder.model(stage.name, member.id)).is_dir()
            or (place / "ensemble.json").is_file()
        ):
            raise ConfigError(
                "no-scores",
                f"{_name(member)} has no stored scores to blend",
                "a score_blend takes models of the same experiment; combine lists by rank_sum or a vote",
            )
        return store.load(place)[0]

    def _source(self, member: Member, stage: StageData) -> Source:
        if member.file is not None:
            path = self.experiment.base / member.file
            seen = None if stage.fit.facts.repeats else stage.given
            lists, counts = read_lists(path, stage.fit.users, stage.fit.items, seen=seen)
            for what, count in counts.items():
                if count:
                    self.say(f"{path.name}: {what.replace('_', ' ')}: {count:,}")
            return Source(fingerprint.digest(path.read_text()), None, lists, stage)
        if member.run is not None:
            folder = self._kept(member.run, stage.name)
        else:
            folder = self.folder.lists(stage.name, str(member.id))
        return Source(lists_store.key_of(folder), folder, None, stage)

    def _kept(self, address: str, stage: str) -> Path:
        """The run's own copy of the lists of another run's entry."""
        own = self.folder.kept_lists(address, stage)
        if lists_store.is_whole(own):
            return own
        if self.kept is not None and lists_store.is_whole(self.kept / member_folder(address) / stage):
            copy_whole(self.kept / member_folder(address) / stage, own)
            return own
        other, id_ = find(address, self.folder.path.parent)
        if id_ is None:
            raise ConfigError("no-member", f"{address!r} names a run and none of its entries", "write RUN/ID")
        for what in ("data", "split"):
            if other.manifest[what]["hash"] != self.folder.manifest[what]["hash"]:
                raise ModelError("other-split", f"{address} was made on another {what}",
                                 "members must share data and split, or be CSV files", other.path)
        if not lists_store.is_whole(other.lists(stage, id_)):
            raise ModelError("no-lists", f"{address} has no lists of the stage {stage}",
                             f"see that the run is done; for final, name {id_} under its output.which", other.path)
        copy_whole(other.lists(stage, id_), own)
        return own


@dataclass(frozen=True, eq=False)
class Source:
    """A member's lists: a stored folder in the same parts, or lists in memory."""

    key: str
    folder: Path | None
    held: Lists | None
    stage: StageData

    def part(self, number: int, users: Any) -> Lists:
        if self.held is not None:
            return self.held.of(users)
        assert self.folder is not None
        return lists_store.read_part(self.folder, number, users, self.stage.fit.users, self.stage.fit.items)

    def whole(self, stage: StageData) -> Lists:
        blocks = [self.part(number, users) for number, users in enumerate(lists_store.parts_of(stage.users))]
        return lists_store.joined(iter(blocks), blocks[0].depth)


def combined(about: Mapping[str, Any], members: Sequence[Lists], k: int, histories: Histories) -> Lists:
    """Lists combined as a stored description says."""
    return _method(about).combine(members, about["weights"], k, histories)


def _method(about: Mapping[str, Any]) -> ListMethod:
    recipe = METHODS[about["method"]](**about["recipe"])
    assert isinstance(recipe, ListMethod)
    return recipe


def is_blend(about: Mapping[str, Any]) -> bool:
    return METHODS[about["method"]] is ScoreBlend


def stored_ensemble(place: Path) -> dict[str, Any]:
    """What an ensemble of a run is: method, recipe, members, weights. Raises ModelError where it is not there."""
    path = place / "ensemble.json"
    if not path.is_file():
        raise ModelError("no-model", "this ensemble was never combined", "run the experiment again", path)
    return dict(json.loads(path.read_text()))


def _plain(member: Member) -> dict[str, str]:
    return {
        key: value
        for key, value in (("id", member.id), ("run", member.run), ("file", member.file))
        if value is not None
    }


def _name(member: Member) -> str:
    return str(next(iter(_plain(member).values())))
