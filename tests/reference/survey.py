"""Figures of a log counted event by event, in plain Python: the slow twins of `matinee.survey`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Event = tuple[int, int, int]  # user, item, time; in order of user and time, ties as in the file
DAY = 86_400


def histories(events: list[Event]) -> dict[int, list[tuple[int, int]]]:
    """(item, time) of each user, oldest first."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for user, item, time in events:
        found[user].append((item, time))
    return found


def starts(times: list[int], unit: str) -> list[str]:
    """First day (or hour) of the bin of each time, by the calendar."""
    out = []
    for time in times:
        moment = datetime.fromtimestamp(time, UTC)
        day = moment.date()
        if unit == "hour":
            out.append(f"{day} {moment.hour:02}:00")
        elif unit == "week":
            out.append(str(day - timedelta(days=day.weekday())))
        else:
            out.append(str(day.replace(day=day.day if unit == "day" else 1, month=1 if unit == "year" else day.month)))
    return out


def activity(events: list[Event], unit: str) -> dict[str, dict[str, int]]:
    """Events, active users, new users and new items by bin."""
    where = starts([time for _, _, time in events], unit)
    users: dict[str, set[int]] = defaultdict(set)
    first_user: dict[int, str] = {}
    first_item: dict[int, str] = {}
    for (user, item, _), start in zip(events, where, strict=True):
        users[start].add(user)
        first_user[user] = min(first_user.get(user, start), start)
        first_item[item] = min(first_item.get(item, start), start)
    return {"events": dict(Counter(where)), "users": {start: len(who) for start, who in users.items()},
            "new_users": dict(Counter(first_user.values())), "new_items": dict(Counter(first_item.values()))}


def gini(counts: list[int]) -> float:
    """Half the relative mean absolute difference, over all pairs."""
    n, total = len(counts), sum(counts)
    return sum(abs(a - b) for a in counts for b in counts) / (2 * n * total)


def top_share(counts: list[int], percent: int) -> float:
    n = -(-len(counts) * percent // 100)
    return sum(sorted(counts, reverse=True)[:n]) / sum(counts)


def threshold(events: list[Event], least: int) -> tuple[int, int, int]:
    """Items, events and users that stay."""
    counts = Counter(item for _, item, _ in events)
    kept = [event for event in events if counts[event[1]] >= least]
    return len({item for _, item, _ in kept}), len(kept), len({user for user, _, _ in kept})


def spans(events: list[Event]) -> list[int]:
    """Seconds from first to last of each user with several events."""
    return [times[-1] - times[0] for times in ([time for _, time in one] for one in histories(events).values())
            if len(times) > 1]


def group_sizes(events: list[Event]) -> list[int]:
    """Of each user and moment."""
    return list(Counter((user, time) for user, _, time in events).values())


def unsure(events: list[Event]) -> int:
    """Users whose two newest events are of one moment."""
    return sum(one[-1][1] == one[-2][1] for one in histories(events).values() if len(one) > 1)


def visits(events: list[Event], place: Callable[[datetime], Any]) -> dict[Any, int]:
    """Distinct (user, hour) by a place in a cycle."""
    seen = {(user, time // 3600) for user, _, time in events}
    return dict(Counter(place(datetime.fromtimestamp(hour * 3600, UTC)) for _, hour in seen))


def covered(events: list[Event], place: Callable[[datetime], Any]) -> dict[Any, int]:
    """Hours of the log, from the first to the last, by a place in a cycle."""
    times = [time for _, _, time in events]
    return dict(Counter(place(datetime.fromtimestamp(hour * 3600, UTC))
                        for hour in range(min(times) // 3600, max(times) // 3600 + 1)))


def mixture(items: list[int], labels: list[list[str]]) -> dict[str, float]:
    """Shares of labels, an item of n labels counting 1 / n for each; items without labels are left out."""
    found: dict[str, float] = defaultdict(float)
    for item in items:
        for label in labels[item]:
            found[label] += 1 / len(labels[item])
    total = sum(found.values())
    return {label: value / total for label, value in found.items()} if total else {}


def common(one: dict[str, float], two: dict[str, float]) -> float:
    return sum(min(one.get(label, 0.0), two.get(label, 0.0)) for label in {*one, *two})


def early_and_late(events: list[Event], labels: list[list[str]], least: int) -> float:
    """Mean of what the early and the late half of long histories have in common."""
    likeness = []
    for one in histories(events).values():
        items = [item for item, _ in one]
        half = len(items) // 2
        if len(items) >= least:
            likeness.append(common(mixture(items[:half], labels), mixture(items[len(items) - half :], labels)))
    return sum(likeness) / len(likeness)


def ages(events: list[Event], years: list[int]) -> list[int]:
    return [datetime.fromtimestamp(time, UTC).year - years[item] for _, item, time in events if years[item]]


def tenths(learnt: Counter[int], hidden: list[int], n_items: int) -> list[float]:
    """Shares of hidden items by tenths of the training events, most popular items first; unseen ones last."""
    total = sum(learnt.values())
    before, tenth = 0, {}
    for item in sorted(range(n_items), key=lambda item: (-learnt[item], item)):
        tenth[item] = min(9, int((before + learnt[item] / 2) * 10 // total)) if learnt[item] else 10
        before += learnt[item]
    counts = Counter(tenth[item] for item in hidden)
    return [counts[at] / len(hidden) for at in range(11)]
