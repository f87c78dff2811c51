"""`expect: +0.005 recall@10 [ONE over OTHER]`: a hypothesis in numbers, which the answer is held against.

What begins with a signed number is one, and is checked before anything is done: a slip of the pen would be a hypothesis
that nothing ever answers. Anything else is words, for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from matinee.errors import ConfigError
from matinee.evaluation.names import parse, require_depth, require_per_user
from matinee.ranking.lists import DEPTH

_IN_NUMBERS = re.compile(r"[+-]\s*\.?\d")
_FORM = re.compile(r"(?P<by>[+-](?:\d+\.?\d*|\.\d+)) (?P<metric>\S+)(?: (?P<one>\S+) over (?P<other>\S+))?")


@dataclass(frozen=True)
class Expectation:
    by: float
    metric: str
    one: str | None
    other: str | None

    @property
    def pair(self) -> tuple[str, ...]:
        """The two that are named; else nothing."""
        return () if self.one is None or self.other is None else (self.one, self.other)


def checked_expectation(text: str) -> Expectation | None:
    """None where it is in words. Raises ConfigError where it is in numbers that no figure can be held against."""
    if not _IN_NUMBERS.match(text.strip()):
        return None
    stated = _FORM.fullmatch(" ".join(text.split()))
    if stated is None:
        raise ConfigError("bad-expect", f"{text!r} begins with a number, and cannot be held against a figure",
                          "write `+0.005 recall@10`, or `+0.005 recall@10 ONE over OTHER` with ids; "
                          "what begins otherwise is words")
    metric = parse(stated["metric"])
    require_depth([metric], DEPTH)
    require_per_user(metric)
    if stated["one"] is not None and stated["one"] == stated["other"]:
        raise ConfigError("bad-expect", f"{stated['one']} is held against itself", "name two entries")
    return Expectation(float(stated["by"]), stated["metric"], stated["one"], stated["other"])


def expectation(text: str) -> Expectation | None:
    """The same of a run that is there already, whose words are what they are."""
    try:
        return checked_expectation(text)
    except ConfigError:
        return None
