"""Checks of what is hidden: answers that are also given, and learning from what came later."""

from __future__ import annotations

from matinee.data.dataset import Dataset
from matinee.split.parts import Split
from matinee.survey.figures import Figures, percent
from matinee.survey.findings import Check, Finding

LATE = 0.05
COLD = 0.05
"""Shares from which a reader should know."""

NO_LATER = ("by_time", "given")
"""Protocols that promise to learn from nothing younger than what they hide, or whose promise is not known."""

GIVEN_AWAY = Check("answers_given", "Are answers among what the same user is asked with?")
FROM_FILES = Check("answers_in_log", "Did the log hold rows of the files of answers?")
FROM_BEFORE = Check("older_than_history", "Are answers older than what their user is asked with?")
FROM_AFTER = Check("learnt_later", "Is anything learnt from what came after the hidden events?")
NEVER_LEARNT = Check("cold_answers", "Are items hidden that nobody could learn of?")
ALL = (GIVEN_AWAY, FROM_FILES, FROM_BEFORE, FROM_AFTER, NEVER_LEARNT)


def odd_split(dataset: Dataset, split: Split | None, found: Figures) -> list[Finding]:
    """What these checks found; `found` is what `hidden` says of the split."""
    if split is None:
        return [check.unchecked(found["absent"]) for check in ALL]
    leaked, hidden, times = found["in_history"], found["hidden"], found["times"]
    findings = [
        GIVEN_AWAY.unchecked("items may be had again here") if dataset.facts.repeats else
        GIVEN_AWAY.found(leaked, hidden, f"{leaked:,} of {hidden:,} answers stand in the history that is asked with",
                         "figures made from this split are wrong: mend the split", alarm=True),
        _files(found),
    ]
    if "absent" in times:
        older = found["older_than_history"].get("test", 0)
        told = (FROM_BEFORE.found(older, hidden, f"{older:,} answers are older than what their user is asked with",
                                  "a model that knows the future may look better than it is", alarm=True)
                if found["with_times"] else FROM_BEFORE.unchecked(times["absent"]))
        return [*findings, told, FROM_AFTER.unchecked(times["absent"]), _cold(found)]
    design = found["settings"]["protocol"] not in NO_LATER
    before, after = times["older_than_own_share"], times["learnt_after_median_hidden_share"]
    return [
        *findings,
        FROM_BEFORE.found(
            round(before * hidden) if before > 0 else 0, hidden,
            f"{percent(before)} of the hidden events are older than the newest that their user is asked with: gaps of "
            "a history, filled with its later part in sight",
            "right where a competition hides gaps; for what comes next, look at the tail alone or split by "
            "time", design=design,
        ),
        FROM_AFTER.found(
            round(after * found["fit_events"]) if after > LATE else 0, found["fit_events"],
            f"{percent(after)} of the events learnt from are younger than half of what is hidden: popularity and "
            "similarity know how the story went on",
            "figures say who wins on this log, and nothing about next month; `by_time` does", design=design,
        ),
        _cold(found),
    ]


def _files(found: Figures) -> Finding:
    if found["settings"]["protocol"] != "given":
        return FROM_FILES.unchecked("the answers were drawn from the log")
    shared = sum(found["overlap"].values())
    return FROM_FILES.found(shared, found["hidden"], f"{shared:,} rows of the files stand in the log, or in both "
                                                     "files; "
                            "they were taken out of the log here", "take them out of the log for good", alarm=True)


def _cold(found: Figures) -> Finding:
    cold = round(found["cold_share"] * found["hidden"])
    return NEVER_LEARNT.found(
        cold if found["cold_share"] > COLD else 0, found["hidden"],
        f"{percent(found['cold_share'])} of the answers are items without any event to learn from",
        "collaborative models cannot find them: `user_profile` and other models of content can",
    )
