"""One user's lists combined with exact fractions and nothing but loops.

A list is [(item, filled), ...], best first; a member without a list has [].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

Listed = list[tuple[int, bool]]


def by_points(
    members: Sequence[Listed],
    weights: Sequence[Fraction],
    points: Callable[[int], Fraction],
    k: int,
    standing: Sequence[int] | None = None,
) -> Listed:
    """Most points first; then the larger sum of reciprocal ranks; then the better standing; then the smaller item."""
    heard = [(member, weight, m) for m, (member, weight) in enumerate(zip(members, weights, strict=True)) if weight > 0]
    items = {item for member, _, _ in heard for item, _ in member}

    def key(item: int) -> tuple[object, ...]:
        places = [(rank, weight, m, filled) for member, weight, m in heard
                  for rank, (one, filled) in enumerate(member, 1) if one == item]
        meant = [place for place in places if not place[3]]
        total = sum((weight * points(rank) for rank, weight, _, _ in meant), Fraction())
        ranks = sum((Fraction(1, rank) for rank, _, _, _ in meant or places), Fraction())
        holder = min((standing[m], rank) for rank, _, m, _ in meant) if standing and meant else (0, 0)
        return not meant, -total, -ranks, holder, item

    return [(item, bool(key(item)[0])) for item in sorted(items, key=key)[:k]]


def rank_sum(members: Sequence[Listed], depth: int, absent: int) -> list[int]:
    """As the method is usually told: ascending sums of ranks, `absent` where an item is not in the first `depth`."""
    items = {item for member in members for item, _ in member[:depth]}
    return sorted(items, key=lambda item: sum(
        next((rank for rank, (one, _) in enumerate(member[:depth], 1) if one == item), absent) for member in members))


def half_and_half(first: Listed, second: Listed, places: int, k: int) -> Listed:
    taken: Listed = []
    for filled in (False, True):
        waiting = [[item for item, flag in member if flag == filled] for member in (first, second)]
        while len(taken) < k:
            mine = 0 if len(taken) % places < (places + 1) // 2 else 1
            gone = {item for item, _ in taken}
            left = [[item for item in one if item not in gone] for one in waiting]
            chosen = left[mine] or left[1 - mine]
            if not chosen:
                break
            taken.append((chosen[0], filled))
    return taken
