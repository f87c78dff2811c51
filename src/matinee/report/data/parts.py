"""What the page of a data set is made of: sections with panels and tables, each of a subject of the survey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matinee.survey.figures import Figures

LONGEST = 40


@dataclass(frozen=True)
class Panel:
    """A picture and what to see in it; without a picture, why there is none."""

    subject: str
    """The anchor that advice points at: the name in the survey."""
    title: str
    picture: str
    caption: str


@dataclass(frozen=True)
class Table:
    subject: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    panels: Sequence[Panel]
    tables: Sequence[Table] = ()


def missing(subject: str, title: str, found: Figures) -> Panel:
    return Panel(subject, title, "", f"Not shown: {found['absent']}.")


def shown(text: str, longest: int = LONGEST) -> str:
    """A name from the data, not longer than there is room for."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
