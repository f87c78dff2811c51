"""From what is hidden of each event to stages, truths, and the counts that people should see.

`hidden` arrays are (E,) int8: -1 for an event that is kept, else its position in PARTS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.split.parts import PARTS, Split, Stage, Truth
from matinee.split.protocol import Protocol
from matinee.split.units import count_each

ACROSS_USERS = ("training holds events of other users that are younger than hidden ones: "
                "figures say nothing about the future")


def split_by_hidden(
    protocol: Protocol,
    dataset: Dataset,
    valid: NDArray[np.int8],
    test: NDArray[np.int8],
    warnings: Sequence[str] = (),
    notes: Mapping[str, Any] | None = None,
) -> Split:
    """Valid learns from and asks with what neither stage hides; test asks with all that it does not hide itself."""
    train, known = (valid < 0) & (test < 0), test < 0
    stages = {
        "valid": Stage(train, train, truth_of(dataset.log, valid)),
        "test": Stage(known if protocol.refit else train, known, truth_of(dataset.log, test)),
    }
    return finish(protocol, dataset, stages, warnings, notes)


def finish(
    protocol: Protocol,
    dataset: Dataset,
    stages: Mapping[str, Stage],
    warnings: Sequence[str] = (),
    notes: Mapping[str, Any] | None = None,
) -> Split:
    """Count what people should know. Raises DataError where a stage hides nothing or leaves nothing to learn from."""
    for name, stage in stages.items():
        for missing, code, what in ((len(stage.truth) == 0, "nothing-hidden", f"the {name} part would be empty"),
                                    (not stage.fit.any(), "nothing-left", f"nothing is left to learn from at {name}")):
            if missing:
                raise DataError(code, f"{protocol.settings['protocol']} on {len(dataset.log)} events: {what}",
                                "give more events, hide another share, or choose another protocol")
    counts = {name: _counts(dataset.log, stage) for name, stage in stages.items()}
    return Split(protocol.settings, stages, {**counts, **(notes or {}), "warnings": list(warnings)})


def truth_of(log: Interactions, hidden: NDArray[np.int8]) -> Truth:
    """Distinct hidden items of each user; an item hidden in two parts counts in the later one of PARTS."""
    events = np.flatnonzero(hidden >= 0)
    users = np.searchsorted(log.indptr, events, side="right") - 1
    return distinct(users, log.items[events].astype(np.int64), hidden[events])


def distinct(users: NDArray[np.int64], items: NDArray[np.int64], parts: NDArray[np.int8]) -> Truth:
    """Truth from rows (H,) of known users in any order, repeats allowed."""
    order = np.lexsort((parts, items, users))
    users, items, parts = users[order], items[order], parts[order]
    last = np.ones(len(users), bool)
    last[:-1] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    found, counts = np.unique(users[last], return_counts=True)
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Truth(found, indptr, items[last].astype(np.int32), parts[last])


def _counts(log: Interactions, stage: Stage) -> dict[str, int]:
    truth = stage.truth
    known = truth.users[truth.users >= 0]
    in_fit = np.zeros(log.n_items + 1, bool)  # the last place is for items outside the catalogue
    in_fit[log.items[stage.fit]] = True
    cold = ~in_fit[np.where(truth.items < 0, log.n_items, truth.items)]
    active = log.counts > 0
    fitted, asked = (count_each(events, log.indptr) > 0 for events in (stage.fit, stage.given))
    return {
        "fit_events": int(stage.fit.sum()),
        "given_events": int(stage.given.sum()),
        "users": len(truth),
        "users_with_nothing_hidden": int(active.sum()) - int(active[known].sum()),
        "users_new_to_fit": len(truth) - int(fitted[known].sum()),
        "users_without_history": len(truth) - int(asked[known].sum()),
        "hidden_items": len(truth.items),
        **{f"hidden_{name}": int((truth.parts == at).sum()) for at, name in enumerate(PARTS) if at},
        "cold_hidden_items": int(cold.sum()),
        "cold_items": len(np.unique(truth.items[cold])),
    }
