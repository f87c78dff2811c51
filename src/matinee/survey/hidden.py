"""What was hidden against what may be learnt from: times, popularity, genres, eras, newcomers.

A shift is told as total variation, the share that would have to move, beside what so many draws from the training
part would differ by chance alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.split.parts import Split, Stage
from matinee.survey.figures import Figures, absent, day_of, share, without_times
from matinee.survey.labels import Labels, apart, apart_by_chance, decades, genres

TENTHS = 10
FROM_A_FILE = "the answers came in a file of their own"
MOVERS = 8


def hidden(dataset: Dataset, split: Split) -> Figures:
    """Of the test part, and how many users and items are hidden at valid."""
    stage = split.stages["test"]
    fit = np.bincount(dataset.log.items[stage.fit], minlength=dataset.n_items)
    known = stage.truth.items[stage.truth.items >= 0]
    answers = np.bincount(known, minlength=dataset.n_items)
    counts = split.notes["test"]
    return {
        "settings": dict(split.settings),
        "hash": split.hash,
        "parts": {name: {"users": len(part.truth), "hidden": len(part.truth.items)}
                  for name, part in split.stages.items()},
        "users": len(stage.truth),
        "hidden": len(stage.truth.items),
        "hidden_a_user": share(len(stage.truth.items), len(stage.truth)),
        "fit_events": int(stage.fit.sum()),
        "cold_share": share(counts["cold_hidden_items"], counts["hidden_items"]),
        "cold_items": counts["cold_items"],
        "outside_catalogue": int((stage.truth.items < 0).sum()),
        "users_new_share": share(counts["users_new_to_fit"], counts["users"]),
        "popularity": popularity_shift(fit, answers),
        "genres": _labels_shift(genres(dataset), fit, answers, "the items have no genres"),
        "decades": _labels_shift(decades(dataset), fit, answers, "the items have no release years"),
        "times": absent(FROM_A_FILE) if split.settings["protocol"] == "given" else times_apart(dataset, stage),
        "in_history": in_history(dataset, stage),
        "older_than_history": dict(split.notes.get("older_than_history", {})),
        "with_times": bool(split.notes.get("with_times", {}).get("test", False)),
        "overlap": {name: int(count) for name, count in split.notes.get("overlap", {}).items()},
        "warnings": list(split.notes.get("warnings", [])),
    }


def popularity_shift(fit: NDArray[np.int64], answers: NDArray[np.int64]) -> Figures:
    """Answers (I,) by tenths of the training events (I,), from the most popular items on; items unseen by them apart.

    Each tenth of the items holds about a tenth of the training events, so a bar above a tenth is a surplus.
    """
    order = np.argsort(-fit, kind="stable")
    held = np.cumsum(fit[order])
    if not held[-1] or not answers.sum():
        return absent("nothing is learnt from, or nothing known is hidden")
    middle = held - fit[order] / 2  # an item stands where its middle is
    tenth = np.minimum(middle * TENTHS // held[-1], TENTHS - 1).astype(np.int64)
    tenth[fit[order] == 0] = TENTHS
    found = np.bincount(tenth, answers[order], TENTHS + 1) / answers.sum()
    expected = np.bincount(tenth, fit[order], TENTHS + 1) / held[-1]
    items = np.bincount(tenth, minlength=TENTHS + 1)
    return {
        "hidden": found.tolist(),
        "learnt": expected.tolist(),
        "items": items.tolist(),
        "apart": apart(found, expected),
        "by_chance": apart_by_chance(expected, int(answers.sum())),
        "median_learnt": float(np.median(np.repeat(fit, fit))),
        "median_hidden": float(np.median(np.repeat(fit, answers))),
    }


def _labels_shift(labels: Labels | None, fit: NDArray[np.int64], answers: NDArray[np.int64], why: str) -> Figures:
    if labels is None:
        return absent(why)
    learnt, found = labels.of_counts(fit), labels.of_counts(answers)
    if not learnt.any() or not found.any():
        return absent(f"no {labels.what} of what is hidden or learnt from is known")
    order = np.argsort(-np.abs(found - learnt), kind="stable")[:MOVERS]
    return {
        "what": labels.what,
        "apart": apart(learnt, found),
        "by_chance": apart_by_chance(learnt, int(answers[labels.known].sum())),
        "moved": [{"label": labels.names[at], "learnt": float(learnt[at]), "hidden": float(found[at])}
                  for at in order.tolist()],
    }


def times_apart(dataset: Dataset, stage: Stage) -> Figures:
    """When the hidden events were, against those learnt from and against the same user's newest known event."""
    log = dataset.log
    why = without_times(log)
    if why:
        return absent(why)
    gone = ~stage.given
    if not gone.any() or not stage.fit.any():
        return absent("nothing of the log is hidden, or nothing learnt from")
    newest = log.select(stage.given).last_times()
    own = np.repeat(newest, log.counts)[gone]
    times, fit = log.times[gone], log.times[stage.fit]
    median = float(np.median(times))
    return {
        "median_learnt": day_of(float(np.median(fit))),
        "median_hidden": day_of(median),
        "older_than_own_share": share((times < own).sum(), len(times)),
        "same_moment_as_own_share": share((times == own).sum(), len(times)),
        "learnt_after_median_hidden_share": share((fit > median).sum(), len(fit)),
        "hidden_after_all_learnt_share": share((times > fit.max()).sum(), len(times)),
    }


def in_history(dataset: Dataset, stage: Stage) -> int:
    """Answers that the same user is asked with: a leak wherever nothing may be recommended again."""
    truth, log = stage.truth, dataset.log
    users = np.repeat(truth.users, truth.counts)
    known = (users >= 0) & (truth.items >= 0)
    pairs = users[known] * np.int64(log.n_items) + truth.items[known]
    given = log.users[stage.given] * np.int64(log.n_items) + log.items[stage.given]
    if not len(pairs):
        return 0
    at = np.minimum(np.searchsorted(pairs, given), len(pairs) - 1)  # pairs ascend, as users and their items do
    both = np.zeros(len(pairs), bool)
    both[at[pairs[at] == given]] = True
    return int(both.sum())
