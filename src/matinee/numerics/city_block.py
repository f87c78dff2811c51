"""Scores that fall with the sum of sizes |m_d - g_id| (the city-block distance), scored and ranked by one kernel.

A score sums over d = 0, 1, ... in float32 and in this order, so that it has the same bits in any company.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.contract import Masks
from matinee.numerics.factors import padded, tiled
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import ranked

ROWS_A_PIECE = 16

Table = NDArray[np.float32]


def scores(points: Table, rates: Table, items: Table, biases: Table) -> Table:
    """biases (I,) - rates (B,) x distances of points (B, D) to items (I, D) -> (B, I)."""
    out = np.empty((len(points), len(items)), np.float32)
    asked, tiles = padded(points), tiled(items)
    in_pieces(lambda start, stop: _score_rows(start, stop, asked, rates, tiles, biases, out[start:stop]),
              len(points), ROWS_A_PIECE)
    return out


def top(
    points: Table, rates: Table, items: Table, biases: Table, k: int, masks: Masks
) -> tuple[NDArray[np.int32], Table]:
    """The K best of `scores` for each row, without writing (B, I). Raises as `ranking.topk.top_k` does."""
    asked, tiles = padded(points), tiled(items)

    def write(start: int, stop: int, out: Table) -> None:
        _score_rows(start, stop, asked, rates, tiles, biases, out)

    return ranked(write, len(points), len(items), k, masks, ROWS_A_PIECE)


@njit(cache=True, nogil=True)
def _score_rows(start, stop, points, rates, tiles, biases, out):  # type: ignore[no-untyped-def]
    n_items, width = out.shape[1], tiles.shape[2]
    sums = np.empty(width, np.float32)
    for n in range(len(tiles)):
        first = n * width
        tile, wide = tiles[n], min(width, n_items - first)
        for row in range(start, stop):
            sums[:] = 0
            for d in range(tile.shape[0]):
                at = points[row, d]
                for i in range(width):
                    sums[i] += abs(at - tile[d, i])
            for i in range(wide):
                out[row - start, first + i] = biases[first + i] - rates[row] * sums[i]
