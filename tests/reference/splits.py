"""Gap-and-tail and leave-last, slow and obvious: rows of (user, item, time) in file order, nothing but loops.

Both return, for each stage, user -> item -> part.
"""

from __future__ import annotations

import math
from hashlib import blake2b

Row = tuple[str, str, int]
Hidden = dict[str, dict[str, str]]
MASK = 2**64 - 1


def gap_and_tail(rows: list[Row], *, seed: int, fraction: float, most_hidden: int, tail: float, repeats: bool
                 ) -> dict[str, Hidden]:
    def rule(left: list[Row]) -> dict[Row, str]:
        n = len(left)
        hidden = min(min(max(round(fraction * n), 2), most_hidden), n // 2)
        newest = math.ceil(round(tail * hidden, 9))
        earlier = sorted(left[: n - newest], key=lambda row: key(seed, *row))
        return {**dict.fromkeys(earlier[: hidden - newest], "gap"), **dict.fromkeys(left[n - newest :], "tail")}

    return _by_user(rows, rule, rule, repeats)


def leave_last(rows: list[Row], *, valid: int, test: int) -> dict[str, Hidden]:
    def newest(size: int, left: list[Row]) -> dict[Row, str]:
        return dict.fromkeys(left[-size:], "tail") if len(left) > size else {}

    return _by_user(rows, lambda left: newest(test, left), lambda left: newest(valid, left), False)


def _by_user(rows, test_rule, valid_rule, repeats) -> dict[str, Hidden]:
    found: dict[str, Hidden] = {"valid": {}, "test": {}}
    for user in {row[0] for row in rows}:
        left = sorted((row for row in rows if row[0] == user), key=lambda row: row[2])
        if not repeats:  # a film counts once, where it was seen last
            last = {row[1]: at for at, row in enumerate(left)}
            left = [left[at] for at in sorted(last.values())]
        for stage, rule in (("test", test_rule), ("valid", valid_rule)):
            hidden = rule(left)
            left = [row for row in left if row not in hidden]
            for row, part in sorted(hidden.items(), key=lambda pair: pair[1]):  # "tail" wins over "gap"
                found[stage].setdefault(user, {})[row[1]] = part
    return found


def key(seed: int, user: str, item: str, time: int) -> int:
    shuffled = (mix(_hash(user) ^ _hash(str(seed))) + _hash(item)) & MASK
    return mix(mix(shuffled) ^ (time & MASK))


def mix(x: int) -> int:
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 & MASK
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
