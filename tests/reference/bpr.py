"""One epoch of pairwise learning, and what it is a sample of, as loops over plain numbers: slow and obvious."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
_ALL = (1 << 64) - 1


@dataclass
class Counter:
    """SplitMix64."""

    state: int

    def bits(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & _ALL
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _ALL
        return z ^ (z >> 31)

    def below(self, n: int) -> int:
        return (self.bits() >> 32) * n >> 32

    def fraction(self) -> float:
        return (self.bits() >> 40) / 2**24


@dataclass
class Model:
    """Learns in place."""

    users: Numbers  # (U, D)
    items: Numbers  # (I, D)
    biases: Numbers  # (I,)
    l2: float
    candidates: int
    warp: bool
    loss: float = 0.0
    steps: int = 0
    skipped: int = 0

    def score(self, user: int, item: int) -> float:
        return float(self.users[user] @ self.items[item] + self.biases[item])

    def walk(
        self, user: int, mine: list[tuple[int, float]], drawable: Sequence[int], thresholds: Sequence[int], free: int,
        counter: Counter, lr: float,
    ) -> None:
        """The user's steps over (item, visits); `drawable` holds the items of each place, then those that fill it up.

        `mine` is left in the order that was drawn.
        """
        had = {item for item, _ in mine}
        for k in range(len(mine) - 1, -1, -1):
            other = counter.below(k + 1)
            mine[k], mine[other] = mine[other], mine[k]
            item, visits = mine[k]
            for _ in range(math.floor(np.float32(visits) + np.float32(counter.fraction()))):
                self.steps += 1
                self.step(user, item, self.drawn(had, drawable, thresholds, counter), free, lr)

    def drawn(
        self, had: set[int], drawable: Sequence[int], thresholds: Sequence[int], counter: Counter
    ) -> list[int]:
        """So many candidates that are not had; fewer where a hundred draws in a row were."""
        found: list[int] = []
        failed = 0
        while len(found) < self.candidates and failed < 100:
            z = counter.bits()
            place = (z >> 32) * len(thresholds) >> 32
            item = drawable[place if z % 2**32 < thresholds[place] else len(thresholds) + place]
            failed = failed + 1 if item in had else 0
            found += [] if item in had else [item]
        return found

    def step(self, user: int, item: int, offered: list[int], free: int, lr: float) -> None:
        if not offered:
            self.skipped += 1
            return
        leads = [self.score(user, item) - self.score(user, j) for j in offered]
        if self.warp:
            at = next((n for n, lead in enumerate(leads) if lead < 1), -1)
            if at < 0:
                return
            pull = harmonic(max(1, free // (at + 1))) / harmonic(len(self.items))
            self.loss += pull * (1 - leads[at])
        else:
            at = int(np.argmin(leads))
            pull = 1 / (1 + math.exp(leads[at]))
            self.loss += math.log1p(math.exp(-leads[at]))
        j, x = offered[at], self.users[user].copy()
        y, z, b, c = self.items[item].copy(), self.items[j].copy(), self.biases[item], self.biases[j]
        self.users[user] -= lr * (-pull * (y - z) + self.l2 * x)
        self.items[item] -= lr * (-pull * x + self.l2 * y)
        self.items[j] -= lr * (pull * x + self.l2 * z)
        self.biases[item] -= lr * (-pull + self.l2 * b)
        self.biases[j] -= lr * (pull + self.l2 * c)


def harmonic(n: int) -> float:
    return sum(1 / k for k in range(1, n + 1))


def best_vector(mine: Sequence[int], others: Sequence[int], items: Numbers, biases: Numbers, l2: float) -> Numbers:
    """(D,) the minimum of `objective`: Newton's method."""
    x = np.zeros(items.shape[1])
    pairs = np.array([items[i] - items[j] for i in mine for j in others])
    gaps = np.array([biases[i] - biases[j] for i in mine for j in others])
    for _ in range(50):
        pull = 1 / (1 + np.exp(pairs @ x + gaps))
        slope = -(pull @ pairs) / len(others) + l2 * len(mine) * x
        bend = (pairs.T * (pull * (1 - pull))) @ pairs / len(others) + l2 * len(mine) * np.eye(len(x))
        x = x - np.linalg.solve(bend, slope)
    return x


def objective(
    x: Numbers, mine: Sequence[int], others: Sequence[int], items: Numbers, biases: Numbers, l2: float
) -> float:
    """What a pass of even draws goes down on average: the mean over all others, and l2 / 2 |x|^2 a step."""
    scores = items @ x + biases
    total = sum(np.log1p(np.exp(scores[j] - scores[i])) for i in mine for j in others) / len(others)
    return float(total + l2 / 2 * len(mine) * (x @ x))
