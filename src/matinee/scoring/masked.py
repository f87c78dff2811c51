"""A history with masks in it through a transformer that reads both ways: what stood there?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.errors import ModelError
from matinee.numerics.counted_means import counted_means
from matinee.scoring.checks import check_catalogue
from matinee.scoring.newest_events import newest
from matinee.scoring.transformer import Transformer

Asked = Literal["end", "gaps", "places"]
ASKED = get_args(Asked)


@dataclass(frozen=True, eq=False)
class MaskedTransformer(Transformer):
    """As `Transformer`, where the state is the mean of those of some places of a history of which a few are masks.

        end     one mask, after the newest event: what comes next?
        gaps    half of `masks` after the newest event, half evenly between the others: what is missing?
        places  no mask: the states of all events, which know what stood around them

    The mean of states scores items by the mean of their scores at these places. The mask is the item after the last.
    """

    asked: str = "end"
    masks: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.asked not in ASKED or self.masks < 1 or len(self.table) != self.n_items + 1:
            raise ModelError("bad-form", f"asked {self.asked!r}, {self.masks} masks, {len(self.table)} vectors for "
                             f"{self.n_items} items", "fit the model again")

    def vectors(self, queries: Queries) -> NDArray[np.float32]:
        """(B, D) the mean states; zeros for an empty history."""
        check_catalogue(self, queries)
        there = np.flatnonzero(queries.history.counts)
        out = np.zeros((len(queries), self.table.shape[1]), np.float32)
        if not len(there):
            return out
        masks = 0 if self.asked == "places" else 1 if self.asked == "end" else self.masks
        items, starts = newest(queries.history, there, max(1, self.length - masks))
        if masks:
            items, starts = with_masks(items, starts, masks, (masks + 1) // 2 if self.asked == "gaps" else masks,
                                       self.n_items)
        if self.asked == "end":
            out[there] = self.states(items, starts, np.ones(len(there), np.int64))
            return out
        found = self.states(items, starts, np.diff(starts))
        counted = items == self.n_items if masks else np.ones(len(items), bool)
        out[there] = counted_means(found, counted, starts)
        return out


def with_masks(
    items: NDArray[np.int64], starts: NDArray[np.int64], masks: int, at_end: int, mask: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Histories with `masks` more items each: so many at the end, the others evenly between the items.

    The m-th of M between n items stands before the item number ceil(m n / (M + 1)), m = 1, ..., M.
    """
    lengths, inner = np.diff(starts), masks - at_end
    users = np.repeat(np.arange(len(lengths)), lengths)
    places = 2.0 * (np.arange(len(items)) - starts[users]) + 1  # items at odd places, masks at even ones before them
    between = np.ceil(np.arange(1, inner + 1) * lengths[:, None] / (inner + 1))
    of_masks = np.hstack([2 * between, np.repeat(2.0 * lengths[:, None] + 2, at_end, axis=1)])
    owners = np.concatenate([users, np.repeat(np.arange(len(lengths)), masks)])
    order = np.lexsort((np.concatenate([places, of_masks.ravel()]), owners))
    ends = np.zeros_like(starts)
    np.cumsum(lengths + masks, out=ends[1:])
    return np.concatenate([items, np.full(of_masks.size, mask)])[order], ends
