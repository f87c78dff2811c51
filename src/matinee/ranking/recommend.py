"""From a scorer to every user's list: blocks of users, seen items and filters masked, short lists filled.

The way of every path, batch or one user: ask, mask, rank, check, fill. Memory is that of one block and
does not grow with the number of users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

import numpy as np
from numpy.typing import NDArray

from matinee.contract import FusedScorer, Masks, Queries, Scorer
from matinee.data.columns import Features
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.numerics.threads import limited
from matinee.numerics.topk import ScoreError
from matinee.ranking.filters import FittedFilter
from matinee.ranking.lists import Lists
from matinee.ranking.topk import top_k

Ask = Callable[[NDArray[np.int64]], Queries]

CELLS = 1 << 22
"""Scores in one block, about: 16 MB of float32."""
MOST_USERS = 2048
"""Users in one block of a scorer that does not say."""


def ask_from(given: Interactions, fitted_counts: NDArray[np.int64], user_features: Features) -> Ask:
    """Plain queries from histories: rows of users (b,) -> Queries of b, weights 1, asked at the newest event.

    given          the histories, of the same U users as the log that the model was fitted on
    fitted_counts  (U,) events of each user in that log; who has none there is new to the model (row -1)
    A row of -1 is somebody of whom nothing is known.
    """
    plain = given.with_values(np.ones(len(given), np.float32))

    def ask(users: NDArray[np.int64]) -> Queries:
        known = users >= 0
        known[known] = fitted_counts[users[known]] > 0
        return Queries.of(plain.take(users), np.where(known, users, -1), attributes=user_features.take(users))

    return ask


def recommend(
    scorer: Scorer,
    ask: Ask,
    users: NDArray[np.int64],
    k: int,
    *,
    repeats: bool,
    filters: Sequence[FittedFilter] = (),
    fallback: NDArray[np.float32] | None = None,
    personal: bool = True,
    name: str = "the model",
    user_id: Callable[[int], str] = str,
    progress: Callable[[str, int, int], None] | None = None,
    threads: int | None = None,
) -> Lists:
    """The k best items of each of `users`, each user once and ascending in the result; see `recommend_blocks`."""
    blocks = list(recommend_blocks(scorer, ask, users, k, repeats=repeats, filters=filters, fallback=fallback,
                                   personal=personal, name=name, user_id=user_id, progress=progress,
                                   threads=threads))
    return Lists(*(np.concatenate([getattr(block, part) for block in blocks])
                   for part in ("users", "items", "scores", "filled")))


def recommend_blocks(
    scorer: Scorer,
    ask: Ask,
    users: NDArray[np.int64],
    k: int,
    *,
    repeats: bool,
    filters: Sequence[FittedFilter] = (),
    fallback: NDArray[np.float32] | None = None,
    personal: bool = True,
    name: str = "the model",
    user_id: Callable[[int], str] = str,
    progress: Callable[[str, int, int], None] | None = None,
    threads: int | None = None,
) -> Iterator[Lists]:
    """The lists of `users`, block by block, ascending; whoever is named twice gets one list.

    users     rows that `ask` knows, in any order, repeats allowed
    repeats   may an item of the history come again? Where not, it never does
    filters   what else may not be recommended
    fallback  (I,) popularity: fills lists shorter than k with what is allowed, unseen and not yet there, the
              most popular first, marked in `filled`. Whoever has no history gets this list whole from a
              `personal` model, as there is nothing to be personal about, unless its scorer `serves_empty`. None:
              such lists stay short, and the model answers an empty history itself
    name      what errors call the model
    user_id   what errors call the user of a row, such as `vocabulary.__getitem__`
    threads   None: as many as the surroundings allow

    A list holds exactly min(k, items that are allowed and unseen) items where there is a fallback. Raises
    DataError (`nan-score`, `infinite-score`) naming user and model; UsageError for k < 1.
    """
    if not bool(np.all(users[1:] > users[:-1])):
        users = np.unique(users)
    order = None if fallback is None else np.argsort(-fallback, kind="stable").astype(np.int32)
    size = block_size(scorer, filtered=bool(filters))
    for start in range(0, max(1, len(users)), size):
        block = users[start : start + size]
        with limited(threads) if threads else nullcontext():
            queries = ask(block)
            masks = masks_of(queries, repeats, filters)
            try:
                items, scores = _ranked(scorer, queries, k, masks)
            except ScoreError as error:
                user = user_id(int(block[error.row]))
                raise DataError(error.code, f"{name} scores item {error.item} of user {user} with {error.value}",
                                "fit the model again, with other settings") from error
            if order is not None and fallback is not None and personal and not scorer.serves_empty:
                empty = queries.history.counts == 0
                items[empty], scores[empty] = -1, -np.inf
            filled = np.zeros(items.shape, bool)
            if order is not None and fallback is not None:
                fill(items, scores, filled, masks, order, fallback)
            del queries, masks  # or they would stand beside those of the next block
        yield Lists(block, items, scores, filled)
        if progress is not None:
            progress("recommend", min(start + size, len(users)), len(users))


def block_size(scorer: Scorer, *, filtered: bool) -> int:
    """Users in one block. A fused scorer writes no scores; of its cells there are but a filter's booleans."""
    if not isinstance(scorer, FusedScorer):
        return max(1, min(MOST_USERS, CELLS // max(1, scorer.n_items)))
    return max(1, min(scorer.block, 16 * CELLS // max(1, scorer.n_items))) if filtered else scorer.block


def fill(
    items: NDArray[np.int32],
    scores: NDArray[np.float32],
    filled: NDArray[np.bool_],
    masks: Masks,
    order: NDArray[np.int32],
    popularity: NDArray[np.float32],
) -> None:
    """Fill the ends of short lists (B, K), in place, from `order` (I,), most popular first.

    What is masked or in the list already is left out. A filled place has the item's popularity as its score,
    lowered to the score before it where it is higher, and is marked.
    """
    k = items.shape[1]
    for row in np.flatnonzero(items[:, -1] < 0):
        have = int(np.argmax(items[row] < 0))
        free = np.ones(len(order), bool)
        free[items[row, :have]] = False
        free[masks.items[masks.indptr[row] : masks.indptr[row + 1]]] = False
        if masks.blocked is not None:
            free &= ~masks.blocked[row]
        more = order[free[order]][: k - have]
        end = have + len(more)
        items[row, have:end] = more
        before = scores[row, have - 1] if have else np.float32(np.inf)
        scores[row, have:end] = np.minimum(popularity[more], before) + np.float32(0)
        filled[row, have:end] = True


def masks_of(queries: Queries, repeats: bool, filters: Sequence[FittedFilter]) -> Masks:
    """What may not be in the lists of these queries; `repeats` and `filters` as in `recommend_blocks`."""
    blocked = None
    for fitted in filters:
        allowed = fitted.allowed(queries)
        blocked = ~allowed if blocked is None else blocked | ~allowed
    seen = Masks.none(len(queries)) if repeats else Masks(queries.history.indptr, queries.history.items)
    return Masks(seen.indptr, seen.items, blocked)


def _ranked(scorer: Scorer, queries: Queries, k: int, masks: Masks) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Items and scores (B, K). Raises ScoreError."""
    if isinstance(scorer, FusedScorer):
        return scorer.top_block(queries, k, masks)
    return top_k(scorer.score(queries), k, masks)
