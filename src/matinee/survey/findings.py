"""What is odd about a log: each check by name, with what it found, how much of it, examples, and what to do.

A check finds nothing (`clean`), something to look at (`look`), something that makes figures wrong (`alarm`), or what is
so by the choice of the split (`design`); or it says why it could not be made. Clean data pass all of
them, and the page shows that they did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from matinee.survey.figures import Figures

LONGEST = 120
"""Letters of an example."""

Level = Literal["clean", "look", "alarm", "design", "unchecked"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    id: str
    asks: str
    """The question that the check answers."""
    level: Level
    count: int = 0
    of: int = 0
    what: str = ""
    """What was found, or why the check could not be made."""
    way: str = ""
    """What to do."""
    examples: tuple[str, ...] = ()

    def figures(self) -> Figures:
        return {**asdict(self), "examples": list(self.examples)}


@dataclass(frozen=True)
class Check:
    id: str
    asks: str

    def unchecked(self, why: str) -> Finding:
        return Finding(id=self.id, asks=self.asks, level="unchecked", what=why)

    def found(
        self, count: int, of: int, what: str, way: str = "", examples: Sequence[str] = (), *, alarm: bool = False,
        design: bool = False,
    ) -> Finding:
        """Clean where `count` is 0, whatever `what` says."""
        if not count:
            return Finding(id=self.id, asks=self.asks, level="clean", of=of)
        level: Level = "alarm" if alarm else "design" if design else "look"
        return Finding(id=self.id, asks=self.asks, level=level, count=count, of=of, what=what, way=way,
                       examples=tuple(text[:LONGEST] for text in examples))
