"""A log of any size with the structure of a real one, drawn from a seed straight into arrays.

    synthetic:31360x6807[:seed]        films: no repeats, long histories, a third of the users in one sitting
    synthetic-uplus:8311x8000[:seed]   series for children: repeats, sessions, watch time, sparse profiles

What is planted, so that models have something to find: a few favourite tastes a user, popularity with a
heavy tail, sequels watched after their forerunner, items that nobody can watch before they are out, and
in the U+ kind repeats and the next episode. Quality figures on such data say nothing about real people:
use it for size and speed, and to see that a model finds what is there.

Cost: time and memory linear in events, about 1 s a million; users are drawn in blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee.data.source import Source
from matinee.data.synthetic_side import episodes, films, profiles, watching
from matinee.errors import UsageError

BLOCK = 1_000_000  # events drawn at a time: bounds what is held beside the result
SITTING = 0.32  # share of film users whose whole log is one sitting (10,097 of 31,360 in the competition)
UNSEEN = 0.03  # share of U+ profiles without a view
LOYALTY = np.cumsum([0.45, 0.2, 0.1])  # a user's three tastes; the rest of the draws follow popularity alone

_SPEC = re.compile(r"(synthetic|synthetic-uplus):([1-9]\d{0,8})x([1-9]\d{0,8})(?::(\d{1,18}))?")


@dataclass(frozen=True)
class Kind:
    """What differs between the two kinds."""

    start: int  # Unix seconds
    end: int
    median: float  # events a user, where the catalogue is large enough
    sigma: float  # of the logarithm of the number of events
    least: int
    session: int  # events a session
    series: int  # consecutive items that belong together
    repeat: float  # share of events that repeat an earlier one of the same user
    follow: float  # share of events that follow from the one before


FILMS = Kind(1_104_537_600, 1_420_070_400, 125.0, 0.95, 10, 25, 1, 0.0, 0.12)  # 2005 to 2014, mean 160 events
UPLUS = Kind(1_646_092_800, 1_651_363_200, 36.0, 1.48, 1, 6, 10, 0.35, 0.25)  # March and April 2022, mean 108


@dataclass(frozen=True)
class Catalogue:
    """What is true of the items. I items, G tastes, P = 2 I places: every item stands in two tastes."""

    place_items: NDArray[np.int32]  # (P,)  grouped by taste
    mass: NDArray[np.float64]  # (P,)  running sum of appeal over the places
    bounds: NDArray[np.float64]  # (G + 1,)  where each taste begins and ends in `mass`
    tastes: NDArray[np.int32]  # (I, 2)  main and second taste
    born: NDArray[np.int64]  # (I,)  Unix seconds; nobody watches an item before
    years: NDArray[np.int64]  # (I,)
    following: NDArray[np.int32]  # (I,)  the item watched next by somebody who liked this one


@dataclass(frozen=True)
class Events:
    users: NDArray[np.int32]  # (E,)  grouped by user, times ascending
    items: NDArray[np.int32]  # (E,)
    times: NDArray[np.int64]  # (E,)
    sessions: NDArray[np.int64]  # (E,)  the moment the session began


def is_spec(text: str) -> bool:
    """Does this name a synthetic source rather than a file?"""
    return text.startswith(("synthetic:", "synthetic-uplus:"))


def generate(spec: str) -> Source:
    """The log that `spec` names: exactly U users (U+: profiles) and I items; the same spec gives the same bytes.

    Raises UsageError where the words are wrong.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise UsageError("bad-synthetic", f"{spec!r} does not say how large the data should be",
                         "write synthetic:USERSxITEMS or synthetic:USERSxITEMS:SEED, as in synthetic:1000x500:7")
    kind = UPLUS if match[1] == "synthetic-uplus" else FILMS
    users, items, seed = int(match[2]), int(match[3]), int(match[4] or 0)
    rng = np.random.default_rng([seed, users, items, len(match[1])])
    catalogue = _catalogue(kind, items, rng)
    events = _events(kind, catalogue, users, rng)
    user_ids = _ids(users, rng)
    item_ids = _ids(items, rng)
    return Source(
        name=spec.replace(":", "-"),
        layout=match[1],
        users=user_ids.gather(events.users.astype(np.uint32)).alias("user"),
        items=item_ids.gather(events.items.astype(np.uint32)).alias("item"),
        times=events.times,
        columns=watching(events.items, events.sessions, items, rng) if kind is UPLUS else {},
        item_side=(episodes if kind is UPLUS else films)(item_ids, catalogue.tastes, catalogue.years, rng),
        user_side=profiles(user_ids, rng) if kind is UPLUS else (),
        repeats=kind is UPLUS,
        notes={"synthetic": spec},
    )


def _ids(n: int, rng: np.random.Generator) -> pl.Series:
    """(n,) distinct numbers with gaps, as text, ascending."""
    return pl.Series(np.cumsum(rng.integers(1, 9, n))).cast(pl.String)


def _catalogue(kind: Kind, n: int, rng: np.random.Generator) -> Catalogue:
    groups = int(np.clip(n // 40, 1, 40))
    heads = -(-n // kind.series)
    head = np.arange(n) // kind.series  # films are series of one
    appeal = rng.lognormal(0.0, 1.6, heads)[head] * 0.8 ** (np.arange(n) % kind.series) + 0.02
    size = rng.dirichlet(np.full(groups, 3.0))
    tastes = rng.choice(groups, (heads, 2), p=size)[head].astype(np.int32)

    place_items = np.tile(np.arange(n, dtype=np.int32), 2)
    place_tastes = tastes.T.ravel()
    place_appeal = np.concatenate([appeal * 0.8, appeal * 0.2])
    order = np.argsort(place_tastes, kind="stable")
    mass = np.cumsum(place_appeal[order])
    ends = np.searchsorted(place_tastes[order], np.arange(groups), side="right")
    bounds = np.concatenate([[0.0], np.concatenate([[0.0], mass])[ends]])

    before = rng.random(heads)[head] < 0.75
    span = kind.end - kind.start
    born = np.where(before, kind.start - (rng.beta(0.8, 3.5, heads)[head] * 2.6e9).astype(np.int64),
                    kind.start + (rng.random(heads)[head] * 0.95 * span).astype(np.int64))
    years = born.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    if kind.series > 1:
        following = np.minimum(np.arange(n) + 1, n - 1).astype(np.int32)
    else:
        chain = np.lexsort((rng.random(n), tastes[:, 0]))
        following = np.empty(n, np.int32)
        following[chain] = np.roll(chain, -1)
    return Catalogue(place_items[order], mass, bounds, tastes, born, years, following)


def _events(kind: Kind, catalogue: Catalogue, n_users: int, rng: np.random.Generator) -> Events:
    n_items = len(catalogue.born)
    # a history never holds more than half of the catalogue, and is short where the catalogue is small
    median = min(kind.median, max(1.0, n_items / 8))
    counts = np.exp(rng.normal(np.log(median), kind.sigma, n_users))
    most = max(1, n_items // 2) if not kind.repeat else 14_000
    counts = np.clip(counts, min(kind.least, most), most).astype(np.int64)
    if kind.repeat:
        counts[rng.random(n_users) < UNSEEN] = 0
    ends = np.cumsum(counts)
    edges = np.unique(np.searchsorted(ends, np.arange(0, ends[-1] + BLOCK, BLOCK)))
    edges[-1] = n_users
    parts = [_block(kind, catalogue, np.arange(a, b), counts[a:b], rng)
             for a, b in zip(np.r_[0, edges[:-1]], edges, strict=True) if b > a]
    drawn = Events(*(np.concatenate([getattr(part, name) for part in parts])
                     for name in ("users", "items", "times", "sessions")))
    return _complete(kind, drawn, catalogue, n_users, rng)


def _block(
    kind: Kind, catalogue: Catalogue, users: NDArray[np.int64], counts: NDArray[np.int64], rng: np.random.Generator
) -> Events:
    """The events of some users. Without repeats more is drawn than is kept, because doubles fall away."""
    drawn = counts if kind.repeat else counts + counts // 2 + 4
    owner = np.repeat(np.arange(len(users)), drawn)  # (D,) draws
    first = np.cumsum(drawn) - drawn
    rank = np.arange(len(owner)) - first[owner]
    times, sessions = _moments(kind, owner, first, drawn, rng)
    items = _draw(kind, catalogue, owner, rank, rng)
    keep = catalogue.born[items] <= times
    if not kind.repeat:
        at = np.flatnonzero(keep)
        _, newest = np.unique(owner[at] * np.int64(len(catalogue.born)) + items[at], return_index=True)
        keep = np.zeros(len(owner), bool)
        keep[at[newest]] = True
        kept = np.cumsum(keep)
        before = np.concatenate([[0], kept])[first][owner]
        keep &= kept - before <= counts[owner]
    return Events(users[owner[keep]].astype(np.int32), items[keep], times[keep], sessions[keep])


def _moments(
    kind: Kind, owner: NDArray[np.int64], first: NDArray[np.int64], drawn: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(D,) times and (D,) beginnings of sessions: quick steps with ties inside a session, long gaps between."""
    d = len(owner)
    begins = rng.random(d) < 1.0 / kind.session
    pace = rng.exponential(20.0 * 86_400 if kind is FILMS else 1.2 * 86_400, len(drawn))
    if kind is FILMS:
        pace[rng.random(len(drawn)) < SITTING] = 0.0
    quick = rng.integers(0, 40, d) if kind is FILMS else rng.integers(20, 900, d)
    gap = np.where(begins, (rng.exponential(1.0, d) * pace[owner]).astype(np.int64), quick)
    has = drawn > 0
    gap[first[has]] = 0
    begins[first[has]] = True
    offset = np.cumsum(gap)
    offset -= np.repeat(offset[first[has]], drawn[has])
    length = np.zeros(len(drawn), np.int64)
    length[has] = offset[(first + drawn - 1)[has]]
    span = kind.end - kind.start
    squeeze = np.minimum(1.0, span / np.maximum(length, 1))
    room = span - np.minimum(length, span)
    start = kind.start + (rng.random(len(drawn)) * room).astype(np.int64)
    times = start[owner] + (offset * squeeze[owner]).astype(np.int64)
    opener = np.maximum.accumulate(np.where(begins, np.arange(d), 0))
    return times, times[opener]


def _draw(
    kind: Kind, catalogue: Catalogue, owner: NDArray[np.int64], rank: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int32]:
    """(D,) items: by taste, by popularity, after the item before, or once more."""
    d, total = len(owner), catalogue.mass[-1]
    n_owners = int(owner[-1]) + 1 if d else 0
    likes = np.searchsorted(catalogue.bounds, rng.random((n_owners, 3)) * total, side="right") - 1
    which = np.searchsorted(LOYALTY, rng.random(d), side="right")
    taste = likes[owner, np.minimum(which, 2)]
    low = np.where(which < 3, catalogue.bounds[taste], 0.0)
    high = np.where(which < 3, catalogue.bounds[taste + 1], total)
    place = np.searchsorted(catalogue.mass, low + rng.random(d) * (high - low), side="right")
    items: NDArray[np.int32] = catalogue.place_items[np.minimum(place, len(catalogue.mass) - 1)]
    if kind.repeat:
        back = np.minimum(rng.geometric(0.1, d), rank)
        source = np.arange(d) - np.where(rng.random(d) < kind.repeat, back, 0)
        items = items[source]
    follows = (rng.random(d) < kind.follow) & (rank > 0)
    follows[1:] &= ~follows[:-1]
    at = np.flatnonzero(follows)
    items[at] = catalogue.following[items[at - 1]]
    return items


def _complete(
    kind: Kind, events: Events, catalogue: Catalogue, n_users: int, rng: np.random.Generator
) -> Events:
    """One event for each item that nobody drew, and for each user left without one where all must have some."""
    n_items = len(catalogue.born)
    lonely_items = np.flatnonzero(np.bincount(events.items, minlength=n_items) == 0)
    lonely_users = np.flatnonzero(np.bincount(events.users, minlength=n_users) == 0)
    if kind.repeat:
        lonely_users = lonely_users[:0]  # profiles without a view are part of this kind
    n = max(len(lonely_items), len(lonely_users))
    if n == 0:
        return events
    others = rng.permutation(n_users)
    users = np.concatenate([lonely_users, np.resize(others, n - len(lonely_users))])
    items = np.concatenate([lonely_items, np.full(n - len(lonely_items), np.argmin(catalogue.born))])
    newest = np.full(n_users, kind.start)
    np.maximum.at(newest, events.users, events.times)
    times = np.maximum(newest[users], catalogue.born[items])
    users = np.concatenate([events.users, users.astype(np.int32)])
    items = np.concatenate([events.items, items.astype(np.int32)])
    sessions = np.concatenate([events.sessions, times])
    times = np.concatenate([events.times, times])
    order = np.lexsort((times, users))
    return Events(users[order], items[order], times[order], sessions[order])
