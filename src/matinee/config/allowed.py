"""What a field may hold, in words, and the fields of a recipe for people: `matinee models ease`, error texts, docs."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt, MaxLen, MinLen

from matinee.contract import Recommender

_PLAIN: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path",
                          date: "a date", type(None): "null", Recommender: "a model"}
_SIGNS: dict[type, str] = {Gt: ">", Ge: ">=", Lt: "<", Le: "<="}


@dataclass(frozen=True)
class Field:
    """One hyper-parameter as a reader wants it."""

    name: str
    allowed: str
    default: Any  # dataclasses.MISSING where it must be given
    doc: str


def fields_of(recipe: type) -> list[Field]:
    """The fields of a dataclass in order, each with its default, what it may hold, and the doc under it."""
    hints, docs = get_type_hints(recipe, include_extras=True), _docs(recipe)
    return [Field(field.name, allowed(hints[field.name]), _default(field), docs.get(field.name, ""))
            for field in dataclasses.fields(recipe) if field.init]


def allowed(hint: Any) -> str:
    """`a number > 0 and <= 1000000`, `one of all, any`, `a list of text`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return " ".join(part for part in (allowed(args[0]), _bounds(args[1:])) if part)
    if origin is Literal:
        return "one of " + ", ".join("null" if choice is None else str(choice) for choice in args)
    if origin in (Union, types.UnionType):
        return " or ".join(allowed(arg) for arg in args)
    if origin is tuple:
        inner = [allowed(arg) for arg in args if arg is not Ellipsis]
        return f"a list of {inner[0]}" if Ellipsis in args else f"a list: {', '.join(inner)}"
    if origin is list:
        return f"a list of {allowed(args[0])}"
    if origin in (dict, Mapping):
        return "keys and values"
    return _PLAIN.get(hint, str(getattr(hint, "__name__", hint)))


def may_be(hint: Any, kind: type) -> bool:
    """Is `kind` what the field may hold, or one of several?"""
    branches = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    return kind in branches


def inside(hint: Any) -> Any:
    """What the values of a list or of a mapping may be; `hint` itself where it is neither."""
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    for branch in get_args(plain) if get_origin(plain) in (Union, types.UnionType) else (plain,):
        origin, args = get_origin(branch), get_args(branch)
        if origin in (tuple, list):
            return args[0]
        if origin in (dict, Mapping):
            return args[1]
    return hint


def limits(hint: Any) -> tuple[float | None, float | None]:
    """The lower and the upper bound of a number; None where there is none."""
    low: float | None = None
    high: float | None = None
    for one in _flat(get_args(hint)[1:] if get_origin(hint) is Annotated else ()):
        if isinstance(one, Gt | Ge):
            low = float(one.gt if isinstance(one, Gt) else one.ge)  # type: ignore[arg-type]
        elif isinstance(one, Lt | Le):
            high = float(one.lt if isinstance(one, Lt) else one.le)  # type: ignore[arg-type]
    return low, high


def _bounds(metadata: tuple[Any, ...]) -> str:
    parts = []
    for one in _flat(metadata):
        if type(one) in _SIGNS:
            (bound,) = (getattr(one, field.name) for field in dataclasses.fields(one))
            parts.append(f"{_SIGNS[type(one)]} {int(bound) if bound == int(bound) else bound}")
        elif isinstance(one, MinLen):
            parts.append(f"at least {one.min_length} long")
        elif isinstance(one, MaxLen):
            parts.append(f"at most {one.max_length} long")
    return " and ".join(parts)


def _flat(metadata: tuple[Any, ...]) -> list[Any]:
    """`Interval(ge=0, le=1)` as `Ge(0), Le(1)`."""
    return [part for one in metadata for part in (one if isinstance(one, GroupedMetadata) else (one,))]


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


def _docs(recipe: type) -> dict[str, str]:
    """Field name -> the text that stands under the field in the source."""
    docs: dict[str, str] = {}
    for cls in reversed([cls for cls in recipe.__mro__ if dataclasses.is_dataclass(cls)]):
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            if (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr)
                    and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)):
                docs[field.target.id] = inspect.cleandoc(below.value.value)
    return docs
