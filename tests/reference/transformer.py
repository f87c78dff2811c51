"""A transformer over one history in float64, place by place: slow and obvious.

Weights are called as a stored one calls them: `positions` (L, D), `gain`, `shift`, `0.norm1.gain`, `0.mixed.weight` ...
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Arrays = Mapping[str, Numbers]


def normalised(x: Numbers, gain: Numbers, shift: Numbers) -> Numbers:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-5) * gain + shift


def gelu(x: Numbers) -> Numbers:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def states(
    table: Numbers, a: Arrays, items: list[int], heads: int, blocks: int, causal: bool, activation: str
) -> Numbers:
    """(n, D) of a history of n items."""
    n, dim = len(items), table.shape[1]
    size = dim // heads
    act = gelu if activation == "gelu" else lambda x: np.maximum(x, 0)
    x = [table[items[t]] * np.sqrt(dim) + a["positions"][t] for t in range(n)]
    for b in range(blocks):
        h = [normalised(x[t], a[f"{b}.norm1.gain"], a[f"{b}.norm1.shift"]) for t in range(n)]
        mixed = [a[f"{b}.mixed.weight"] @ h[t] + a[f"{b}.mixed.bias"] for t in range(n)]
        query, key, value = ([m[part * dim : (part + 1) * dim] for m in mixed] for part in range(3))
        for t in range(n):
            found = []
            for head in range(heads):
                own = slice(head * size, (head + 1) * size)
                seen = range(t + 1) if causal else range(n)
                weight = np.exp([query[t][own] @ key[j][own] / np.sqrt(size) for j in seen])
                found.append(sum(w * value[j][own] for w, j in zip(weight / weight.sum(), seen, strict=True)))
            x[t] = x[t] + a[f"{b}.joined.weight"] @ np.concatenate(found) + a[f"{b}.joined.bias"]
        for t in range(n):
            inner = act(a[f"{b}.wide.weight"] @ normalised(x[t], a[f"{b}.norm2.gain"], a[f"{b}.norm2.shift"])
                        + a[f"{b}.wide.bias"])
            x[t] = x[t] + a[f"{b}.narrow.weight"] @ inner + a[f"{b}.narrow.bias"]
    return np.array([normalised(x[t], a["gain"], a["shift"]) for t in range(n)])


def cross_entropy(hidden: Numbers, table: Numbers, bias: Numbers, targets: list[int], weights: list[float]) -> float:
    """Summed over places."""
    total = 0.0
    for h, target, weight in zip(hidden, targets, weights, strict=True):
        scores = table @ h + bias
        total += weight * (np.log(np.exp(scores - scores.max()).sum()) + scores.max() - scores[target])
    return total
