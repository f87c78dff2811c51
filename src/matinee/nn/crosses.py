"""Crosses of what is known of a user with what is known of an item: a weight for each two columns, and no vectors."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from torch import Tensor, nn

from matinee.nn.bag import bag_sums
from matinee.nn.drawn_pairs import Pairs
from matinee.nn.feature_fields import Sides
from matinee.nn.pair_products import picked
from matinee.scoring.user_fields import HISTORY, inputs_of

Crossed = Literal["none", "features", "items", "all"]


class Crosses(nn.Module):
    """features: every column of the users' features with every one of the items' features
    items: every item of a history with the item that is asked for, itself left out
    """

    def __init__(self, kind: Crossed, sides: Sides, log: csr_array) -> None:
        """log (U, I)"""
        super().__init__()
        self.n_items = log.shape[1]
        users = [field for field in sides.users if field.name in sides.fields]
        items = [field.matrix for field in sides.items if field.matrix is not None]
        self.names = [field.name for field in users] if items and kind in ("features", "all") else []
        if self.names:
            self.of_users = csr_array(hstack([field.matrix for field in users], "csr"))
            self.of_items = csr_array(hstack(items, "csr"))
            self.features = nn.Parameter(torch.zeros(self.of_items.shape[1], self.of_users.shape[1]))
        self.items: nn.Parameter | None = None
        if kind in ("items", "all"):
            self.log = inputs_of(log)
            self.items = nn.Parameter(torch.zeros(log.shape[1], log.shape[1]))
            self.items.register_hook(lambda gradient: gradient.fill_diagonal_(0))  # type: ignore[no-untyped-call]

    def of(self, pairs: Pairs) -> Tensor | float:
        """(P, C); 0 where nothing is crossed."""
        found: list[Tensor] = []
        if self.names:
            found.append(bag_sums(self.of_users[pairs.users], self._of_features()))
        if self.items is not None:
            found.append(bag_sums(self.log[pairs.users], self.items))
        if not found:
            return 0.0
        of_all = torch.stack(found).sum(0)  # (b, I)
        places = pairs.owners[:, None].astype(np.int64) * of_all.shape[1] + pairs.items
        return picked(of_all.reshape(-1, 1), places.reshape(-1)).reshape(pairs.items.shape)

    def table(self) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """The fields of the user that are crossed, and (their columns, I) weights."""
        parts = [self._of_features()] if self.names else []
        parts += [self.items] if self.items is not None else []
        if not parts:
            return (), np.empty((0, self.n_items), np.float32)
        names = (*self.names, *([HISTORY] if self.items is not None else []))
        return names, torch.cat(parts).detach().numpy().copy()

    def _of_features(self) -> Tensor:
        """(C, I)"""
        return bag_sums(self.of_items, self.features).T.contiguous()
