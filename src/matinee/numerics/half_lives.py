"""How fast items age: a half-life for each cluster of items, chosen by what people did next.

Everybody's newest event is taken away and asked for by the rest. One cluster after the other, the largest first, tries
each half-life of a grid while the others stay, and keeps the one under which what was taken away ranks best.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.numerics.item_item import Rows, sparse_scores
from matinee.numerics.threads import in_pieces

ROWS_A_PIECE = 16
_CELLS = 1 << 22


def learnt_rates(
    weights: Rows,
    history: csr_array,
    ages: NDArray[np.float64],
    asked: NDArray[np.int32],
    labels: NDArray[np.int32],
    grid: NDArray[np.float64],
    heard: Callable[[int, int], None],
) -> NDArray[np.float64]:
    """(I,) a rate an item, of the `grid` (G,) of halvings a day: that of its cluster. All begin at grid[0].

    weights  (I, I), row = item of the history
    history  (B, I), one entry a pair; ages (n,) in days for each of its entries
    asked    (B,) the item that each history was followed by
    labels   (I,) the cluster of each item; heard(done, total) is told of each cluster
    """
    sizes = np.bincount(labels[history.indices], minlength=int(labels.max(initial=0)) + 1)
    order = np.argsort(-sizes, kind="stable")
    rates = np.full(len(sizes), grid[0])
    best = _gain(weights, history, ages, asked, rates[labels])
    for done, cluster in enumerate(order[sizes[order] > 0].tolist()):
        heard(done, len(order))
        for rate in grid[1:].tolist():
            tried = rates.copy()
            tried[cluster] = rate
            gain = _gain(weights, history, ages, asked, tried[labels])
            if gain > best:
                best, rates = gain, tried
    return np.asarray(rates[labels], np.float64)


def _gain(
    weights: Rows, history: csr_array, ages: NDArray[np.float64], asked: NDArray[np.int32], rates: NDArray[np.float64]
) -> float:
    """The mean over the histories of 1 / log2(1 + the rank of what is asked for), among what is not in the history."""
    values = (history.data * np.exp2(-ages * rates[history.indices])).astype(np.float32)
    weighted = csr_array((values, history.indices, history.indptr), shape=history.shape)
    block = max(1, _CELLS // history.shape[1])
    ranks = np.zeros(len(asked), np.int64)
    for start in range(0, len(asked), block):
        rows = slice(start, min(start + block, len(asked)))
        part = weighted[rows]
        scores, out = sparse_scores(weights, part), ranks[rows]
        asked_here, indptr, items = asked[rows], part.indptr.astype(np.int64), part.indices.astype(np.int32)
        _ranks(scores, asked_here, indptr, items, out)
    return float((1 / np.log2(1.0 + ranks)).mean()) if len(ranks) else 0.0


def _ranks(
    scores: NDArray[np.float32], asked: NDArray[np.int32], indptr: NDArray[np.int64], items: NDArray[np.int32],
    out: NDArray[np.int64],
) -> None:
    def rows(start: int, stop: int) -> None:
        _rank_rows(start, stop, scores, asked, indptr, items, out)

    in_pieces(rows, len(scores), ROWS_A_PIECE)


@njit(cache=True, nogil=True)
def _rank_rows(start, stop, scores, asked, indptr, items, out):  # type: ignore[no-untyped-def]
    """out[row] = 1 + how many unseen items are better; half of those that are as good, rounded up."""
    for row in range(start, stop):
        for at in range(indptr[row], indptr[row + 1]):
            if items[at] != asked[row]:
                scores[row, items[at]] = -np.inf
        better, equal, wanted = 0, 0, scores[row, asked[row]]
        for item in range(scores.shape[1]):
            better += scores[row, item] > wanted
            equal += scores[row, item] == wanted
        out[row] = 1 + better + equal // 2
