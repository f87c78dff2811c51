"""`expect: +0.005 recall@10 [ONE over OTHER]`: a hypothesis in numbers, which the answer is held against.

What begins with a signed number is one, and is checked before anything is done: a slip of the pen would be a hypothesis
that nothing ever answers. Anything else is words, for people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from matinee.config.typed import At
from matinee.errors import ConfigError, MatineeError, nearest
from matinee.evaluation.names import BEYOND_OVERALL, parse, require_depth
from matinee.ranking.lists import DEPTH

_IN_NUMBERS = re.compile(r"[+-]\s*\.?\d")
_FORM = re.compile(r"(?P<by>[+-](?:\d+\.?\d*|\.\d+)) (?P<metric>\S+)(?: (?P<one>\S+) over (?P<other>\S+))?")


@dataclass(frozen=True)
class Expectation:
    by: float
    metric: str
    one: str | None
    other: str | None


def expectation(text: str) -> Expectation | None:
    """None where it is not in numbers, or of a metric that no user has a value of."""
    stated = _FORM.fullmatch(" ".join(text.split()))
    if stated is None or not is_compared(stated["metric"]):
        return None
    return Expectation(float(stated["by"]), stated["metric"], stated["one"], stated["other"])


def is_compared(metric: str) -> bool:
    """Is there a figure of each user to compare by?"""
    try:
        return parse(metric).name not in BEYOND_OVERALL
    except MatineeError:
        return False


def check_expectation(text: str, known: Sequence[str], at: At) -> None:
    """Raises ConfigError where it is in numbers and cannot be answered; `known` are the entries' ids."""
    if not _IN_NUMBERS.match(text.strip()):
        return
    stated = _FORM.fullmatch(" ".join(text.split()))
    if stated is None:
        raise at.error("bad-expect", f"{text!r} begins with a number, and cannot be held against a figure",
                       "write `+0.005 recall@10`, or `+0.005 recall@10 ONE over OTHER` with ids; "
                       "what begins otherwise is words")
    try:
        require_depth([parse(stated["metric"])], DEPTH)
    except ConfigError as error:
        raise at.placed(error) from None
    if not is_compared(stated["metric"]):
        raise at.error("not-per-user", f"{stated['metric']} is one figure of everybody's lists together, so nothing "
                       "tells chance from difference", "expect something of a metric that each user has a value of")
    for id_ in (stated["one"], stated["other"]):
        if id_ is not None and id_ not in known:
            raise at.error("unknown-id", f"no model or ensemble has the id {id_!r}", nearest(id_, known))
    if stated["one"] is not None and stated["one"] == stated["other"]:
        raise at.error("bad-expect", f"{stated['one']} is held against itself", "name two entries")
