"""All subjects of one data set, in the order of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from matinee.data.dataset import Dataset
from matinee.data.describe import describe
from matinee.data.zones import UTC
from matinee.split.parts import Split
from matinee.survey.activity import activity
from matinee.survey.advice import advice
from matinee.survey.eras import eras
from matinee.survey.figures import NO_EVENTS, Figures, absent
from matinee.survey.genres import genre_shares
from matinee.survey.hidden import hidden
from matinee.survey.histories import histories
from matinee.survey.odd_rows import odd_rows
from matinee.survey.odd_split import odd_split
from matinee.survey.odd_times import odd_times
from matinee.survey.popularity import popularity
from matinee.survey.protocols import protocols
from matinee.survey.seasons import seasons
from matinee.survey.sittings import sittings
from matinee.survey.taste import taste
from matinee.survey.thresholds import thresholds
from matinee.survey.ties import ties

Progress = Callable[[str, int, int], None]


def survey(
    dataset: Dataset,
    split: Split | None = None,
    why: str = "no split was given",
    progress: Progress | None = None,
    zone: str = UTC,
) -> Figures:
    """Figures by subject, findings and advice, JSON-able. Without a `split`, `why` there is none.

    `zone`, such as Asia/Seoul, is that of the seasons' hours, weekdays and months; all other days are those of UTC.

    Cost: a few sorts of the events; about 10 s and 100 bytes an event for five million.
    """
    log, facts = dataset.log, describe(dataset)
    subjects: dict[str, Callable[[], Any]] = {
        "activity": lambda: activity(log),
        "histories": lambda: histories(log),
        "sittings": lambda: sittings(log),
        "ties": lambda: ties(log),
        "seasons": lambda: seasons(log, zone),
        "popularity": lambda: popularity(dataset),
        "thresholds": lambda: thresholds(log),
        "genres": lambda: genre_shares(dataset),
        "eras": lambda: eras(dataset),
        "taste": lambda: taste(dataset),
        "hidden": lambda: hidden(dataset, split) if split is not None else absent(why),
        "protocols": lambda: protocols(dataset) if len(log) else absent(NO_EVENTS),
    }
    found: Figures = {"facts": facts}
    for done, (name, made) in enumerate(subjects.items()):
        if progress is not None:
            progress("surveying", done, len(subjects))
        found[name] = made()
    findings = [*odd_times(dataset), *odd_rows(dataset, facts), *odd_split(dataset, split, found["hidden"])]
    found["findings"] = [finding.figures() for finding in findings]
    found["advice"] = [one.figures() for one in advice(found)]
    if progress is not None:
        progress("surveying", len(subjects), len(subjects))
    return found
