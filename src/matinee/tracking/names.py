"""Names and values as MLflow takes them, and back again.

MLflow takes letters, digits, `_`, `-`, `.`, blanks and `/` between parts. `@` becomes `_at_`, any other sign its code
as `_x3d_`; an underscore that would read as the beginning of one of these is written as a code too, so that
`original(mapped(name)) == name` for every name.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

LONGEST_NAME = 250
LONGEST_VALUE = 500
"""Of a parameter: servers before MLflow 2.10 take no more."""
LONGEST_TAG = 5000
LARGEST = 1.7976931348623157e308



def _strange(allowed: str) -> re.Pattern[str]:
    """A sign that is not allowed, or an underscore that with what follows would read as one."""
    return re.compile(rf"[^_{allowed}]|_(?=(?:at|x[0-9a-f]*)[^{allowed}])")


_STRANGE, _STRANGE_OR_DOT = _strange("A-Za-z0-9 .-"), _strange("A-Za-z0-9 -")
_MAPPED = re.compile(r"_at_|_x([0-9a-f]*)_")


def mapped(*parts: str) -> str:
    """The parts as one name, `/` between them."""
    return "/".join(_part(part) for part in parts)


def original(name: str) -> tuple[str, ...]:
    """The parts that `mapped` made `name` of."""
    return tuple(_MAPPED.sub(_character, part) for part in name.split("/"))


def cut(name: str, longest: int = LONGEST_NAME) -> str:
    """`name`; where it is longer than MLflow takes, its beginning and a hash of the whole."""
    if len(name) <= longest:
        return name
    return f"{name[: longest - 17]}.{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def flat(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Parameters as `models.ease.l2`, a list's entries by their id where they have one, by number elsewhere."""
    for key, value in content.items():
        name = f"{above}.{_part(str(key), dots=True)}" if above else _part(str(key), dots=True)
        if isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
            value = {(one.get("id") if isinstance(one, Mapping) else None) or str(at): one
                     for at, one in enumerate(value)}
        if isinstance(value, Mapping) and value:
            yield from flat(value, name)
        else:
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def number(value: float) -> tuple[float, bool]:
    """`value` as every store keeps it, and whether that is another number. NaN is kept as NaN."""
    try:
        kept = float(value)
    except OverflowError:
        kept = math.inf if value > 0 else -math.inf
    if math.isinf(kept):
        return math.copysign(LARGEST, kept), True
    if kept == 0.0:
        return 0.0, math.copysign(1.0, kept) < 0
    return kept, not math.isnan(kept) and kept != value


def _part(text: str, *, dots: bool = False) -> str:
    """dots: code them too. They are coded where there is nothing else: `.` and `..` are paths."""
    strange = _STRANGE_OR_DOT if dots or not text.strip(".") else _STRANGE
    return strange.sub(_code, text) or "_x_"


def _code(found: re.Match[str]) -> str:
    return "_at_" if found[0] == "@" else f"_x{ord(found[0]):x}_"


def _character(found: re.Match[str]) -> str:
    if found[0] == "_at_":
        return "@"
    return chr(int(found[1], 16)) if found[1] else ""
