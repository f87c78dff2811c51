"""What every way of combining lists shares: members joined by user, weights checked, points summed.

A member whose list of a user is missing or short says nothing there; its filled places are not its opinion
and count only where nothing else is left. A member of weight 0 is as if absent.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from matinee.errors import ConfigError, UsageError
from matinee.numerics.fusion import Fused, fuse
from matinee.ranking.lists import Lists

USERS_A_BLOCK = 4096

Histories = Callable[[NDArray[np.int64]], Interactions]
"""Rows of users (b,) -> what each had done when the members' lists were asked for."""


@dataclass(frozen=True, kw_only=True)
class ListMethod(ABC):
    """A recipe: several lists of a user to one list."""

    takes_weights: ClassVar[bool] = True
    """May members weigh differently?"""
    takes_repeats: ClassVar[bool] = False
    """May a member stand twice? Elsewhere it would only weigh double."""
    reads_histories: ClassVar[bool] = False
    """Does a list depend on what the user did, beside the members' lists?"""

    @property
    def exactly(self) -> int | None:
        """The number of members it combines, where it is a fixed one."""
        return None

    @abstractmethod
    def combine(
        self, members: Sequence[Lists], weights: Sequence[float] | None, k: int, histories: Histories | None = None
    ) -> Lists:
        """The best k of each user that any member has a list for; unknown users (-1) are left out.

        An item is `filled` in the result where it is filled in every member that holds it. weights (M,); None: equal.
        `histories` is needed where the method reads them.
        Raises ConfigError for members or weights that cannot be combined, UsageError for k < 1.
        """

    def checked(self, weights: Sequence[float] | None, members: int) -> NDArray[np.float64]:
        """(M,) the weights scaled to a sum of 1. Raises ConfigError where members or weights are not what it takes."""
        shares = checked_weights(weights, members)
        name = type(self).__name__
        if self.exactly not in (None, members):
            raise ConfigError("member-count", f"{name} has {members} members", f"it combines exactly {self.exactly}")
        if not self.takes_weights and len(set(shares.tolist())) > 1:
            raise ConfigError("weights-refused", f"{name} counts all members alike",
                              "leave out the weights, or use weighted_vote")
        return shares


@dataclass(frozen=True, kw_only=True)
class PointsMethod(ListMethod):
    """Every place of a list gives its item points, times the member's weight; most points first.

    Ties go to the larger sum of reciprocal ranks, then as `standing` says, then to the smaller external id.
    """

    @abstractmethod
    def points(self, ranks: NDArray[np.float64]) -> NDArray[np.float64]:
        """(D,) ranks from 1 -> (D,) points in [0, 1], never rising; an item that a list does not hold gets 0."""

    def standing(self, weights: NDArray[np.float64]) -> NDArray[np.int64]:
        """(M,) whose word counts first in a tie, 0 before 1; -1 for all where nobody's does."""
        return np.full(len(weights), -1)

    def combine(
        self, members: Sequence[Lists], weights: Sequence[float] | None, k: int, histories: Histories | None = None
    ) -> Lists:
        shares = self.checked(weights, len(members))
        members = [member for member, share in zip(members, shares, strict=True) if share > 0]
        shares = shares[shares > 0]
        depth = max(member.depth for member in members)
        points = shares[:, None] * self.points(np.arange(1.0, depth + 1))
        standing = self.standing(shares)
        return by_blocks(members, k, lambda items, filled: fuse(items, filled, points, standing, k))


def checked_weights(weights: Sequence[float] | None, members: int) -> NDArray[np.float64]:
    """(M,) the weights scaled to a sum of 1. Raises ConfigError where they are none."""
    if members == 0:
        raise ConfigError("no-members", "an ensemble without members", "list at least one under `members`")
    given = np.ones(members) if weights is None else np.asarray(weights, np.float64)
    if given.shape != (members,):
        raise ConfigError("bad-weights", f"{given.size} weights for {members} members", "give one weight a member")
    for weight in given.tolist():
        if not (math.isfinite(weight) and weight >= 0):
            raise ConfigError("bad-weights", f"{weight} is no weight", "give finite numbers of 0 or more")
    if not given.any():
        raise ConfigError("bad-weights", "the weights sum to 0", "give at least one member a weight above 0")
    scaled = given / given.max()  # first, so that a sum cannot overflow
    return np.asarray(scaled / scaled.sum())


def by_blocks(
    members: Sequence[Lists], k: int, fused: Callable[[NDArray[np.int32], NDArray[np.bool_]], Fused]
) -> Lists:
    """The users of all members, a block at a time: items and filled flags (b, M, D) -> lists (b, K) of them."""
    if k < 1:
        raise UsageError("bad-k", f"a list of {k} items was asked for", "ask for one or more")
    users = np.unique(np.concatenate([member.users for member in members]))
    users = users[users >= 0]
    depth = max(member.depth for member in members)
    parts = [fused(*_stacked(members, users[start : start + USERS_A_BLOCK], depth))
             for start in range(0, max(1, len(users)), USERS_A_BLOCK)]
    items, scores, filled = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Lists(users, items, scores, filled)


def _stacked(
    members: Sequence[Lists], users: NDArray[np.int64], depth: int
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    items = np.full((len(users), len(members), depth), -1, np.int32)
    filled = np.zeros(items.shape, bool)
    for at, member in enumerate(members):
        lists = member.of(users)
        items[:, at, : member.depth], filled[:, at, : member.depth] = lists.items, lists.filled
    return items, filled
