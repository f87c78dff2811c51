"""docs/reference: every verb's help, every key of an experiment, every public name, from the code.

`python -m scripts.model_pages` writes them, together with the pages of the models.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from benchmarks.provenance import table

from matinee.cli.main import app
from matinee.config import fields_of
from matinee.config.experiment import (
    CandidateSettings,
    DataSettings,
    EvaluateSettings,
    FromLedger,
    Member,
    OutputSettings,
    TrackingSettings,
)
from matinee.config.tuning import Budget
from matinee.data.confidence import CONFIDENCES
from matinee.ensemble import METHODS
from matinee.evaluation import names, segments
from matinee.ranking.filters import FILTERS
from matinee.split import PROTOCOLS

ROOT = Path(__file__).parents[1]
FOLDER, PACKAGE = ROOT / "docs/reference", ROOT / "src/matinee"
WIDTH = 100
MODULES = ("contract", "config", "data/load", "data/dataset", "data/interactions", "data/columns", "data/ids",
           "data/confidence", "data/item_vectors", "split/protocol", "split/parts", "features/feature",
           "features/fitted", "ranking/recommend", "ranking/lists", "ranking/topk", "ranking/filters",
           "evaluation/evaluate", "evaluation/accuracy", "evaluation/compare", "evaluation/uncertainty",
           "evaluation/rank_agreement", "evaluation/segments", "ensemble/method", "ensemble/weights",
           "experiment/session", "experiment/stages", "experiment/folder", "experiment/run", "report/whole",
           "scoring/store", "testing", "errors")


def pages() -> dict[Path, str]:
    return {FOLDER / "command-line.md": command_line(), FOLDER / "experiment-file.md": experiment_file(),
            FOLDER / "python.md": python()}


def command_line() -> str:
    lines = ["# Command line", "", "What `--help` says of every verb.", ""]
    for path, told in helps(typer.main.get_command(app), "matinee", None):
        lines += [f"{'#' * min(3, len(path.split()) + 1)} {path}", "", "```text", told.strip(), "```", ""]
    return "\n".join(lines)


def helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    """Each command with its help, verbs within verbs."""
    with command.make_context(name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH,
                              max_content_width=WIDTH) as context:
        yield context.command_path, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
        if hasattr(command, "list_commands"):
            for inner in command.list_commands(context):
                yield from helps(command.get_command(context, inner), inner, context)


def experiment_file() -> str:
    """Every key, section by section; a section with kinds has a table each."""
    lines = ["# The experiment file", "", "Every key, what it may be, and its default. An annotated file, and what a "
             "run does with it: [experiments](../guides/experiments.md).", "", "## Top", "",
             *table(["", "may be", ""], TOP)]
    for title, about, cls in SECTIONS:
        lines += ["", f"## {title}", "", *([about, ""] if about else []), *keys(cls)]
    for title, about, key, kinds in KINDS:
        lines += ["", f"## {title}", "", about]
        for name, cls in kinds.items():
            lines += ["", f"### {key}: {name}", "", first_lines(cls), "", *keys(cls)]
    lines += ["", "## Metrics", "",
              "For `evaluate.metrics` and `tune.metric`; K is a number, n the hidden items of a user.", "",
              *table(["", ""], [[f"`{name}`", cell(told)] for name, told in names.KNOWN.items()])]
    lines += ["", "## Segments", "", "For `evaluate.segments`.", "",
              *table(["", ""], [[f"`{name}`", cell(told)] for name, told in segments.KNOWN.items()]), ""]
    return "\n".join(lines)


TOP = [
    ["`name`", "small letters of any alphabet, digits, `.`, `_`, `-`", "must be given: the run's folder is called so"],
    ["`seed`", "a whole number >= 0", "0; the models' seed, a split has its own"],
    ["`question`, `expect`, `conclusion`", "text", "what was asked, what was thought, what came of it. "
     "`expect: +0.005 recall@10 ONE over OTHER` is held against the interval"],
    ["`data`, `split`, `evaluate`, `filters`, `models`, `ensembles`, `output`, `tracking`, `tune`, `sweep`", "",
     "below; `data` must be given"],
    ["`sweep`", "keys as after `--set`, and a list of values each", "a grid of at most 64 runs: "
     "[tuning](../guides/tuning.md)"],
]
ENTRY = ("An entry is a model's name, or keys: `model` (a name or `./my_model.py`), `id` (the name unless given), the "
         "model's own hyper-parameters ([models](../models/README.md)), `weights` (a confidence, below), `features` "
         "(names, see [features](../guides/features.md)), `candidates`:")
MEMBERS = ("An entry has `method`, `id`, `members`, `weights` (a number a member, or `tuned`) and the keys of its "
           "method, below. A member is an id, or one of:")
SECTIONS = (
    ("data", "", DataSettings),
    ("evaluate", "", EvaluateSettings),
    ("output", "", OutputSettings),
    ("tracking", "", TrackingSettings),
    ("tune.budget", "`tune` has `models` (ids), `metric`, `seed`, `search` (fields by id) and `budget`: "
     "[tuning](../guides/tuning.md).", Budget),
    ("models", ENTRY, CandidateSettings),
    ("ensembles", MEMBERS, Member),
    ("members: {from_ledger: top:5}", "In place of a list of members.", FromLedger),
)
KINDS: tuple[tuple[str, str, str, Mapping[str, type]], ...] = (
    ("split", "How the log is split: `{protocol: NAME, ...}`. Which to take: [protocols](../ideas/protocols.md).",
     "protocol", PROTOCOLS),
    ("filters", "What may not be in a list, beside what was seen: a list of `{kind: NAME, ...}`.", "kind", FILTERS),
    ("weights", "What an event of a history counts: `weights: NAME`, or `{kind: NAME, ...}`. More: "
     "[confidence](../guides/confidence.md).", "kind", CONFIDENCES),
    ("Methods of ensembles", "Which to take: [ensembles](../guides/ensemble.md).", "method", METHODS),
)


def keys(cls: type) -> list[str]:
    found = fields_of(cls)
    if not found:
        return ["No keys."]
    return table(["", "default", "may be", ""], [
        [f"`{'from' if one.name == 'sources' else one.name}`", default(one.default), cell(one.allowed), cell(one.doc)]
        for one in found])


def default(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=lambda value: None)
    return "must be given" if "MISSING" in repr(value) else f"`{text}`"


def first_lines(cls: type) -> str:
    """The first paragraph of what a class says of itself."""
    told = cls.__doc__ or ""
    return cell("" if told.startswith(f"{cls.__name__}(") else told.split("\n\n")[0])


def cell(text: str) -> str:
    return escaped(" ".join(text.split())).replace("|", "\\|")


def escaped(text: str) -> str:
    """Words in which signs of Markdown are signs; what stands between backticks is left as it is."""
    parts = text.split("`")
    return "`".join(part if at % 2 and at < len(parts) - 1 else re.sub(r"(\*|<(?=[A-Za-z/!]))", r"\\\1", part)
                    for at, part in enumerate(parts))


def python() -> str:
    """Public names by module, read as text: nothing is imported."""
    from matinee import _HOME

    lines = ["# Python", "", "`import matinee` has the names of the first table; the others stand in their modules. "
             "What begins with an underscore is nobody's business, and may go at any time.", "",
             *table(["", "is"], [[f"`matinee.{name}`", f"`{home}.{name}`"] for name, home in _HOME.items()])]
    for module in MODULES:
        file = PACKAGE / f"{module}.py"
        tree = ast.parse((file if file.is_file() else PACKAGE / module / "__init__.py").read_text())
        lines += ["", f"## matinee.{module.replace('/', '.')}", "", first_line(tree)]
        found = list(public(tree))
        lines += ["", *table(["", ""], found)] if found else []
    return "\n".join([*lines, ""])


def public(tree: ast.Module) -> Iterator[list[str]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield [f"**`{node.name}`**", first_line(node)]
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                    yield [f"`.{signature(inner)}`", first_line(inner)]
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield [f"`{signature(node)}`", first_line(node)]


def signature(node: ast.FunctionDef) -> str:
    """As it is called; a property without brackets."""
    if any("property" in ast.unparse(one) for one in node.decorator_list):
        return node.name
    for argument in ("self", "cls"):
        node.args.args = [one for one in node.args.args if one.arg != argument]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({ast.unparse(node.args)}){returns}".replace("|", "\\|")


def first_line(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    return cell((ast.get_docstring(node) or "").split("\n\n")[0])
