"""Small logs for the tests of the survey: drawn ones without oddities, and ones with one planted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matinee.data.columns import Categories, Features, Numbers, Texts
from matinee.data.dataset import Dataset, Facts
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from tests.reference.survey import Event

U, I, DAYS = 60, 40, 900
START = 1_300_000_000
GENRES = ("드라마", "Action", "Comedy", "<b>Noir</b>", "a $1 and $2")


def events(seed: int = 0, users: int = U, items: int = I, days: int = DAYS, seconds: int = 1) -> list[Event]:
    """Histories of 2 to 29 distinct items at times all over the log, popular items first; in order of user and time."""
    rng = np.random.default_rng(seed)
    appeal = 1 / np.arange(1, items + 1)
    found = []
    for user in range(users):
        n = int(rng.integers(2, 3 * items // 4))
        chosen = rng.choice(items, n, replace=False, p=appeal / appeal.sum())
        times = np.sort(START + rng.integers(0, days * 86_400 // seconds, n) * seconds)
        found += [(user, int(item), int(time)) for item, time in zip(chosen, times, strict=True)]
    return found


def labels(seed: int = 0, items: int = I) -> list[list[str]]:
    """From none to three genres of each item."""
    rng = np.random.default_rng([seed, 1])
    return [list(rng.choice(GENRES, int(rng.integers(0, 4)), replace=False)) for _ in range(items)]


def years(seed: int = 0, items: int = I) -> list[int]:
    """Release years before the log begins, some unknown (0)."""
    rng = np.random.default_rng([seed, 2])
    return [0 if rng.random() < 0.1 else int(rng.integers(1935, 2011)) for _ in range(items)]


def dataset(
    rows: Sequence[Event], *, side: bool = True, repeats: bool = False, titles: Sequence[str] = (),
    numbers: Sequence[float] = (), users: int = 0, items: int = I,
) -> Dataset:
    """The rows as a data set, with genres, years and titles unless `side` is false."""
    n_users = users or max((user for user, _, _ in rows), default=-1) + 1
    log = Interactions.from_events([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows],
                                   n_users=n_users, n_items=items)
    columns: dict[str, Categories | Numbers | Texts] = {}
    if side:
        pairs = [(item, label) for item, own in enumerate(labels(items=items)) for label in own]
        marked = np.array([item for item, _ in pairs])
        columns["genre"] = Categories.from_pairs(marked, [name for _, name in pairs], items)
        columns["year"] = Numbers(np.array([year or np.nan for year in years(items=items)], np.float64))
        columns["title"] = Texts(tuple(titles) or tuple(f"영화 {item}" for item in range(items)))
    if len(numbers):
        columns["votes"] = Numbers(np.array(numbers, np.float64))
    return Dataset(log, Vocabulary.of([f"u{user:04}" for user in range(n_users)]),
                   Vocabulary.of([f"i{item:04}" for item in range(items)]), Features(items, columns), Features(n_users),
                   Facts(name="작은 자료", repeats=repeats))
