"""Checks of rows, users and items: doubles, twins, giants, one film under two ids, columns that tell answers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.data.columns import Numbers, Texts
from matinee.data.dataset import Dataset
from matinee.survey.figures import NO_EVENTS, counted, percent, share
from matinee.survey.findings import Check, Finding
from matinee.survey.labels import item_events

TWINS_FROM = 5
"""Histories of fewer distinct items are alike by chance."""
GIANT, GIANT_EVENTS = 5, 1000
"""So many times the 99 % quantile of histories, and at least so many events."""
TELLING, TELLING_ITEMS = 0.9, 30
"""A rank correlation with the counts of this log, over so many items and more, that no column made apart has."""
EXAMPLES = 3

DOUBLES = Check("doubles", "Does the same row stand in the log twice?")
AGAIN = Check("repeated_pairs", "Does a user have the same item more than once?")
TWINS = Check("twin_users", "Do several users have the very same items?")
GIANTS = Check("giants", "Did anybody do far more than all others?")
NAMESAKES = Check("namesakes", "Does one title of one year stand under several ids?")
TELLTALES = Check("telling_columns", "Does a column of the items repeat how popular they are here?")
ODD_IDS = Check("odd_ids", "Are ids there that are easily taken for others?")


def odd_rows(dataset: Dataset, facts: dict[str, Any]) -> list[Finding]:
    """What these checks found; `facts` as `describe` gives them."""
    if not len(dataset.log):
        return [check.unchecked(NO_EVENTS) for check in (DOUBLES, AGAIN, TWINS, GIANTS, NAMESAKES, TELLTALES, ODD_IDS)]
    return [*_pairs(facts), _twins(dataset), _giants(dataset), _namesakes(dataset), _telltales(dataset), _ids(facts)]


def _pairs(facts: dict[str, Any]) -> tuple[Finding, Finding]:
    pairs, events = facts["pairs"], facts["events"]
    same, again, normal = pairs["same_pair_same_time"], pairs["repeated_events"], facts["may_repeat"]
    doubles = (DOUBLES.unchecked("without times a double and a repeat look alike") if facts["time"] is None else
               DOUBLES.found(same, events, f"{counted(same, 'double')}: the same user, item and second once more",
                             "take them out of the file" if normal else "`duplicates: last` keeps one of each",
                             alarm=same > 0.01 * events))
    if normal:
        return doubles, AGAIN.unchecked("items may be had again here: repeats are no fault")
    return doubles, AGAIN.found(
        again, events,
        f"{again:,} events ({percent(share(again, events))}) repeat a pair of user and item, and lists will hold "
        "nothing seen",
        "`duplicates: last`, or `repeats: true` where having something again is normal", alarm=again > 0.05 * events,
    )


def _twins(dataset: Dataset) -> Finding:
    """Users by the sum of a random number of each of their distinct items: equal sums are equal sets, but for luck."""
    marks = np.random.default_rng(0).integers(0, 2**63, dataset.n_items, dtype=np.uint64)
    matrix = dataset.log.matrix()
    sizes = np.diff(matrix.indptr)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(marks[matrix.indices], dtype=np.uint64)])
    of_user = np.diff(sums[matrix.indptr])  # wraps around, as sums of 64 bits may
    users = np.flatnonzero(sizes >= TWINS_FROM)
    order = users[np.argsort(of_user[users], kind="stable")]
    same = np.concatenate([[False], of_user[order][1:] == of_user[order][:-1]])
    twins = int(same.sum())
    at = np.flatnonzero(same)[:EXAMPLES]
    return TWINS.found(
        twins, len(users),
        f"{counted(twins, 'time')} a user has exactly the items of another user, {TWINS_FROM} or more",
        "copies stand on both sides of a split of users: keep one of each",
        [f"{dataset.users[int(order[one - 1])]} and {dataset.users[int(order[one])]}: {sizes[order[one]]:,} items"
         for one in at.tolist()],
        alarm=twins > 0.01 * len(users),
    )


def _giants(dataset: Dataset) -> Finding:
    counts = dataset.log.counts
    usual = float(np.quantile(counts[counts > 0], 0.99))
    giants = np.flatnonzero((counts >= GIANT * usual) & (counts >= GIANT_EVENTS))
    held = int(counts[giants].sum())
    order = giants[np.argsort(-counts[giants], kind="stable")][:EXAMPLES]
    return GIANTS.found(
        len(giants), int((counts > 0).sum()),
        f"{counted(len(giants), 'user')} with {percent(share(held, len(dataset.log)))} of the events: over {GIANT} "
        f"times what 99 % of the users have at most ({usual:,.0f})",
        "programs, shops, shared accounts: they move neighbours and popularity; try without them",
        [f"user {dataset.users[user]}: {counts[user]:,} events" for user in order.tolist()],
        alarm=held > 0.05 * len(dataset.log),
    )


def _namesakes(dataset: Dataset) -> Finding:
    columns = dataset.item_features.columns
    titles, year = columns.get("title"), columns.get("year")
    if not isinstance(titles, Texts):
        return NAMESAKES.unchecked("the items have no titles")
    released: list[Any] = year.values.tolist() if isinstance(year, Numbers) else [0.0] * len(titles)
    events = item_events(dataset.log)
    named = [(text.strip().casefold(), at_year if at_year == at_year else 0.0)
             for text, at_year in zip(titles.values, released, strict=True)]
    often = Counter(name for name, n in zip(named, events.tolist(), strict=True) if name[0] and n)
    several = {name for name, n in often.items() if n > 1}
    items = [item for item, name in enumerate(named) if name in several and events[item]]
    shown: dict[Any, list[int]] = {}
    for item in items:
        shown.setdefault(named[item], []).append(item)
    first = sorted(shown.values(), key=lambda own: -int(events[own].sum()))[:EXAMPLES]
    return NAMESAKES.found(
        len(items), int((events > 0).sum()),
        f"{len(items):,} items share title and year with another: {counted(len(several), 'title')}, and "
        f"{percent(share(int(events[items].sum()), len(dataset.log)))} of the events",
        "if they are one film, half of its events teach nothing about the other half: join the ids",
        [f"{titles.values[own[0]]}: items {', '.join(dataset.items[item] for item in own[:4])}" for own in first],
    )


def _telltales(dataset: Dataset) -> Finding:
    counts = item_events(dataset.log)
    numbers = {name: column.values for name, column in dataset.item_features.columns.items()
               if isinstance(column, Numbers)}
    if not numbers:
        return TELLTALES.unchecked("the items have no columns of numbers")
    alike = {name: rank_correlation(values, counts) for name, values in numbers.items()}
    telling = {name: value for name, value in alike.items() if abs(value) >= TELLING}
    return TELLTALES.found(
        len(telling), len(numbers),
        f"{', '.join(telling)}: all but the order of how often items occur in this log, hidden events included",
        "do not learn from it: it was counted from what is to be found",
        [f"{name}: rank correlation {value:.2f}" for name, value in telling.items()][:EXAMPLES], alarm=True,
    )


def rank_correlation(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """Spearman's, over the items (I,) whose value is known; 0 for too few of them, or where either is all the same."""
    known = ~np.isnan(values)
    if known.sum() < TELLING_ITEMS:
        return 0.0
    one, two = _ranks(values[known]), _ranks(counts[known])
    return float(np.corrcoef(one, two)[0, 1]) if one.std() and two.std() else 0.0


def _ranks(values: NDArray[np.number[Any]]) -> NDArray[np.float64]:
    """(n,) ranks from 1, equal values sharing the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return ranks[place]


def _ids(facts: dict[str, Any]) -> Finding:
    kinds = (("blank_at_an_end", "begin or end with a blank"), ("alike", "differ only in blanks or in their "
                                                                         "encoding"),
             ("formula_start", "begin as a formula does"))
    told = [f"{ids[key]:,} of {whose} "
            f"{words}" for whose, ids in facts["ids"].items() for key, words in kinds if ids[key]]
    count = sum(ids[key] for ids in facts["ids"].values() for key, _ in kinds)
    return ODD_IDS.found(count, facts["users"] + facts["items"], f"ids that others may mistake: {'; '.join(told)}",
                         "files keep them exactly; a spreadsheet or a join may not")
