"""Alternating least squares from its objective, in float64: every row is the system of equations that it is. Slow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matinee.data.interactions import Interactions
from tests.reference.item_item import distinct

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """The objective over confidences c (U, I), 0 where nothing was observed."""

    c: Matrix
    l2: float
    weight: float
    exponent: float

    @classmethod
    def of(cls, log: Interactions, *, l2: float, weight: float, exponent: float) -> Problem:
        c = np.zeros((log.n_users, log.n_items))
        for user in range(log.n_users):
            for item, value in distinct(log, user).items():
                c[user, item] = value
        return cls(c=c, l2=l2, weight=weight, exponent=exponent)

    def turned_round(self) -> Problem:
        """The same with users for items."""
        return Problem(c=self.c.T, l2=self.l2, weight=self.weight, exponent=self.exponent)

    def ridges(self) -> Matrix:
        """(U,) what each row's |x|^2 is multiplied by."""
        active = (self.c.sum(0) > 0).sum()
        return self.l2 * ((self.c > 0).sum(1) + self.weight * active) ** self.exponent

    def objective(self, users: Matrix, items: Matrix) -> float:
        predicted = users @ items.T
        observed = (self.c * (1 - predicted) ** 2).sum()
        everywhere = self.weight * (predicted**2).sum()
        penalty = (self.ridges() * (users**2).sum(1)).sum()
        penalty += (self.turned_round().ridges() * (items**2).sum(1)).sum()
        return float(observed + everywhere + penalty)

    def best_users(self, items: Matrix) -> Matrix:
        """(U, D) the minimum of the objective over the users' vectors alone."""
        out = np.zeros((len(self.c), items.shape[1]))
        for user, (row, ridge) in enumerate(zip(self.c, self.ridges(), strict=True)):
            system = items.T @ (items * (self.weight + row)[:, None]) + ridge * np.eye(items.shape[1])
            out[user] = np.linalg.solve(system, items.T @ row)
        return out

    def alternate(self, items: Matrix, epochs: int) -> tuple[Matrix, Matrix]:
        """Users (U, D) and items (I, D) after so many epochs, users first."""
        for _ in range(epochs):
            users = self.best_users(items)
            items = self.turned_round().best_users(users)
        return users, items
