"""Lists from a stored entry of a run, in a fresh process: a model, a blend, or an ensemble of lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matinee.config import Experiment
from matinee.contract import Queries, Scorer
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.experiment.ensembling import combined, is_blend, stored_ensemble
from matinee.experiment.folder import RunFolder
from matinee.experiment.own_copies import experiment_of
from matinee.experiment.stages import StageData, final_stage, split_stages
from matinee.ranking.lists import DEPTH, Lists
from matinee.ranking.recommend import Ask
from matinee.scoring import store
from matinee.scoring.blend import Blend
from matinee.scoring.reasons import Reason, reasons


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers from one run: `final` where the entry was refitted on everything, else its newest stage."""

    folder: RunFolder

    @cached_property
    def experiment(self) -> Experiment:
        """By the run's own copies: models and files that are gone or were edited since are as they were."""
        return experiment_of(self.folder)

    def stage_of(self, id_: str) -> str:
        """The best stage that has `id_` fitted. Raises ModelError where the run has no such entry."""
        for stage in ("final", "test", "valid"):
            if self.folder.model(stage, id_).is_dir():
                return stage
        models, ensembles = self.experiment.models, self.experiment.ensembles
        known = [entry.id for entry in models] + [entry.id for entry in ensembles]
        raise ModelError(
            "no-model", f"{self.folder.id} has no fitted {id_!r}", f"it has {', '.join(known)}", self.folder.path
        )

    def scorer(self, id_: str) -> Scorer:
        """The stored scorer of a model or a blend. Raises ModelError for an ensemble of lists, which has none."""
        place = self.folder.model(self.stage_of(id_), id_)
        if not (place / "ensemble.json").is_file():
            return store.load(place, items_hash=self.folder.manifest["data"]["items_hash"])[0]
        about = stored_ensemble(place)
        if not is_blend(about):
            raise ModelError(
                "no-scorer",
                f"{id_!r} is an ensemble of lists and gives no scores of its own",
                "ask one of its members, or a score_blend",
                place,
            )
        return Blend(
            tuple(self.scorer(member["id"]) for member in about["members"]),
            np.asarray(about["weights"], np.float32),
            about["recipe"]["normalise"],
            about["recipe"]["combine"],
        )

    def lists(self, id_: str, ask: Ask, users: NDArray[np.int64], k: int) -> Lists:
        """The k best for each of `users`, by the filters and the fallback of the run's final stage."""
        place = self.folder.model(self.stage_of(id_), id_)
        if (place / "ensemble.json").is_file() and not is_blend(about := stored_ensemble(place)):
            depth = min(DEPTH, self.final.fit.n_items)
            members = [self._member(member, ask, users, depth) for member in about["members"]]
            return combined(about, members, k, lambda users: ask(users).history)
        personal = all(entry.recipe.personal for entry in self.experiment.models if entry.id == id_)
        return self.final.recommend(self.scorer(id_), k, users=users, ask=ask, name=id_, personal=personal)

    def reasons(self, id_: str, ask: Ask, lists: Lists, most: int) -> list[list[list[Reason]]]:
        """For each place of each list (V, K) the `most` items of the history that it is due to; a filled one has none.

        Raises ModelError where the entry cannot say.
        """
        scorer = self.scorer(id_)
        found = []
        for at, user in enumerate(lists.users):
            own = (lists.items[at] >= 0) & ~lists.filled[at]
            told = iter(reasons(scorer, ask(np.array([user])), lists.items[at][own], most))
            found.append([next(told) if said else [] for said in own])
        return found

    @cached_property
    def final(self) -> StageData:
        dataset = self.folder.dataset
        return final_stage(dataset, np.arange(dataset.n_users), self.experiment.filters)

    @cached_property
    def measured(self) -> dict[str, StageData]:
        """The stages that have a truth."""
        return split_stages(self.folder.dataset, self.folder.split, self.experiment.filters)

    def ask_typed(self, raw_items: Sequence[str]) -> Ask:
        """A question from somebody new with this history, oldest first, asked at the newest moment of the data.

        Raises DataError for an item that is not in the data.
        """
        dataset = self.folder.dataset
        items = dataset.items.encode(list(raw_items))
        if (items < 0).any():
            unknown = raw_items[int(np.flatnonzero(items < 0)[0])]
            raise DataError("unknown-item", f"no item is called {unknown!r}", "give ids as they stand in the data")
        now = int(dataset.log.times.max(initial=0))
        times = np.arange(now - len(items) + 1, now + 1)
        history = Interactions.from_events(np.zeros(len(items)), items, times, n_users=1, n_items=dataset.n_items)
        return lambda users: Queries.of(history.take(np.zeros(len(users), np.int64)))

    def _member(self, member: dict[str, str], ask: Ask, users: NDArray[np.int64], depth: int) -> Lists:
        if "id" not in member:
            raise ModelError(
                "no-model",
                f"a member is a stored list ({next(iter(member.values()))}), which knows no new histories",
                "ask the members of this run one by one",
                self.folder.path,
            )
        return self.lists(member["id"], ask, users, depth)
