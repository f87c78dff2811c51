"""A page for each model, a table of all, and the reference, from the code: python -m scripts.model_pages

Of a model: the head of its file, the fields of its recipe as `matinee models NAME` tells them, what a search tries,
where its defaults come from, and the rows that `make quality` has measured. The reference: scripts/reference_pages.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.provenance import table
from benchmarks.quality.bench import protocols
from benchmarks.quality.store import read_rows

from matinee import catalog
from matinee.config import fields_of
from matinee.config.yaml_file import read
from matinee.contract import Recommender
from scripts import reference_pages
from scripts.readme_table import COLUMNS
from scripts.reference_pages import cell, escaped
from scripts.reports import write

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs/models"
ABOUT = """# Models

{count} models, and yours ([add a model](../guides/add-a-model.md)). The figures are the best that `make quality` has
measured on MovieLens-1M, at the defaults or at the settings that its page names; nothing stands where nothing was
measured. [All rows](../../benchmarks/quality/results.md) with intervals and paired tests;
[what a protocol asks](../ideas/protocols.md).
"""
PARAGRAPHS = re.compile(r"(?<!\n)\n(?=(?:Differs|Cost|Shines|Blind|Peak|Memory)\b)")


def pages() -> dict[Path, str]:
    """Every page of models and of the reference."""
    rows, known = read_rows(), protocols()
    made = {FOLDER / f"{name}.md": page(name, rows, known) for name in catalog.names()}
    return {**made, FOLDER / "README.md": index(rows), **reference_pages.pages()}


def page(name: str, rows: Sequence[Mapping[str, Any]], known: Mapping[str, Any]) -> str:
    recipe = catalog.load(name)
    idea, *rest = prose(inspect.getdoc(sys.modules[recipe.__module__]) or name).split("\n\n", 1)
    lines = [f"# {name}", "", f"*{recipe.family}*. {idea}", "", *rest, "", "## Use", "",
             f"    matinee fit {name} {'my_log.csv' if recipe.orders_candidates else 'embedded:movietweetings'}"]
    if recipe.orders_candidates:
        lines = [*lines[:-3], "It puts into order what other models find: see [two stages](../guides/two-stages.md)."]
    lines += ["", uses(recipe), "", "## Hyper-parameters", "", *hyper_parameters(recipe), *searched(name)]
    own = [row for row in rows if row["model"] == name]
    lines += ["", "## Measured", "", *measured(own, known), ""]
    source = f"../../src/matinee/models/{name}"
    return "\n".join([*lines, f"Source: [{name}.py]({source}.py), settings: [{name}.yaml]({source}.yaml).", ""])


def prose(text: str) -> str:
    """A docstring as Markdown: formulas stay as they stand, and signs of Markdown in words are signs."""
    parts = PARAGRAPHS.sub("\n\n", text).split("\n\n")
    return "\n\n".join(part if part.startswith("    ") else escaped(part) for part in parts)


def uses(recipe: type[Recommender]) -> str:
    what = {"the history of each user": recipe.personal, "confidence weights": recipe.honours_weights,
            "features": recipe.honours_features, "features of pairs": recipe.reads_pairs,
            "validation, to choose by": recipe.validates, "torch": "torch" in sys.modules[recipe.__module__].__dict__
            or any(base.__module__.startswith("matinee.nn.") for base in recipe.__mro__)}
    return f"Uses {', '.join(name for name, does in what.items() if does) or 'counts alone'}."


def hyper_parameters(recipe: type[Recommender]) -> list[str]:
    fields = fields_of(recipe)
    if not fields:
        return ["None."]
    return table(["", "default", "may be", ""],
                 [[f"`{one.name}`", f"`{plain(one.default)}`", cell(one.allowed), cell(one.doc)] for one in fields])


def plain(default: Any) -> str:
    return json.dumps(default, ensure_ascii=False, default=str)


def searched(name: str) -> Iterator[str]:
    """What `matinee tune` tries, and where the defaults come from."""
    settings = read(catalog.settings_file(name)).content or {}
    spaces = settings.get("search") or {}
    if spaces:
        yield from ["", "`matinee tune` searches " + "; ".join(f"`{field}` {space(of)}" for field, of in spaces.items())
                    + "."]
    source = (settings.get("bench") or {}).get("source")
    if source:
        yield from ["", f"The defaults: {cell(source)}"]


def space(given: Any) -> str:
    if isinstance(given, Mapping) and "low" in given:
        return f"from {given['low']} to {given['high']}{', by factors' if given.get('log') else ''}"
    choices = given["choices"] if isinstance(given, Mapping) else given
    return "among " + ", ".join(f"`{plain(choice)}`" for choice in choices)


def measured(rows: Sequence[Mapping[str, Any]], known: Mapping[str, Any]) -> list[str]:
    """A row a protocol and setting, in the order of the protocols, the best first."""
    if not rows:
        return ["Not yet (`make quality`)."]
    order = list(known)
    rows = sorted(rows, key=lambda row: (order.index(row["protocol"]),
                                         -row["figures"][known[row["protocol"]]["main"]]))
    return table(["protocol", "settings", "", "95 % interval", "seconds", "peak MB", "made"],
                 [[known[row["protocol"]]["title"], settings_of(row), *figure(row, known), row["seconds"],
                   row["peak_mb"], f"{row['origin']['date'][:10]}, {(row['origin']['commit'] or '')[:7]}"]
                  for row in rows])


def settings_of(row: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key} {plain(value)}`" for key, value in row["settings"].items()) or "defaults"


def figure(row: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, str]:
    """The protocol's main figure, and the interval of its first seed."""
    main = known[row["protocol"]]["main"]
    low, high = row["runs"][0]["intervals"][main]
    mean = f", mean of {len(row['runs'])} seeds" if len(row["runs"]) > 1 else ""
    return f"{main} {row['figures'][main]:.4f}{mean}", f"{low:.4f} to {high:.4f}"


def index(rows: Sequence[Mapping[str, Any]]) -> str:
    """A row a model, families together, the best of a family first."""
    recipes = {name: catalog.load(name) for name in catalog.names()}
    best = {(name, protocol): max((row["figures"][metric] for row in rows
                                   if (row["model"], row["protocol"]) == (name, protocol)), default=0.0)
            for name in recipes for protocol, (_, metric) in COLUMNS.items()}
    told = catalog.summaries()
    order = sorted(recipes, key=lambda name: (recipes[name].family, *(-best[name, one] for one in COLUMNS), name))
    shown = [[f"[{name}]({name}.md)", recipes[name].family, cell(told[name]),
              *(f"{best[name, one]:.4f}" if best[name, one] else "" for one in COLUMNS)] for name in order]
    head = ["model", "family", "", *(title for title, _ in COLUMNS.values())]
    return "\n".join([ABOUT.format(count=len(recipes)), *table(head, shown), ""])


def main() -> int:
    made = pages()
    for folder in {path.parent for path in made}:
        for left in set(folder.glob("*.md")) - made.keys():
            left.unlink()
    for path, text in made.items():
        write(path, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
