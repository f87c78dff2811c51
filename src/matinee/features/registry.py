"""Find a feature by its name. The function's name is the name; there is no list to keep.

`user:zip` and `item:country` are any column of the side information, whatever it is called.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import matinee.features.functions
from matinee.errors import ConfigError, nearest
from matinee.features.feature import FEATURES, Feature
from matinee.features.side_columns import of_side


def names() -> list[str]:
    """Of all features that there are, in order."""
    _load()
    return sorted(FEATURES)


def feature(name: str) -> Feature:
    """The feature called `name`. Raises ConfigError (`features-unknown`)."""
    _load()
    if name in FEATURES:
        return FEATURES[name]
    whose, _, column = name.partition(":")
    if whose in ("user", "item") and column:
        return of_side(name, "user" if whose == "user" else "item", column)
    way = nearest(name, FEATURES)
    raise ConfigError("features-unknown", f"no feature is called {name!r}",
                      f"{way}; a column of the side files: user:NAME or item:NAME")


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(matinee.features.functions.__path__):
        import_module(f"matinee.features.functions.{module.name}")
