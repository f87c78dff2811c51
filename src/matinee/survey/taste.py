"""Do tastes last? A user's early half against the late half, against two halves drawn by lot, and against strangers.

Likeness is what two mixtures of labels have in common (1 - total variation). Short halves differ by chance alone, so
the early and the late half are held against halves of the same history in random order: what is missing to those is
drift. Somebody else's late half says how much of the likeness is everybody's.

    lasting = (early_late - strangers) / (shuffled - strangers)        1: nothing drifts, 0: a taste is gone

Cost: one sort of the events of at most MOST_USERS users, drawn by a fixed seed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.data.sessions import one_day_dumps
from matinee.survey.figures import Figures, absent, share, without_times
from matinee.survey.labels import Labels, decades, genres

LEAST_EVENTS, LEAST_USERS, MOST_USERS = 20, 30, 20_000
BARS = 20


def taste(dataset: Dataset) -> Figures:
    """By genres and by release decades; absent where order is unknown or too few histories are long enough."""
    why = without_times(dataset.log)
    if why:
        return absent(why)
    users = np.flatnonzero(dataset.log.counts >= LEAST_EVENTS)
    if len(users) < LEAST_USERS:
        return absent(f"{len(users)} users have {LEAST_EVENTS} events and more, fewer than {LEAST_USERS}")
    if len(users) > MOST_USERS:
        users = np.sort(np.random.default_rng(0).choice(users, MOST_USERS, replace=False))
    log = dataset.log.take(users)
    halves = _halves(log, np.random.default_rng(1))
    quick = one_day_dumps(log)
    found: Figures = {"users": len(users), "within_one_day_share": share(quick.sum(), len(users))}
    for name, labels in (("genres", genres(dataset)), ("decades", decades(dataset))):
        if labels is None:
            missing = "genres" if name == "genres" else "release years"
            found[name] = absent(f"the items have no {missing}")
        else:
            found[name] = {"what": labels.what, **_likeness(log, labels, halves, quick)}
    return found


def _halves(log: Interactions, rng: np.random.Generator) -> dict[str, NDArray[np.bool_]]:
    """Masks (E,): the early and late half of each history, and two halves by lot; an odd event is left out."""
    counts = np.repeat(log.counts, log.counts)
    place = np.arange(len(log)) - np.repeat(log.indptr[:-1], log.counts)
    lot = np.empty(len(log), np.int64)
    lot[np.argsort(log.users + rng.random(len(log)))] = place  # the order inside users, drawn anew
    return {"early": place < counts // 2, "late": place >= counts - counts // 2,
            "one": lot < counts // 2, "other": lot >= counts - counts // 2}


def _likeness(
    log: Interactions, labels: Labels, halves: dict[str, NDArray[np.bool_]], quick: NDArray[np.bool_]
) -> Figures:
    mixtures = {name: _mixtures(log.select(half), labels) for name, half in halves.items()}
    known = np.logical_and.reduce([mixture.any(axis=1) for mixture in mixtures.values()])
    if known.sum() < LEAST_USERS:
        return absent(f"{int(known.sum())} of these users have known {labels.what}s in all halves")
    early, late, one, other = (mixture[known] for mixture in mixtures.values())
    turn = np.random.default_rng(2).permutation(len(early))
    strange = np.empty_like(turn)
    strange[turn] = np.roll(turn, 1)
    measured = {"early_late": _common(early, late), "shuffled": _common(one, other),
                "strangers": _common(early, late[strange])}
    edges = np.linspace(0, 1, BARS + 1)
    lost = measured["shuffled"] - measured["early_late"]
    moved = late.mean(axis=0) - early.mean(axis=0)
    up, down = int(moved.argmax()), int(moved.argmin())
    return {
        "users": len(early),
        **{name: float(values.mean()) for name, values in measured.items()},
        "lost": float(lost.mean()),
        "lost_half_width": float(1.96 * lost.std() / np.sqrt(len(lost))),
        "lasting": _lasting(measured, np.ones(len(early), bool)),
        "lasting_within_one_day": _lasting(measured, quick[known]),
        "lasting_others": _lasting(measured, ~quick[known]),
        "toward": {"label": labels.names[up], "change": float(moved[up])},
        "away_from": {"label": labels.names[down], "change": float(moved[down])},
        "edges": edges.tolist(),
        "counts": {name: np.histogram(values, edges)[0].tolist() for name, values in measured.items()},
    }


def _mixtures(log: Interactions, labels: Labels) -> NDArray[np.float64]:
    """(U, G) label shares of each history; zeros where nothing is known."""
    events = csr_array((np.ones(len(log)), log.items, log.indptr), shape=(log.n_users, log.n_items))
    held: NDArray[np.float64] = (events @ labels.shares).toarray()
    totals = held.sum(axis=1, keepdims=True)
    return held / np.where(totals > 0, totals, 1.0)


def _common(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    """(U,) what the mixtures (U, G) of each row have in common."""
    common: NDArray[np.float64] = np.minimum(one, two).sum(axis=1)
    return common


def _lasting(measured: dict[str, NDArray[np.float64]], users: NDArray[np.bool_]) -> float | None:
    """None for too few users, or where two halves of a history are no more alike than two histories."""
    if users.sum() < LEAST_USERS:
        return None
    kept, most, least = (float(measured[name][users].mean()) for name in ("early_late", "shuffled", "strangers"))
    return (kept - least) / (most - least) if most - least > 0.01 else None
