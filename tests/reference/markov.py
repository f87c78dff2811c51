"""FPMC, PRME, FME and TransRec as their papers write them, over plain numbers: slow and obvious.

Slopes are central differences of the loss, so that no gradient is derived here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions

Numbers = NDArray[np.float64]
SMALL = 1e-5

FORMULAS: dict[str, Callable[[dict[str, Numbers], Numbers, Numbers], float]] = {
    # x: what is a user's own; p: of the item before; the dictionary: of the item that is scored
    "fpmc": lambda i, x, p: float(x @ i["y"] + p @ i["q"] + i["b"][0]),
    "fme": lambda i, x, p: float(x @ i["y"] - ((p - i["q"]) ** 2).sum() + i["b"][0]),
    "transrec": lambda i, x, p: float(i["b"][0] - ((p + x - i["q"]) ** 2).sum()),
    "transrec l1": lambda i, x, p: float(i["b"][0] - np.abs(p + x - i["q"]).sum()),
}


@dataclass
class Model:
    """Learns in place. `before` is `after` where an item has one vector for both roles."""

    kind: str
    users: Numbers  # (U, D)
    liked: Numbers  # (I, D)
    before: Numbers  # (I, D)
    after: Numbers  # (I, D)
    biases: Numbers  # (I,)
    shift: Numbers  # (D,)
    alpha: float = 0.5
    l2: float = 0.0

    def score(self, user: int, last: int, item: int, *, far: bool = False) -> float:
        if self.kind == "prme":
            taste = float(((self.users[user] - self.liked[item]) ** 2).sum())
            order = float(((self.before[last] - self.after[item]) ** 2).sum())
            return -taste if far else -self.alpha * taste - (1 - self.alpha) * order
        own = self.users[user] + (self.shift if self.kind.startswith("transrec") else 0)
        of_item = {"y": self.liked[item] if len(self.liked) else own, "q": self.after[item],
                   "b": self.biases[item : item + 1]}
        return FORMULAS[self.kind](of_item, own, self.before[last])

    def touched(self, user: int, last: int, item: int, other: int, *, far: bool) -> Iterator[tuple[Numbers, int]]:
        """(table, row) of all that the loss of this step hangs on; a row of -1 is the whole of it."""
        translated = self.kind.startswith("transrec")
        yield self.users, user
        if not translated:
            yield self.liked, item
            yield self.liked, other
        if not far:
            yield self.before, last
            if item != last or self.before is not self.after:
                yield self.after, item
            yield self.after, other
        if translated:
            yield self.shift, -1
        if self.kind != "prme":
            yield self.biases, item
            yield self.biases, other

    def step(
        self, user: int, last: int, item: int, other: int, lr: float, weight: float = 1.0, *, far: bool = False
    ) -> float:
        """One step down the gradient; the loss before it, without its ridge."""

        def loss() -> float:
            return math.log1p(math.exp(self.score(user, last, other, far=far) - self.score(user, last, item, far=far)))

        places = [(table, (slice(None),) if row < 0 else (row,))
                  for table, row in self.touched(user, last, item, other, far=far)]
        slopes = [self._slope(table, place, loss) for table, place in places]
        before = loss()
        for (table, place), slope in zip(places, slopes, strict=True):
            keep = 1 - lr * self.l2
            twice = table is self.before is self.after and place == (last,) and item == last  # pulled in both roles
            table[place] = (keep**2 if twice else keep) * table[place] - lr * weight * slope
        if self.kind.startswith("transrec"):
            for row in (last, item, other):
                self.after[row] /= max(1.0, float(np.linalg.norm(self.after[row])))
        return before

    def _slope(self, table: Numbers, place: tuple[object, ...], loss: Callable[[], float]) -> Numbers:
        part = np.atleast_1d(table[place])  # type: ignore[index]
        out = np.zeros(len(part))
        for d in range(len(part)):
            at = (*(() if place == (slice(None),) else place), d)[: table.ndim]
            here = table[at]
            table[at] = here + SMALL
            up = loss()
            table[at] = here - SMALL
            out[d] = (up - loss()) / (2 * SMALL)
            table[at] = here
        return out if table[place].ndim else out[0]  # type: ignore[index]

    def list_scores(self, user: int, log: Interactions, row: int, length: int, decay: float, *, gaps: bool,
                    tau: float | None = None) -> Numbers:
        """(I,) the weighted mean over the newest events of log's `row` of what each says."""
        mine = range(int(log.indptr[row + 1]) - 1, int(log.indptr[row]) - 1, -1)
        newest, total, weights = log.times[log.indptr[row + 1] - 1], np.zeros(len(self.after)), 0.0
        for place, event in enumerate(mine):
            if place >= length:
                break
            weight = float(log.values[event]) * decay**place
            weights += weight
            far = tau is not None and newest - log.times[event] > tau
            last = int(log.items[event])
            for item in range(len(total)):
                total[item] += weight * self.score(user, last, item, far=far)
                if gaps and not far:
                    total[item] += weight * self.back(user, last, item)
        return total / weights

    def back(self, user: int, later: int, item: int) -> float:
        """What an item is worth before a later one: its score given this item, without what is not of both."""
        if self.kind == "prme":
            return -(1 - self.alpha) * float(((self.before[item] - self.after[later]) ** 2).sum())
        if self.kind == "fpmc":
            return float(self.before[item] @ self.after[later])
        own = self.users[user] + self.shift if self.kind == "transrec" else np.zeros(self.users.shape[1])
        return -float(((self.before[item] + own - self.after[later]) ** 2).sum())
