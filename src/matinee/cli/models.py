"""`matinee models`: what there is, and what each hyper-parameter of one model means."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer

from matinee.cli import terminal

app = typer.Typer(add_completion=False)


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="A model's name, or a file: ./my_model.py")] = None,
) -> None:
    """List the models; with a name, explain that one: idea, source, hyper-parameters with defaults and bounds."""
    from matinee import catalog

    if name is not None:
        return _explain(name)
    summaries = catalog.summaries()
    width = max(map(len, summaries), default=0)
    for known, summary in summaries.items():
        terminal.say(f"{known:<{width}}  {summary}")
    return None


def _explain(name: str) -> None:
    import inspect
    import sys
    from pathlib import Path

    from matinee import catalog
    from matinee.config import fields_of

    recipe = catalog.load(name, Path.cwd())
    terminal.say(inspect.getdoc(sys.modules[recipe.__module__]) or name)
    about = recipe.__doc__ if recipe.__doc__ and not recipe.__doc__.startswith(f"{recipe.__name__}(") else None
    if about:
        terminal.say("\n" + inspect.cleandoc(about))
    terminal.say("\nhyper-parameters:")
    for field in fields_of(recipe):
        terminal.say(f"  {field.name} = {_plain(field.default)}    {field.allowed}")
        for line in field.doc.splitlines():
            terminal.say(f"      {line}".rstrip())
    honours = {"confidence weights": recipe.honours_weights, "features": recipe.honours_features,
               "the history of each user": recipe.personal}
    terminal.say(f"\nuses: {', '.join(what for what, does in honours.items() if does) or 'counts alone'}")


def _plain(default: Any) -> str:
    return "(must be given)" if default is dataclasses.MISSING else json.dumps(default, ensure_ascii=False, default=str)
