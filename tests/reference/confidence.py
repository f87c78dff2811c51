"""Confidences event by event, from their formulas."""

from __future__ import annotations

import math
from collections import Counter


def genre_preference(histories, genres):
    """histories: lists of items; genres: item -> list of labels. One weight an event."""
    out = []
    for history in histories:
        taste = Counter(label for item in history for label in genres[item])
        total = sum(taste.values())
        out += [1 + sum(taste[label] / total for label in genres[item]) for item in history]
    return out


def time(histories):
    """histories: lists of times."""
    out = []
    for times in histories:
        low, high = min(times, default=0), max(times, default=0)
        out += [1 + (t - low) / (high - low) if high > low else 1.0 for t in times]
    return out


def popularity_and_genre(histories, genres, n_items):
    """The training log is the histories themselves."""
    users = [sum(item in history for history in histories) for item in range(n_items)]
    span = max(users) - min(users)
    popular = [(users[item] - min(users)) / span for history in histories for item in history]
    return [p + g for p, g in zip(popular, genre_preference(histories, genres), strict=True)]


def view_count(histories):
    return [math.log(1 + history.count(item)) for history in histories for item in history]


def recency_half_life(histories, half_life_days):
    return [max(2**-20, 0.5 ** ((max(times) - t) / 86_400 / half_life_days)) for times in histories for t in times]
