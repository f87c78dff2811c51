"""The best submissions of a ledger as members of an ensemble: decided once, when the run begins, and written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from matinee.config import EnsembleEntry, Experiment, FromLedger, Member
from matinee.errors import ConfigError, ModelError
from matinee.experiment import lists_store
from matinee.experiment.folder import RunFolder
from matinee.experiment.ledger import Book, Ledger, Submission, beside
from matinee.experiment.material import Material, file_hash


def with_members(
    experiment: Experiment, stuff: Material, runs: Path, say: Callable[[str], None]
) -> tuple[Experiment, list[dict[str, Any]]]:
    """The experiment with members in place of `from_ledger`, and what was chosen, for the journal.

    Raises ConfigError where the ledger has too few, ModelError where what was handed in is nowhere any more.
    """
    facts, ensembles = [], []
    for entry in experiment.ensembles:
        if entry.from_ledger is not None:
            path = experiment.base / entry.from_ledger.ledger if entry.from_ledger.ledger else beside(runs)
            best = _best(Ledger(path).book(), entry, entry.from_ledger, experiment.evaluate.metrics[0], stuff)
            members = tuple(_member(one, stuff, runs, path.parent, say) for one in best)
            facts.append({"id": entry.id, "ledger": str(path), **entry.from_ledger.plain(),
                          "submissions": [one.number for one in best], "members": [one.plain() for one in members]})
            say(f"{entry.id}: the best {len(best)} by the {entry.from_ledger.by} score: "
                + ", ".join(f"{one.number} {one.what.name}" for one in best))
            entry = replace(entry, members=members, from_ledger=None)
        ensembles.append(entry)
    return replace(experiment, ensembles=tuple(ensembles)), facts


def best_of(book: Book, by: str, metric: str, data: str, split: str) -> list[Submission]:
    """Submissions that have a score, best first; the same bytes once, with their newest score; ties by number.

    Offline figures count where data and split are these: those of others say nothing here.
    """
    def score(one: Submission) -> float | None:
        if by == "public":
            return one.public
        alike = (one.what.data, one.what.split) == (data, split)
        return one.what.offline[metric]["value"] if alike and metric in one.what.offline else None

    scored = {one.what.sha256: one for one in book.counted if score(one) is not None}
    return sorted(scored.values(), key=lambda one: (-(score(one) or 0.0), one.number))


def _best(book: Book, entry: EnsembleEntry, wanted: FromLedger, metric: str, stuff: Material) -> list[Submission]:
    found = best_of(book, wanted.by, metric, stuff.dataset.hash, stuff.split.hash)
    if len(found) < wanted.top:
        of = "a public score" if wanted.by == "public" else f"{metric} on this data and split"
        raise ConfigError("few-submissions", f"the ensemble {entry.id!r} asks for the best {wanted.top}, and "
                          f"{len(found)} in the ledger have {of}", "ask for fewer, or write down more")
    return found[: wanted.top]


def _member(one: Submission, stuff: Material, runs: Path, root: Path, say: Callable[[str], None]) -> Member:
    """The run's entry where it was made on the same data and split, else the file that was handed in."""
    what = one.what
    if what.run and what.entry and (what.data, what.split) == (stuff.dataset.hash, stuff.split.hash):
        folder = RunFolder(runs / what.run)
        if (folder.path / "manifest.json").is_file() and lists_store.is_whole(folder.lists("test", what.entry)):
            return Member(run=what.name)
    places = [root / what.file, *([RunFolder(runs / what.run).submission(what.entry)]
                                                     if what.run and what.entry else [])]
    for path in places:
        if path.is_file() and file_hash(path) == what.sha256:
            say(f"{one.number} {what.name}: from its file, so it counts in the final lists alone")
            return Member(file=str(path.resolve()))
    raise ModelError("no-member", f"submission {one.number} ({what.name}) is gone: neither its run on this data and "
                     "split nor the file that was handed in is there", "put it back, or withdraw it from the ledger",
                     places[0])
