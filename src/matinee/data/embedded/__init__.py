"""Data sets that ship inside the package.

`movietweetings`: ratings of films 0..10 posted on Twitter from 2013-02-28 to 2013-11-06, of users and films with at
least ten of them: 73,508 ratings, 3,084 users, 1,585 films, with titles, years and genres. By Simon Dooms, under the
MIT licence in LICENSE-MovieTweetings; made by scripts/make_embedded.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from matinee.data.layouts import movielens
from matinee.data.source import Reading, Source
from matinee.errors import ConfigError

NAMES = ("movietweetings",)


def read(name: str, reading: Reading) -> Source:
    """One of `NAMES`. Raises ConfigError for another."""
    if name not in NAMES:
        raise ConfigError("unknown-data", f"no embedded data set called {name!r}", f"one of {', '.join(NAMES)}")
    only_progress = Reading(progress=reading.progress)
    return replace(movielens.read(Path(__file__).parent / name, only_progress), layout="embedded")
