"""Every metric for one user, slow and obvious: a list and a set of hidden items in, a number out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

Metric = Callable[[Sequence[int], set[int], int], float]


def hit_ranks(items: Sequence[int], hidden: set[int], k: int) -> list[int]:
    """A repeated item hits once; -1 is no item."""
    return [rank for rank, item in enumerate(items[:k], 1)
            if item >= 0 and item in hidden and item not in items[: rank - 1]]


def recall(items: Sequence[int], hidden: set[int], k: int) -> float:
    return len(hit_ranks(items, hidden, k)) / min(k, len(hidden))


def recall_all(items: Sequence[int], hidden: set[int], k: int) -> float:
    return len(hit_ranks(items, hidden, k)) / len(hidden)


def precision(items: Sequence[int], hidden: set[int], k: int) -> float:
    return len(hit_ranks(items, hidden, k)) / k


def hit_rate(items: Sequence[int], hidden: set[int], k: int) -> float:
    return 1.0 if hit_ranks(items, hidden, k) else 0.0


def dcg(ranks: Sequence[int]) -> float:
    return sum(1 / math.log2(rank + 1) for rank in ranks)


def ndcg(items: Sequence[int], hidden: set[int], k: int) -> float:
    return dcg(hit_ranks(items, hidden, k)) / dcg(range(1, min(k, len(hidden)) + 1))


def average_precision(items: Sequence[int], hidden: set[int], k: int) -> float:
    ranks = hit_ranks(items, hidden, k)
    return sum(sum(r <= rank for r in ranks) / rank for rank in ranks) / min(k, len(hidden))


def reciprocal_rank(items: Sequence[int], hidden: set[int], k: int) -> float:
    ranks = hit_ranks(items, hidden, k)
    return 1 / ranks[0] if ranks else 0.0


ACCURACY: dict[str, Metric] = {
    "recall": recall,
    "recall_all": recall_all,
    "precision": precision,
    "hit_rate": hit_rate,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": reciprocal_rank,
}


def novelty(items: Sequence[int], counts: Sequence[int], k: int) -> float:
    shown = [item for item in dict.fromkeys(items[:k]) if item >= 0]
    total = max(1, sum(counts))
    return sum(-math.log2(max(1, counts[item]) / total) for item in shown) / len(shown) if shown else 0.0


def popularity(items: Sequence[int], counts: Sequence[int], k: int) -> float:
    shown = [item for item in dict.fromkeys(items[:k]) if item >= 0]
    return sum(counts[item] for item in shown) / len(shown) if shown else 0.0


def diversity(items: Sequence[int], genres: Sequence[set[str]], k: int) -> float:
    shown = [item for item in dict.fromkeys(items[:k]) if item >= 0 and genres[item]]
    distances = [1 - len(genres[a] & genres[b]) / len(genres[a] | genres[b])
                 for a, b in itertools.combinations(shown, 2)]
    return sum(distances) / len(distances) if distances else 0.0


def exposure(lists: Sequence[Sequence[int]], n_items: int, k: int) -> list[int]:
    return [sum(item in items[:k] for items in lists) for item in range(n_items)]


def coverage(lists: Sequence[Sequence[int]], n_items: int, k: int) -> float:
    return sum(count > 0 for count in exposure(lists, n_items, k)) / n_items


def gini(lists: Sequence[Sequence[int]], n_items: int, k: int) -> float:
    """Mean absolute difference of two items' exposure over twice the mean exposure."""
    counts = exposure(lists, n_items, k)
    if sum(counts) == 0:
        return 0.0
    apart = sum(abs(a - b) for a in counts for b in counts) / n_items**2
    return apart / (2 * sum(counts) / n_items)
