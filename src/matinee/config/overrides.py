"""`--set models.ease.l2=300`: one value of an experiment file replaced from the command line.

The path goes down by keys; an entry of a list is named by its id (the name of its model or method where it
has none) or by its position, counted from 0. The value is YAML: `--set "evaluate.metrics=[recall@5]"`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from matinee.config.yaml_file import Document, Trail, parse
from matinee.errors import ConfigError, Place, nearest

NAMED_BY = {"split": "protocol", "filters": "kind", "models": "model", "weights": "kind", "ensembles": "method",
            "of": "model"}
"""The key that names what an entry is. An entry that says nothing else may be that name alone: `- ease`."""


def apply(document: Document, overrides: Sequence[str]) -> Document:
    """`document` with each `path=value` put in, in order. Raises ConfigError where a path leads nowhere."""
    content, keys, values = copy.deepcopy(document.content), dict(document.keys), dict(document.values)
    for override in overrides:
        path, equals, text = override.partition("=")
        place = Place(f"--set {path}")  # without the value, which may be a secret
        if not equals or not path:
            raise ConfigError("bad-override", "an override is written key=value", "such as models.ease.l2=300", place)
        trail = _put(content, path.split("."), parse(text, place.file).content, place)
        for places in (keys, values):
            for inner in [known for known in places if known[: len(trail)] == trail]:
                del places[inner]
            places[trail] = place
    return Document(content, keys, values)


def entry_id(entry: Any) -> str | None:
    """The id of an entry in a list: its own, or the name of its model, method or kind."""
    if isinstance(entry, dict):
        entry = next((entry[key] for key in ("id", "model", "method", "kind") if key in entry), None)
    if not isinstance(entry, str):
        return None
    return PurePosixPath(entry).stem if entry.endswith(".py") else entry


def _put(content: Any, words: list[str], value: Any, place: Place) -> Trail:
    trail: list[str | int] = []
    holder = content
    while True:
        key, words = _step(holder, words, place)
        trail.append(key)
        if not words:
            holder[key] = value
            return tuple(trail)
        section = next(word for word in reversed(trail) if isinstance(word, str))
        inner = holder[key] if isinstance(holder, list) else holder.get(key)
        if isinstance(inner, str) and section in NAMED_BY:
            inner = {NAMED_BY[section]: inner}
        holder[key] = {} if inner is None else inner
        holder = holder[key]


def _step(holder: Any, words: list[str], place: Place) -> tuple[Any, list[str]]:
    """The key or position that the next words name in `holder`, and the words left."""
    if isinstance(holder, dict):
        return words[0], words[1:]
    if not isinstance(holder, list):
        raise ConfigError("bad-override", f"there is nothing inside a plain value to call {words[0]!r}", place=place)
    ids = [entry_id(entry) for entry in holder]
    for length in range(len(words), 0, -1):  # an id may hold dots
        name = ".".join(words[:length])
        if ids.count(name) == 1:
            return ids.index(name), words[length:]
        if ids.count(name) > 1:
            what = f"{ids.count(name)} entries have the id {name!r}"
            raise ConfigError("bad-override", what, "name one by its position, from 0", place)
    if words[0].isdecimal() and int(words[0]) < len(holder):
        return int(words[0]), words[1:]
    raise ConfigError("bad-override", f"no entry has the id or position {words[0]!r}",
                      nearest(words[0], [name for name in ids if name]), place)
