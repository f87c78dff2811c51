"""What each way of splitting would hide of this log, at its default settings: so that one can be chosen."""

from __future__ import annotations

import numpy as np

from matinee.data.dataset import Dataset
from matinee.data.sample import sample
from matinee.errors import DataError
from matinee.split import PROTOCOLS
from matinee.survey.figures import Figures, absent, share
from matinee.survey.hidden import popularity_shift, times_apart

COMPARED = ("gap_and_tail", "leave_last", "random_ratio", "by_time", "unseen_users")
NEED_TIMES = ("leave_last", "by_time")


MOST_EVENTS = 2_000_000
"""Of a larger log so many users are drawn that about so many events are left."""


def protocols(dataset: Dataset) -> Figures:
    """One row a protocol: users asked, items hidden, cold ones, what is older than one's newest, what learns late."""
    log = dataset.log
    if len(log) > MOST_EVENTS:
        dataset = sample(dataset, users=max(1, log.n_users * MOST_EVENTS // len(log)))
    return {"users": int((dataset.log.counts > 0).sum()), "sampled": dataset.log is not log,
            "rows": {name: _of(name, dataset) for name in COMPARED}}


def _of(name: str, dataset: Dataset) -> Figures:
    if name in NEED_TIMES and not dataset.log.times.any():
        return absent("it needs times")
    try:
        split = PROTOCOLS[name]().split(dataset)
    except DataError as error:
        return absent(error.what)
    stage, counts = split.stages["test"], split.notes["test"]
    fit = np.bincount(dataset.log.items[stage.fit], minlength=dataset.n_items)
    answers = np.bincount(stage.truth.items[stage.truth.items >= 0], minlength=dataset.n_items)
    times = times_apart(dataset, stage)
    shift = popularity_shift(fit, answers)
    return {
        "users": counts["users"],
        "hidden": counts["hidden_items"],
        "users_new_share": share(counts["users_new_to_fit"], counts["users"]),
        "cold_share": share(counts["cold_hidden_items"], counts["hidden_items"]),
        "older_than_own_share": times.get("older_than_own_share"),
        "learnt_after_median_hidden_share": times.get("learnt_after_median_hidden_share"),
        "popularity_apart": shift.get("apart"),
    }
