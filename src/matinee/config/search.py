"""What a search may try for each hyper-parameter: a model's own `search`, and what `tune.search` says instead.

    dim: {low: 32, high: 256, log: true}      whole numbers between both ends, by their logarithm
    dropout: {low: 0.0, high: 0.5}            numbers
    hidden: [[], [300], [600]]                one of these
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matinee import catalog
from matinee.config.experiment import ModelEntry
from matinee.config.typed import At, keys, parameters, recipe_of, shown
from matinee.config.yaml_file import Document, read
from matinee.errors import MatineeError, nearest

DIGITS = 3
"""Of a number between two ends: more say nothing, and a file of fewer is read by people."""


@dataclass(frozen=True)
class Range:
    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def size(self) -> float:
        return self.high - self.low + 1 if self.whole else (math.inf if self.high > self.low else 1)

    def rounded(self, value: float) -> float:
        """To what is tried: whole, or of three digits, and still between both ends."""
        near = round(value) if self.whole else float(f"{value:.{DIGITS}g}")
        return min(max(near, self.low), self.high)

    def plain(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, **({"log": True} if self.log else {})}


@dataclass(frozen=True)
class Choices:
    of: tuple[Any, ...]

    @property
    def size(self) -> float:
        return len(self.of)

    def with_(self, value: Any) -> Choices:
        """With one more, where it is not among them."""
        known = [json.dumps(one, sort_keys=True) for one in self.of]
        return self if json.dumps(value, sort_keys=True) in known else Choices((*self.of, value))

    def plain(self) -> list[Any]:
        return list(self.of)


Space = Range | Choices


def own_search(model: str, base: Path | None = None) -> dict[str, Any]:
    """The `search` block in the file beside a model, as it is written; empty where there is none."""
    file = catalog.settings_file(model, base)
    return dict(read(file).content.get("search") or {}) if file.is_file() else {}


def spaces_of(
    entry: ModelEntry, base: Path, changes: Mapping[str, Any] | None = None, at: At | None = None
) -> dict[str, Space]:
    """What is searched of an entry: its model's own search with `changes` put in; null takes a field out.

    Raises ConfigError for a field or a value that the model does not have, at `at`, which is where the changes stand.
    """
    given = own_search(entry.model, base)
    own = At(Document(given), base)
    found: dict[str, Space] = {}
    for name, space in {**given, **(changes or {})}.items():
        spot = (at if at and name in (changes or {}) else own) / name
        if space is not None:
            found[name] = _space(entry, name, space, spot)
    return found


def _space(entry: ModelEntry, name: str, given: Any, at: At) -> Space:
    params = parameters(entry.recipe, at.base)
    if name not in params:
        raise at.error("unknown-key", f"{entry.model} has no such field", nearest(name, params), of_key=True)
    space: Space
    if isinstance(given, Mapping) and "choices" not in given:
        space = _range(keys(given, ("low", "high", "log"), at, needed=("low", "high")), at)
    else:
        listed = keys(given, ("choices",), at)["choices"] if isinstance(given, Mapping) else given
        if not isinstance(listed, list | tuple) or not listed:
            raise at.error("wrong-type", f"{shown(listed, at)} is nothing to search",
                           "write {low: 1, high: 100, log: true}, or a list of values")
        space = Choices(tuple(listed))
    for value in space.of if isinstance(space, Choices) else (space.low, space.high):
        if value is None and params[name] is None:
            continue
        try:
            recipe_of(entry.model, {**params, name: value}, At(Document({}), at.base), ())
        except MatineeError as error:
            raise at.placed(error) from None
    return space


def _range(given: Mapping[str, Any], at: At) -> Range:
    low, high, log = given["low"], given["high"], given.get("log", False)
    for value in (low, high):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise at.error("wrong-type", f"{shown(value, at)} is refused", "both ends must be numbers")
    if not isinstance(log, bool):
        raise (at / "log").error("wrong-type", f"{shown(log, at)} is refused", "must be true or false")
    if low > high or (log and low <= 0):
        raise at.error("out-of-range", f"from {low} to {high} there is nothing",
                       "low must be at most high, and above 0 where log is true")
    whole = isinstance(low, int) and isinstance(high, int)
    return Range(low if whole else float(low), high if whole else float(high), log)
