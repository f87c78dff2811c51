"""Metric names as people write them: `recall@10`, `ndcg@10:rectools`, `uplus_score`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from matinee.errors import ConfigError
from matinee.evaluation.formulas import MEASURES
from matinee.evaluation.presets import PRESETS

BEYOND_PER_USER: Mapping[str, str] = {
    "novelty": "mean of -log2 of an item's share of the events learned from, in bits",
    "diversity": "mean Jaccard distance between the genres of two items of a list",
    "popularity": "mean number of events learned from of the items of a list",
    "seen": "mean share of a list that its user's history has already",
}
BEYOND_OVERALL: Mapping[str, str] = {
    "coverage": "share of the catalogue that stands in any list",
    "gini": "Gini coefficient of how often each item of the catalogue is shown; 0 is equal",
}
_FIXED = {"uplus_score": 25}


@dataclass(frozen=True)
class Metric:
    """`str(metric)` is the name as written."""

    name: str  # the measure: recall, ndcg, coverage ...
    k: int
    preset: str | None = None

    def __str__(self) -> str:
        length = "" if self.name in _FIXED else f"@{self.k}"
        return f"{self.name}{length}" + (f":{self.preset}" if self.preset else "")


def _known() -> dict[str, str]:
    length = {name: "" if name in _FIXED else "@K" for name in MEASURES}
    own = {f"{name}{length[name]}": (formula.__doc__ or "").split("\n")[0] for name, formula in MEASURES.items()}
    beyond = {f"{name}@K": text for name, text in {**BEYOND_PER_USER, **BEYOND_OVERALL}.items()}
    peers = {f"{name}@K:{preset}": f"as {found.library}: {found.convention}"
             for (name, preset), found in PRESETS.items()}
    return {**own, **beyond, **peers}


KNOWN: Mapping[str, str] = _known()
"""Every metric name, K standing for a number, and what it means; n is the number of a user's hidden items."""

_FORM = re.compile(r"([^@:]+)(?:@([0-9]+))?(?::([^@:]+))?")


def parse(text: str) -> Metric:
    """The metric called `text`. Raises ConfigError with the nearest known name."""
    matched = _FORM.fullmatch(text)
    if matched is None:
        raise _unknown(text)
    name, length, preset = matched.groups()
    fixed = _FIXED.get(name)
    pattern = name + ("" if fixed else "@K") + (f":{preset}" if preset else "")
    if pattern not in KNOWN or (fixed and length):
        raise _unknown(text)
    if fixed:
        return Metric(name, fixed, preset)
    if length is None or length.startswith("0"):
        raise ConfigError("bad-metric", f"{text!r} has no list length of 1 or more", f"write it as {name}@10")
    return Metric(name, int(length), preset)


def require_depth(metrics: list[Metric], depth: int) -> None:
    """Raises ConfigError where a metric looks at more places than lists of `depth` have."""
    for metric in metrics:
        if metric.k > depth:
            raise ConfigError("lists-too-short", f"{metric} needs {metric.k} places where lists are {depth} deep",
                              f"ask for at most {depth}, or make longer lists")


def is_per_user(metric: Metric) -> bool:
    """Has each user a value of it, to compare by?"""
    return metric.name not in BEYOND_OVERALL


def require_per_user(metric: Metric) -> None:
    """Raises ConfigError for a metric of which no user has a value."""
    if not is_per_user(metric):
        raise ConfigError("not-per-user", f"{metric} is one figure of everybody's lists together, so nothing tells "
                          "chance from difference", "compare by a metric that each user has a value of")


def _unknown(text: str) -> ConfigError:
    length = re.search(r"[0-9]+", text)
    concrete = [name.replace("@K", f"@{length.group() if length else 10}") for name in KNOWN]
    near = difflib.get_close_matches(text.lower(), concrete, n=3)
    way = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(KNOWN)}"
    return ConfigError("unknown-metric", f"no metric is called {text!r}", way)
