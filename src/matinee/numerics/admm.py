"""The same columns as `elastic_net` finds, by alternating directions of multipliers: matrix products alone.

    B = the columns of least squares with a ridge that are near C - U and zero on the diagonal, in closed form
    C = B + U, shrunk by l1 / rho, and cut at zero where asked;      U += B - C

Steck, Dimakopoulou, Riabov, Jebara, "ADMM SLIM", WSDM 2020, with the multipliers in their scaled form. The first B is
that of EASE. Columns do not meet but in the inverse, so a block of them goes its whole way alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from matinee.numerics.elastic_net import Effort, Found, Penalty, stacked
from matinee.numerics.gram import mirror
from matinee.numerics.inverse import sweep
from matinee.numerics.threads import in_told_pieces

COLUMNS_A_PIECE = 256
"""Goes with a matrix product that keeps a core busy."""
PIECES_A_TELL = 4


def solve(
    gram: NDArray[np.float32],
    penalty: Penalty,
    effort: Effort,
    rho: float,
    candidates: NDArray[np.int32] | None = None,
    tell: Callable[[int], None] = lambda done: None,
) -> Found:
    """gram (I, I), X'X above the diagonal, is used up. The other arguments are as for `elastic_net.solve`.

    A block is done when a pass moves nothing, and B and C agree, to the tolerance. Time: I^3 multiplications a pass;
    beside `gram` and the result 16 I COLUMNS_A_PIECE bytes a thread. Raises ModelError (`singular`) as `sweep` does.
    """
    n = len(gram)
    gram[np.diag_indices_from(gram)] += penalty.l2 + np.float32(rho)
    sweep(gram)
    mirror(gram)  # -P
    parts: list[csr_array] = [csr_array((0, n), dtype=np.float32)] * (-(-n // COLUMNS_A_PIECE))
    passes, converged = np.zeros(n, np.int64), np.zeros(n, bool)
    allowed = np.empty((n, 0), np.int32) if candidates is None else candidates

    def piece(start: int, stop: int) -> None:
        weights = np.zeros((stop - start, n), np.float32)
        open_ = _open(allowed[start:stop], n)
        passes[start:stop], converged[start:stop] = _solve_piece(start, gram, penalty, effort, rho, open_, weights)
        parts[start // COLUMNS_A_PIECE] = csr_array(weights)

    with threadpool_limits(1, user_api="blas"):  # each piece has a thread, and its own bits
        in_told_pieces(piece, n, COLUMNS_A_PIECE, PIECES_A_TELL, tell)
    return Found(stacked(parts), passes, converged)


def _open(candidates: NDArray[np.int32], n: int) -> NDArray[np.bool_]:
    """(S, I) true where a column may have a weight; (S, 0) where it may have all."""
    if candidates.shape[1] == 0:
        return np.ones((len(candidates), 0), bool)
    out = np.zeros((len(candidates), n + 1), bool)
    out[np.arange(len(candidates))[:, None], candidates] = True  # -1 is the place past the end
    return out[:, :n]


def _solve_piece(
    first: int,
    minus_inverse: NDArray[np.float32],
    penalty: Penalty,
    effort: Effort,
    rho: float,
    open_: NDArray[np.bool_],
    weights: NDArray[np.float32],
) -> tuple[int, bool]:
    """The columns first, first + 1, ... into weights (S, I), which is C and comes as zeros."""
    multipliers, pull, product = np.zeros_like(weights), np.zeros_like(weights), np.empty_like(weights)
    shrink = np.float32(penalty.l1 / rho)
    for done in range(1, effort.passes + 1):
        np.matmul(pull, minus_inverse, out=product)
        moved = _update(first, minus_inverse, product, shrink, penalty.non_negative, np.float32(rho), open_, weights,
                        multipliers, pull)
        if moved < effort.tolerance:
            return done, True
    return effort.passes, False


@njit(cache=True, nogil=True, error_model="numpy")
def _update(  # type: ignore[no-untyped-def]
    first, minus_inverse, product, shrink, non_negative, rho, open_, weights, multipliers, pull
):
    """A pass from product = pull (S, I) times -P on; returns the longest way that C moved or has to B."""
    furthest = np.float32(0)
    for c in range(len(weights)):
        own = first + c
        row = minus_inverse[own]
        level = (1 - product[c, own]) / row[own]  # what puts zero on the diagonal
        for i in range(weights.shape[1]):
            solved = np.float32(0) if i == own else -product[c, i] - level * row[i]
            shifted = solved + multipliers[c, i]
            kept = np.float32(0)
            if shifted > shrink:
                kept = shifted - shrink
            elif shifted < -shrink and not non_negative:
                kept = shifted + shrink
            if open_.shape[1] and not open_[c, i]:
                kept = np.float32(0)
            furthest = max(furthest, abs(kept - weights[c, i]), abs(solved - kept))
            weights[c, i] = kept
            multipliers[c, i] = shifted - kept
            pull[c, i] = rho * (2 * kept - shifted)
    return furthest
