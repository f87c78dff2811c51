"""Small data sets from rows of (user, item, time), and what a split hid in raw ids."""

from __future__ import annotations

from collections.abc import Iterable

from matinee.data.columns import Features
from matinee.data.dataset import Dataset, Facts
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.split.parts import PARTS, Split

Row = tuple[str, str, int]


def dataset_of(rows: Iterable[Row], *, repeats: bool = False) -> Dataset:
    rows = list(rows)
    users, items = Vocabulary.of([row[0] for row in rows]), Vocabulary.of([row[1] for row in rows])
    log = Interactions.from_events(
        users.encode([row[0] for row in rows]),
        items.encode([row[1] for row in rows]),
        [row[2] for row in rows],
        n_users=len(users),
        n_items=len(items),
    )
    return Dataset(log, users, items, Features(len(items)), Features(len(users)), Facts(repeats=repeats))


def hidden_of(dataset: Dataset, split: Split, stage: str) -> dict[str, dict[str, str]]:
    """Raw user -> raw item -> name of the part. Unknown users and items are left out."""
    truth = split.stages[stage].truth
    found: dict[str, dict[str, str]] = {}
    for at, user in enumerate(truth.users.tolist()):
        for event in range(truth.indptr[at], truth.indptr[at + 1]):
            if user >= 0 and truth.items[event] >= 0:
                items = found.setdefault(dataset.users[user], {})
                items[dataset.items[int(truth.items[event])]] = PARTS[truth.parts[event]]
    return found


def history_of(dataset: Dataset, split: Split, stage: str, user: str) -> list[str]:
    """Raw items that the user is asked with at this stage, oldest first."""
    given = dataset.log.select(split.stages[stage].given).take(dataset.users.encode([user]))
    return [dataset.items[item] for item in given.items.tolist()]


def steady(users: int, events: int) -> list[Row]:
    """Everybody has `events` different films, one an hour."""
    return [(f"user{u:04}", f"film{(7 * u + n) % (3 * events):03}", 1000 * u + 3600 * n)
            for u in range(users) for n in range(events)]
