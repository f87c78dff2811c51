"""A page is one file, readable offline: a template of this folder, the style that all share, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup


def rendered(template: str, content: Mapping[str, Any]) -> str:
    """The template of that name with `content`; what it names and does not get is an error."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    folder = files("matinee.report")
    style = Markup((folder / "page.css").read_text(encoding="utf-8"))
    return environment.from_string((folder / template).read_text(encoding="utf-8")).render(style=style, **content)
