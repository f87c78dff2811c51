"""YAML 1.2 text to plain values, with the line and column of each.

What YAML allows beyond plain values is refused: tags, a key given twice, keys that are not text, several
documents. Dates stay text. Aliases are expanded, up to a limit on the size of the whole.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from matinee.errors import ConfigError, Place

MOST_BYTES = 1 << 18
MOST_VALUES = 10_000
MOST_OPEN = 100
"""Brackets open at once. The library needs quadratic time in them, and nobody nests so deep."""

Trail = tuple[str | int, ...]
"""Keys and list positions from the root to a value: ("models", 0, "l2")."""

_PLAIN = {"str", "int", "float", "bool", "null", "timestamp", "merge"}
_NUMBERS = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}


@dataclass(frozen=True)
class Document:
    """Plain values (dict, list, str, int, float, bool, None) and where each key and each value stands."""

    content: Any
    keys: dict[Trail, Place] = field(default_factory=dict)
    values: dict[Trail, Place] = field(default_factory=dict)

    def place(self, trail: Trail, *, of_key: bool = False) -> Place | None:
        """Where the value at `trail` (or its key) stands; where it does not exist, what would hold it."""
        if of_key:
            for known, place in self.keys.items():
                if known[: len(trail)] == trail:  # the key, or the first inside it where an override made it
                    return place
        for length in range(len(trail), -1, -1):
            if trail[:length] in self.values:
                return self.values[trail[:length]]
        return None


def read(path: Path) -> Document:
    """Raises ConfigError, with line and column where known."""
    if not path.is_file():
        what = "there is no such file" if not path.exists() else "this is not a file"
        raise ConfigError("no-file", what, "give the path of an experiment file", path)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except PermissionError:
        raise ConfigError("no-file", "no permission to read this file", place=path) from None
    if len(content) > MOST_BYTES:
        raise ConfigError("too-large", f"more than {MOST_BYTES} bytes", "an experiment is a page of text", path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        at = Place(str(path), before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        what = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise ConfigError("not-utf-8", what, "save the file as UTF-8", at) from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Document:
    """The one document in `text`; `name` is how errors call it."""
    opened = itertools.accumulate({"[": 1, "{": 1, "]": -1, "}": -1}.get(letter, 0) for letter in text)
    if max(opened, default=0) > MOST_OPEN:
        raise ConfigError("bad-yaml", f"more than {MOST_OPEN} brackets are open at once", "nest less", name)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except ReaderError as error:
        before = text[: error.position]
        at = Place(name, before.count("\n") + 1, error.position - before.rfind("\n"))
        what = f"the character {text[error.position]!r} may not stand in YAML"
        raise ConfigError("bad-yaml", what, "remove it", at) from None
    except MarkedYAMLError as error:
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise ConfigError("bad-yaml", what, place=_place(name, error.problem_mark or error.context_mark)) from None
    except YAMLError as error:
        raise ConfigError("bad-yaml", str(error), place=name) from None
    except RecursionError:
        raise ConfigError("bad-yaml", "nested too deeply", "nest less", name) from None
    reading = _Reading(name)
    return Document(None if root is None else reading.value(root, ()), reading.keys, reading.values)


class _Reading:
    """One walk over a tree of nodes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: dict[Trail, Place] = {}
        self.values: dict[Trail, Place] = {}
        self._open: set[int] = set()  # nodes around the current one: an alias to one of them never ends

    def value(self, node: Node, trail: Trail) -> Any:
        self.values[trail] = _place(self.name, node.start_mark)
        if len(self.values) > MOST_VALUES or id(node) in self._open:
            raise self._error(node, "too-large", f"aliases expand this to more than {MOST_VALUES} values")
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode) and _tag(node) == "seq":
                return [self.value(child, (*trail, n)) for n, child in enumerate(node.value)]
            if isinstance(node, MappingNode) and _tag(node) == "map":
                return self._mapping(node, trail)
        finally:
            self._open.remove(id(node))
        raise self._tagged(node)

    def _mapping(self, node: MappingNode, trail: Trail) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self._error(key_node, "bad-key", "a key must be plain text")
            if _tag(key_node) not in _PLAIN:
                raise self._tagged(key_node)
            key = str(key_node.value)
            if key in found:
                first = self.keys[(*trail, key)]
                raise self._error(key_node, "duplicate-key", f"{key!r} is given twice, first in line {first.line}",
                                  "keep one of them")
            self.keys[(*trail, key)] = _place(self.name, key_node.start_mark)
            found[key] = self.value(value_node, (*trail, key))
        return found

    def _scalar(self, node: ScalarNode) -> Any:
        text, tag = str(node.value), _tag(node)
        try:
            if tag == "null":
                return None
            if tag == "bool":
                return {"true": True, "false": False}[text.lower()]
            if tag == "int":
                plain = text.replace("_", "")
                return int(plain, 0) if plain.lstrip("+-")[:2] in {"0x", "0o"} else int(plain)
            if tag == "float":
                return float(_NUMBERS.get(text.lower(), text.replace("_", "")))
        except (ValueError, KeyError):
            what = f"{text[:40]!r} is not a value of YAML 1.2"
            raise self._error(node, "bad-yaml", what, "put text in quotes") from None
        if tag in {"str", "timestamp"}:
            return text
        raise self._tagged(node)

    def _tagged(self, node: Node) -> ConfigError:
        return self._error(node, "tag-refused", f"the tag {node.tag} is refused", "write plain values without tags")

    def _error(self, node: Node, code: str, what: str, way: str = "") -> ConfigError:
        return ConfigError(code, what, way, _place(self.name, node.start_mark))


def _tag(node: Node) -> str:
    """`str`, `int`, `map` ... for the tags of YAML itself, the whole tag for others."""
    return str(node.tag).removeprefix("tag:yaml.org,2002:")


def _place(name: str, mark: StringMark | None) -> Place:
    return Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
