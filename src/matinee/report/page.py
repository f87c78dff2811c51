"""A page is one file, readable offline: a template of this folder on the base that all share, and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup


def rendered(template: str, content: Mapping[str, Any], filters: Mapping[str, Callable[..., Any]] | None = None) -> str:
    """The template of that name with `content`; what it names and does not get is an error."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=jinja2.FunctionLoader(_read),
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False}  # people read it
    environment.filters |= filters or {}
    return environment.get_template(template).render(style=Markup(_read("page.css")), **content)


def _read(name: str) -> str:
    return (files("matinee.report") / name).read_text(encoding="utf-8")
