"""Where to look next in a model's `search`: even points first, then ever nearer to the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

Settings = Mapping[str, Any]
Search = Mapping[str, Any]
Trial = Mapping[str, Any]
"""settings, seconds, and value or error"""


def proposal(search: Search, first: Settings, trials: Sequence[Trial], seed: int) -> Settings | None:
    """The next settings to try, decided by the trials so far; None where 64 draws give nothing that is new.

    `first` comes first: the defaults. Then so many points of Halton's sequence, and then points around the best, a
    quarter of them from the whole space.
    """
    tried = [trial["settings"] for trial in trials]
    if first not in tried:
        return first
    spread = 2 * len(search) + 2
    for attempt in range(64):
        rng = np.random.default_rng([seed, len(trials), attempt])
        if len(trials) <= spread and not attempt:
            point = qmc.Halton(len(search), rng=np.random.default_rng(seed)).random(len(trials))[-1]
        elif attempt or len(trials) % 4 == 0:
            point = rng.random(len(search))
        else:
            point = near(leader(trials)["settings"], search, 0.25 * 0.93 ** (len(trials) - spread), rng)
        settings = {name: value_at(space, u) for (name, space), u in zip(search.items(), point, strict=True)}
        if settings not in tried:
            return settings
    return None


def leader(trials: Sequence[Trial]) -> Trial:
    return max(trials, key=lambda trial: trial.get("value", -1.0))


def near(settings: Settings, search: Search, width: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A point of the unit cube not far from these settings, about half of them moved."""
    here = np.array([place_of(space, settings[name]) for name, space in search.items()])
    moved = rng.random(len(here)) < 0.5
    moved[rng.integers(len(here))] = True
    return np.clip(here + moved * rng.normal(0, max(width, 0.02), len(here)), 0, 1)


def value_at(space: Any, u: float) -> Any:
    """The value at u in [0, 1]: one of a list, or between two ends, to three digits."""
    if (listed := choices(space)) is not None:
        return listed[min(int(u * len(listed)), len(listed) - 1)]
    low, high = space["low"], space["high"]
    value = low * (high / low) ** u if space.get("log") else low + (high - low) * u
    value = round(value) if isinstance(low, int) and isinstance(high, int) else float(f"{value:.3g}")
    return min(max(value, low), high)


def place_of(space: Any, value: Any) -> float:
    """Where in [0, 1] a value stands; the middle for one that is not in the space."""
    if (listed := choices(space)) is not None:
        return (listed.index(value) + 0.5) / len(listed) if value in listed else 0.5
    if not isinstance(value, int | float):
        return 0.5
    low, high = space["low"], space["high"]
    if space.get("log"):
        return float(np.clip(np.log(max(value, low) / low) / np.log(high / low), 0, 1))
    return float(np.clip((value - low) / (high - low), 0, 1))


def choices(space: Any) -> list[Any] | None:
    if isinstance(space, Mapping):
        return list(space["choices"]) if "choices" in space else None
    return list(space)
