"""Unseen users: some users are kept out of training whole; a model is asked with a part of their history.

Liang et al., "Variational autoencoders for collaborative filtering", WWW 2018 (strong generalisation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from matinee.data.dataset import Dataset
from matinee.errors import DataError
from matinee.split.assemble import ACROSS_USERS, finish, truth_of
from matinee.split.draw import shuffle_keys, shuffled
from matinee.split.parts import PARTS, Split, Stage
from matinee.split.protocol import Protocol
from matinee.split.units import Units


@dataclass(frozen=True, kw_only=True)
class UnseenUsers(Protocol):
    """Shows how a model serves somebody it was not fitted on.

    With `refit` the validation users are learned from before testing; the test users never are.
    Adding a user to the data can change the part of at most one other a stage, since the parts keep their size.
    """

    valid_users: Annotated[int, Ge(1), Le(1_000_000_000)] | Annotated[float, Gt(0), Lt(1)] = 0.1
    """How many users are valid: a count, or a share of all."""
    test_users: Annotated[int, Ge(1), Le(1_000_000_000)] | Annotated[float, Gt(0), Lt(1)] = 0.1
    """How many users are test: a count, or a share of all."""
    targets: Annotated[float, Gt(0), Le(1)] = 0.2
    """Share of a held-out user's events that is hidden, rounded down; with fewer than 1/targets events none is. 1: all
    are, and what is asked of a model is what it makes of an empty history."""

    def split(self, dataset: Dataset) -> Split:
        """Raises DataError where fewer users are in the log than asked for."""
        units = Units.of(dataset)
        test, valid = self._held_out(dataset, units.sizes)
        want = np.where(valid | test, np.floor(self.targets * units.sizes + 1e-9), 0).astype(np.int64)
        drawn = units.first(shuffled(dataset, units, self.seed), np.ones(len(units), bool), want)
        hidden = units.spread(np.where(drawn, PARTS.index("all"), -1).astype(np.int8))
        of = dataset.log.users
        of_test, train = test[of], ~(valid | test)[of]
        valid_hidden, test_hidden = np.where(valid[of], hidden, -1), np.where(of_test, hidden, -1)
        stages = {
            "valid": Stage(train, (valid_hidden < 0) & ~of_test, truth_of(dataset.log, valid_hidden)),
            "test": Stage(~of_test if self.refit else train, test_hidden < 0, truth_of(dataset.log, test_hidden)),
        }
        notes = {"held_out_users": {"valid": int(valid.sum()), "test": int(test.sum())}}
        return finish(self, dataset, stages, [ACROSS_USERS], notes)

    def _held_out(
        self, dataset: Dataset, sizes: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(U,) test users and (U,) valid users: the first ones with events in a shuffle of all."""
        active = np.flatnonzero(sizes > 0)
        order = active[np.argsort(shuffle_keys(dataset.users, self.seed)[active], kind="stable")]
        n_test, n_valid = (size if isinstance(size, int) else int(size * len(active) + 1e-9)
                           for size in (self.test_users, self.valid_users))
        if n_test + n_valid >= len(active):
            raise DataError("too-few-users", f"{n_valid} valid and {n_test} test users of {len(active)} leave nobody "
                                             "to learn from", "hold out fewer")
        test, valid = np.zeros((2, len(sizes)), bool)
        test[order[:n_test]] = True
        valid[order[n_test : n_test + n_valid]] = True
        return test, valid
