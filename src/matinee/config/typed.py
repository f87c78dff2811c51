"""A mapping and a frozen dataclass to an instance, checked field by field. The only module that knows pydantic.

Strict: "10" is no number, true is not 1, 1.5 is no whole number, NaN and infinities are refused; a whole number
may stand where a number is asked. A field of type `Path` counts from the folder of the experiment file.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from matinee import catalog
from matinee.config.allowed import allowed, inside, may_be
from matinee.config.yaml_file import Document, Trail
from matinee.contract import Recommender
from matinee.errors import ConfigError, MatineeError, nearest

T = TypeVar("T")

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)
_SECRET = re.compile(r"pass|secret|token|credential|api.?key", re.IGNORECASE)


@dataclass(frozen=True)
class At:
    """A position in an experiment: for the words of an error, and to find the line it stands in."""

    document: Document
    base: Path
    trail: Trail = ()

    def __truediv__(self, step: str | int) -> At:
        return At(self.document, self.base, (*self.trail, step))

    def __str__(self) -> str:
        """models[0].l2"""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.trail).lstrip(".")

    def error(self, code: str, what: str, way: str = "", *, of_key: bool = False) -> ConfigError:
        where = f"{self}: " if self.trail else ""
        return ConfigError(code, where + what, way, self.document.place(self.trail, of_key=of_key))

    def placed(self, error: MatineeError) -> ConfigError:
        """An error from elsewhere, said of this position."""
        return self.error(error.code, error.what, error.way)


def keys(
    given: Any, known: Collection[str], at: At, needed: Collection[str] = (), beside: Collection[str] = ()
) -> dict[str, Any]:
    """`given` as a mapping whose keys are all `known` and hold all that are `needed`; `beside` are only suggested."""
    if not isinstance(given, Mapping):
        raise at.error("wrong-type", f"{shown(given, at)} stands where keys and values are expected")
    for key in given:
        if key not in known:
            way = nearest(str(key), [*known, *beside])
            raise (at / str(key)).error("unknown-key", "there is no such key", way, of_key=True)
    for name in needed:
        if name not in given:
            raise at.error("missing-key", f"the key {name!r} is missing", "add it")
    return dict(given)


def build(cls: type[T], given: Any, at: At, beside: Collection[str] = ()) -> T:
    """An instance of the dataclass `cls`. Raises ConfigError with field path, value and allowed range.

    `beside`: keys that stand in the same mapping and are the caller's; a typo may have meant one of them.
    """
    fields = [field for field in dataclasses.fields(cls) if field.init]  # type: ignore[arg-type]
    needed = [f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING]
    values = keys(given, [field.name for field in fields], at, needed, beside)
    hints = get_type_hints(cls, include_extras=True)
    checked = {name: convert(hints[name], value, at / name) for name, value in values.items()}
    try:
        return cls(**checked)
    except MatineeError as error:
        raise at.placed(error) from None
    except ValueError as error:
        raise at.error("bad-value", str(error)) from None


def convert(hint: Any, value: Any, at: At) -> Any:
    """`value` as the type `hint`, bounds and all. A recipe inside a recipe: a model's name, or its keys and values."""
    if may_be(hint, Recommender) and isinstance(value, str | Mapping):
        given = keys_of_named("model", value, at)
        name = convert(str, given.pop("model"), at / "model")
        return recipe_of(name, given, at, beside=("model",))
    if may_be(hint, Recommender) and not (value is None and may_be(hint, type(None))):
        raise at.error("wrong-type", f"{shown(value, at)} is refused", f"must be {allowed(hint)}")
    if may_be(hint, Recommender):
        return None
    try:
        text = json.dumps(value)  # as JSON, a list may become a tuple and a date may stand as text, and no more
    except (TypeError, ValueError):
        raise at.error("wrong-type", f"{shown(value, at)} is no plain value", f"must be {allowed(hint)}") from None
    try:
        checked = TypeAdapter(hint, config=_STRICT).validate_json(text)
    except ValidationError as error:
        raise _refusal(hint, value, at, error) from None
    return at.base / checked if isinstance(checked, Path) else checked


def recipe_of(name: str, params: Mapping[str, Any], at: At, beside: Collection[str]) -> Recommender:
    """The recipe of the model called `name`. Raises ConfigError; `beside` as for `build`."""
    try:
        cls = catalog.load(name, at.base)
    except MatineeError as error:
        raise (at / "model").placed(error) from None
    except (SyntaxError, ImportError) as error:
        what = f"{name} cannot be imported: {error}"
        raise (at / "model").error("bad-model", what, "run it with python to see why") from None
    return build(cls, params, at, beside)


def recipes_in(recipe: Recommender) -> Iterator[Recommender]:
    """The recipe and all that are in its fields, at any depth."""
    yield recipe
    for field in dataclasses.fields(recipe):
        inner = getattr(recipe, field.name)
        if isinstance(inner, Recommender):
            yield from recipes_in(inner)


def name_of(recipe: Recommender, base: Path | None = None) -> str:
    """The name of a recipe's model, as `recipe_of` takes it. Paths count from `base`."""
    return str(_plain(catalog.name_of(type(recipe)), base.resolve() if base else None))


def named(registry: Mapping[str, type[T]], key: str, given: Any, at: At, aside: Collection[str] = ()) -> T:
    """An instance of one class of `registry`: given as its name alone, or as keys and values with the name under `key`.

    Keys in `aside` are the caller's.
    """
    given = keys_of_named(key, given, at)
    name, spot = given[key], at / key
    if not isinstance(name, str) or name not in registry:
        raise spot.error(f"unknown-{key}", f"there is no {key} {shown(name, spot)}", nearest(str(name), registry))
    return build(registry[name], {k: v for k, v in given.items() if k != key and k not in aside}, at, beside=aside)


def keys_of_named(key: str, given: Any, at: At) -> dict[str, Any]:
    """`ease` as `{model: ease}`, where `key` is `model`."""
    if isinstance(given, str):
        return {key: given}
    if not isinstance(given, Mapping):
        raise at.error("wrong-type", f"{shown(given, at)} stands where a name or keys and values are expected")
    if key not in given:
        raise at.error("missing-key", f"the key {key!r} is missing", "add it")
    return {str(k): v for k, v in given.items()}


def parameters(instance: Any, base: Path | None = None) -> dict[str, Any]:
    """The fields of a recipe, JSON-able: what `build` would take to make it again. Paths count from `base` again."""
    return {field.name: _plain(getattr(instance, field.name), base)
            for field in dataclasses.fields(instance) if field.init}


def shown(value: Any, at: At) -> str:
    """A value for an error text: short, and hidden where it may be a secret."""
    if any(isinstance(step, str) and _SECRET.search(step) for step in at.trail):
        return "a value (hidden)"
    if isinstance(value, Mapping | list | tuple):
        return "a list" if isinstance(value, list | tuple) else "a mapping"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str | int | bool | float | None) else repr(value)
    text = re.sub(r"://[^/@\s]*@", "://***@", text)
    return text if len(text) <= 60 else text[:57] + "..."


def _refusal(hint: Any, value: Any, at: At, error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    for step in first["loc"]:  # of a union, pydantic adds the branch's name to the path
        try:
            value = value[step]
        except (TypeError, KeyError, IndexError):
            continue
        at, hint = at / step, inside(hint)
    kind = first["type"]
    if kind == "literal_error":
        choices = [choice for choice in get_args(hint) if isinstance(choice, str)]
        return at.error("unknown-value", f"{shown(value, at)} is not known", nearest(str(value), choices) if choices
                        else f"must be {allowed(hint)}")
    code = "out-of-range" if kind.startswith(("greater", "less", "too_", "string_too", "finite")) else "wrong-type"
    return at.error(code, f"{shown(value, at)} is refused", f"must be {allowed(hint)}")


def _plain(value: Any, base: Path | None) -> Any:
    if isinstance(value, Path):
        return str(value.relative_to(base) if base and value.is_relative_to(base) else value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Recommender):
        return {"model": name_of(value, base), **parameters(value, base)}
    if dataclasses.is_dataclass(value):
        return parameters(value, base)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, base) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner, base) for inner in value]
    return value
