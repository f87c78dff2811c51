"""Users' factors x items' factors, scored and ranked by one kernel.

Every score is the sum over d = 0, 1, ... of x_d y_d in float32 and in this order, whatever the block, the tile and
the thread; so one user and many, ranking and scoring, give the same bits, which a product by BLAS does not promise.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.contract import Masks
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import ranked

TILE = np.uint64(64)
"""Items in a tile: at 128 factors it takes 32 kB, which a core's first cache holds."""
AT_ONCE = 4
"""Users, and factors, that go over a tile together: each number read serves four products."""
ROWS_A_PIECE = 16

_ORDERED = {"contract"}  # a product and its sum may be one instruction; the order of sums stays


def tiled(factors: NDArray[np.float32]) -> NDArray[np.float32]:
    """factors (I, D) -> (tiles, D, TILE), item i in tile i // TILE at place i % TILE; zeros fill up, D too."""
    n_items, dim = factors.shape
    tile = int(TILE)
    out = np.zeros((-(-n_items // tile), _up(dim), tile), np.float32)
    for n in range(len(out)):
        part = factors[n * tile : (n + 1) * tile]
        out[n, :dim, : len(part)] = part.T
    return out


def scores(users: NDArray[np.float32], tiles: NDArray[np.float32], n_items: int) -> NDArray[np.float32]:
    """users (B, D), tiles as `tiled` makes them -> scores (B, I)."""
    out = np.empty((len(users), n_items), np.float32)
    asked = padded(users)

    def rows(start: int, stop: int) -> None:
        score_rows(start, stop, asked, tiles, out[start:stop])

    in_pieces(rows, len(users), ROWS_A_PIECE)
    return out


def top(
    users: NDArray[np.float32], tiles: NDArray[np.float32], n_items: int, k: int, masks: Masks
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The K best of `scores` for each row, without writing (B, I). Raises as `ranking.topk.top_k` does."""
    asked = padded(users)

    def write(start: int, stop: int, out: NDArray[np.float32]) -> None:
        score_rows(start, stop, asked, tiles, out)

    return ranked(write, len(users), n_items, k, masks, ROWS_A_PIECE)


def _up(n: int) -> int:
    return -(-n // AT_ONCE) * AT_ONCE


def padded(users: NDArray[np.float32]) -> NDArray[np.float32]:
    """users (B, D) as `score_rows` reads them: zeros fill up what it takes at once."""
    n, dim = users.shape
    return np.pad(users, ((0, _up(n) - n), (0, _up(dim) - dim)))


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def score_rows(start, stop, users, tiles, out):  # type: ignore[no-untyped-def]
    """Scores of the users start, ..., stop - 1 into `out` (stop - start, I); `start` is a multiple of AT_ONCE."""
    n_items, tile = out.shape[1], tiles.shape[2]
    sums = np.empty(AT_ONCE * tile, np.float32)
    for n in range(len(tiles)):
        first = n * tile
        width = min(tile, n_items - first)
        for user in range(start, stop, AT_ONCE):
            _add_tile(users, user, tiles[n].reshape(-1), sums)
            for u in range(min(AT_ONCE, stop - user)):
                for i in range(width):
                    out[user - start + u, first + i] = sums[u * tile + i]


@njit(cache=True, nogil=True, fastmath=_ORDERED)
def _add_tile(users, user, tile, sums):  # type: ignore[no-untyped-def]
    """sums (AT_ONCE x TILE,) = users[user : user + AT_ONCE] x tile (D x TILE,), d by d.

    Constant widths in one array let the compiler prove that the four sums do not overlap.
    """
    for i in range(AT_ONCE * TILE):
        sums[i] = 0
    u, v, w = TILE, np.uint64(2) * TILE, np.uint64(3) * TILE
    for d in range(0, users.shape[1], AT_ONCE):
        a0, a1, a2, a3 = users[user, d], users[user, d + 1], users[user, d + 2], users[user, d + 3]
        b0, b1, b2, b3 = users[user + 1, d], users[user + 1, d + 1], users[user + 1, d + 2], users[user + 1, d + 3]
        c0, c1, c2, c3 = users[user + 2, d], users[user + 2, d + 1], users[user + 2, d + 2], users[user + 2, d + 3]
        e0, e1, e2, e3 = users[user + 3, d], users[user + 3, d + 1], users[user + 3, d + 2], users[user + 3, d + 3]
        at = np.uint64(d) * TILE
        for i in range(TILE):
            y0, y1, y2, y3 = tile[at + i], tile[at + u + i], tile[at + v + i], tile[at + w + i]
            sums[i] = (((sums[i] + a0 * y0) + a1 * y1) + a2 * y2) + a3 * y3
            sums[u + i] = (((sums[u + i] + b0 * y0) + b1 * y1) + b2 * y2) + b3 * y3
            sums[v + i] = (((sums[v + i] + c0 * y0) + c1 * y1) + c2 * y2) + c3 * y3
            sums[w + i] = (((sums[w + i] + e0 * y0) + e1 * y1) + e2 * y2) + e3 * y3
