"""What a second stage puts into order, by what, and why a user's first items stand where they do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from matinee.experiment.answer import Answers
from matinee.experiment.figures import stored_lists
from matinee.experiment.folder import RunFolder
from matinee.scoring.boosted import BoostedCandidates

MOST_COLUMNS, USERS, ITEMS, REASONS = 15, 3, 3, 4


def second_stages(folder: RunFolder, answers: Answers, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Of each second stage among the entries, in their order: the candidates' recall, columns by gain, a few users."""
    entries = {entry.id: entry for entry in answers.experiment.models if entry.candidates}
    shown = []
    for id_ in (id_ for id_ in ids if id_ in entries):
        scorer = answers.scorer(id_)
        if not isinstance(scorer, BoostedCandidates):
            continue
        shares = json.loads((folder.path / "candidates" / "test" / f"{id_}.json").read_text())
        length, together = shares.pop("candidates a user"), shares.pop("together")
        shown.append({"id": id_, "length": length, "together": together, "sources": list(shares.items()),
                      "gains": sorted(scorer.found["gains"].items(), key=lambda pair: -pair[1])[:MOST_COLUMNS],
                      "people": _people(folder, answers, id_, scorer)})
    return shown


def _people(folder: RunFolder, answers: Answers, id_: str, scorer: BoostedCandidates) -> list[dict[str, Any]]:
    stage, dataset = answers.measured["test"], folder.dataset
    assert stage.truth is not None
    lists, columns = stored_lists(folder, id_, stage, ITEMS), scorer.columns
    titles = dataset.item_features.texts("title").values if "title" in dataset.item_features else ()
    found = []
    for user in lists.users[:: max(1, len(lists) // USERS)][:USERS].tolist():
        at = int(np.searchsorted(stage.truth.users, user))
        hidden = set(stage.truth.items[stage.truth.indptr[at] : stage.truth.indptr[at + 1]].tolist())
        first = lists.items[int(np.searchsorted(lists.users, user))]
        items, rows, parts = scorer.parts(stage.ask(np.array([user])), first)
        told = []
        for item, row, part in zip(items.tolist(), rows, parts, strict=True):
            strongest = np.argsort(-np.abs(part[:-1]), kind="stable")[:REASONS].tolist()
            reasons = [(columns[one], _plain(float(row[one])), float(part[one])) for one in strongest]
            told.append(((titles[item] if titles else "") or dataset.items[item], item in hidden, reasons))
        found.append({"user": dataset.users[user], "first": told})
    return found


def _plain(value: float) -> str:
    return "unknown" if np.isnan(value) else f"{value:.4g}"
