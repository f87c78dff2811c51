"""Gated recurrent units and NARM's attention over one history in float64, event by event: slow and obvious.

Weights are called as a stored form calls them: `0.input.weight` (3 H, D), `0.state.bias` ..., and `asked`, `keys`,
`weights` and `joined` of the attention.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Arrays = Mapping[str, Numbers]


def sigma(x: Numbers) -> Numbers:
    return 1 / (1 + np.exp(-x))


def unit(a: Arrays, layer: int, x: Numbers, h: Numbers) -> Numbers:
    """The state after reading x."""
    width = len(h)
    said = a[f"{layer}.input.weight"] @ x + a[f"{layer}.input.bias"]
    kept = a[f"{layer}.state.weight"] @ h + a[f"{layer}.state.bias"]
    reset, update, new = (slice(n * width, (n + 1) * width) for n in range(3))
    r = sigma(said[reset] + kept[reset])
    z = sigma(said[update] + kept[update])
    n = np.tanh(said[new] + r * kept[new])
    return (1 - z) * n + z * h


def states(table: Numbers, a: Arrays, layers: int, items: list[int]) -> Numbers:
    """(n, H) of the last layer."""
    width = a["0.state.weight"].shape[1]
    h, out = [np.zeros(width) for _ in range(layers)], []
    for item in items:
        x = table[item]
        for layer in range(layers):
            h[layer] = x = unit(a, layer, x, h[layer])
        out.append(x)
    return np.array(out).reshape(len(items), width)


def attended(a: Arrays, h: Numbers) -> Numbers:
    """(n, D) of the states (n, H) of a history: what scores after each event."""
    out = []
    for t in range(len(h)):
        local = sum(((a["weights"] @ sigma(a["asked"] @ h[t] + a["keys"] @ h[j])) * h[j] for j in range(t + 1)),
                    np.zeros(h.shape[1]))
        out.append(a["joined"] @ np.concatenate([h[t], local]))
    return np.array(out)
