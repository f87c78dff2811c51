"""Results that look wrong, told in words: leaks, models that are not personal, lists that miss their users."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.hits import placed
from matinee.evaluation.uncertainty import mean
from matinee.ranking.lists import Lists
from matinee.split.parts import Truth

TOO_GOOD = 0.9
SAME_LIST = 0.99
_USERS_AT_ONCE = 4096
_FEW_USERS = 20  # with fewer, equal lists are no sign of anything


def warnings(
    lists: Lists, truth: Truth, given: Interactions, *, repeats: bool, personal: bool, depth: int = 10
) -> list[str]:
    """What is suspicious in the first `depth` places of the lists, a sentence each; empty where nothing is.

    given: the histories asked with, U users by row. repeats: may an item be recommended again? personal: does the
    model claim lists of each user's own?
    """
    top = lists.top(min(depth, lists.depth))
    found = [_unanswered(top, truth), _unknown_items(truth), _too_good(top, truth)]
    found += [] if repeats else [_already_had(top, given)]
    found += [_one_list(top)] if personal else []
    return [text for text in found if text]


def _unanswered(top: Lists, truth: Truth) -> str:
    without = int((top.of(truth.users).items < 0).all(axis=1).sum())
    return f"{without} of {len(truth)} users have no list; they score 0 and count" if without else ""


def _unknown_items(truth: Truth) -> str:
    outside = int((truth.items < 0).sum())
    return (f"{outside} of {len(truth.items)} hidden items are outside the catalogue; no list can hold them, "
            "and they count") if outside else ""


def _too_good(top: Lists, truth: Truth) -> str:
    name = f"recall@{top.depth}"
    value = mean(per_user(top, truth, [name])[name])
    return f"{name} is {value:.3f}, too good to be true: look for hidden events in what the model was given" \
        if value > TOO_GOOD else ""


def _already_had(top: Lists, given: Interactions) -> str:
    again = 0
    for start in range(0, len(top), _USERS_AT_ONCE):
        block = slice(start, start + _USERS_AT_ONCE)
        histories = given.take(top.users[block])
        again += int(placed(top.items[block], histories.indptr, histories.items).any(axis=1).sum())
    return f"the lists of {again} of {len(top)} users hold an item that the user already had" if again else ""


def _one_list(top: Lists) -> str:
    if len(top) < _FEW_USERS:
        return ""
    share = float((top.items == _usual(top.items)).all(axis=1).mean())
    return f"{share:.1%} of users share one list, though the model claims to be personal" if share > SAME_LIST else ""


def _usual(items: NDArray[np.int32]) -> NDArray[np.int64]:
    """(K,) the most frequent item of each place; where most users share one list, it is that list."""
    return np.array([np.bincount(place + 1).argmax() - 1 for place in items.T])
