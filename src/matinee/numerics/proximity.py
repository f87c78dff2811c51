"""Who stands near a point of a latent space, by cosine, and what these say; blocked, never users by users.

A cosine is summed up by `factors.score_rows`, in one order whatever the block and the thread. Who stands opposite is
no neighbour, and neither is whoever stands nowhere: zeros.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from matinee.contract import Masks
from matinee.numerics.factors import ROWS_A_PIECE, padded, score_rows
from matinee.numerics.threads import in_pieces
from matinee.numerics.topk import ranked
from matinee.numerics.voting import Log, Rules, vote

Points = NDArray[np.float32]


def units(points: Points) -> Points:
    """Each of points (N, D) at length 1; zeros stay zeros."""
    out = np.empty(points.shape, np.float32)
    in_pieces(lambda start, stop: _unit_rows(start, stop, points, out), len(points), ROWS_A_PIECE)
    return out


def scores(rows: NDArray[np.int64], points: Points, tiles: NDArray[np.float32], log: Log, rules: Rules) -> Points:
    """(B, I) what the users nearest to points (B, D) say; rows (B,): their own in the log, or -1.

    tiles: the log's U users, of length 1, as `factors.tiled` makes them.
    """
    out = np.zeros((len(rows), len(log.worth)), np.float32)
    asked = padded(points)

    def write(start: int, stop: int) -> None:
        _vote_rows(start, stop, rows, asked, tiles, *log, *rules, out[start:stop])

    in_pieces(write, len(rows), ROWS_A_PIECE)
    return out


def top(
    rows: NDArray[np.int64],
    points: Points,
    tiles: NDArray[np.float32],
    log: Log,
    rules: Rules,
    k: int,
    masks: Masks,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The K best of `scores` for each row, without writing (B, I). Raises as `ranking.topk.top_k` does."""
    asked = padded(points)

    def write(start: int, stop: int, out: NDArray[np.float32]) -> None:
        _vote_rows(start, stop, rows, asked, tiles, *log, *rules, out)

    return ranked(write, len(rows), len(log.worth), k, masks, ROWS_A_PIECE)


@njit(cache=True, nogil=True)
def _unit_rows(start, stop, points, out):  # type: ignore[no-untyped-def]
    for row in range(start, stop):
        square = 0.0
        for d in range(points.shape[1]):
            square += np.float64(points[row, d]) * points[row, d]
        scale = 1 / np.sqrt(square) if square > 0 else 0.0
        for d in range(points.shape[1]):
            out[row, d] = points[row, d] * scale


@njit(cache=True, nogil=True)
def _vote_rows(  # type: ignore[no-untyped-def]
    start, stop, rows, points, tiles, indptr, items, values, worth, neighbours, power, plain, normalise, out
):
    n_users = len(indptr) - 1
    cosines = np.empty((stop - start, n_users), np.float32)
    score_rows(start, stop, points, tiles, cosines)
    voters, near = np.empty(n_users, np.int32), np.empty(n_users, np.float32)
    places = min(neighbours, n_users)
    best, held = np.empty(places, np.float32), np.empty(places, np.int32)
    votes = np.empty(out.shape[1], np.float64)
    for row in range(start, stop):
        n = 0
        for user in range(n_users):
            if cosines[row - start, user] > 0 and user != rows[row]:
                voters[n], near[n] = user, cosines[row - start, user]
                n += 1
        vote(voters, near, n, neighbours, power, plain, normalise, indptr, items, values, worth, best, held, votes,
             out[row - start])  # fmt: skip
