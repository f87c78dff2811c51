"""`matinee data`: look at a data set, convert it, make it smaller, split it for other tools, embed its titles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import terminal
from matinee.cli.data_report import report
from matinee.cli.embed_titles import embed_titles
from matinee.cli.features import features
from matinee.cli.reading_data import (
    BadOption,
    EncodingOption,
    LayoutOption,
    MostOption,
    PathArgument,
    RejectsOption,
    SetOption,
    SideOption,
    degraded,
    load,
    settings,
    within,
)
from matinee.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from matinee.data.dataset import Dataset

app = typer.Typer(add_completion=False, help="""Look at a data set, report on it, convert, sample or split it.

\b
PATH is a file or a folder, its layout told from names and headers:
  boostcamp  train_ratings.csv, with titles.tsv and others beside it
  movielens  u.data, ratings.dat or ratings.csv
  uplus      history_data.csv and what belongs to it
  recbole    NAME.inter, NAME.item, NAME.user
  table      a CSV, TSV or Parquet file with columns for user and item
or one of
  embedded:movietweetings
  synthetic:USERSxITEMS[:SEED], synthetic-uplus:USERSxITEMS[:SEED]
""")

OutArgument = Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write; it must not exist yet.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier command wrote to OUT.")]

WRITTEN = frozenset({".csv", ".tsv", ".dat", ".inter", ".item", ".user", ".json"})
"""Suffixes of the files that these commands write: a folder with anything else in it is never replaced."""


@app.command()
def describe(
    path: PathArgument,
    layout: LayoutOption = None,
    side: SideOption = None,
    set_: SetOption = None,
    encoding: EncodingOption = None,
    bad_rows: BadOption = "refuse",
    max_bad_rows: MostOption = "1%",
    rejects: RejectsOption = "rejects.csv",
    as_json: Annotated[bool, typer.Option("--json", help="The same facts as JSON.")] = False,
) -> None:
    """What the data are like: counts, density, spans, ties, duplicates, skew, side information, and warnings.

    Everything is counted after cleaning, so it is what a model would see.

    matinee data describe data/ml-1m --side data/boostcamp/train
    """
    chosen, _ = settings(path, layout, side, encoding, [within("data", text) for text in set_ or ()])
    dataset = load(chosen, bad_rows, max_bad_rows, rejects)
    from matinee.data.describe import describe as facts_of

    facts = facts_of(dataset)
    if as_json:
        import json

        terminal.say(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from matinee.cli.show_data import show

        show(facts)
    degraded(dataset)


@app.command()
def convert(
    path: PathArgument,
    out: OutArgument,
    to: Annotated[str, typer.Option("--to", help="The layout to write: recbole, boostcamp, movielens or table.")],
    layout: LayoutOption = None,
    side: SideOption = None,
    set_: SetOption = None,
    encoding: EncodingOption = None,
    bad_rows: BadOption = "refuse",
    max_bad_rows: MostOption = "1%",
    rejects: RejectsOption = "rejects.csv",
    overwrite: OverwriteOption = False,
) -> None:
    """The same data in another layout. Ids stay byte for byte; what the layout has no place for is told.

    matinee data convert data/ml-1m data/ml-1m-recbole --to recbole
    """
    chosen, _ = settings(path, layout, side, encoding, [within("data", text) for text in set_ or ()])
    _check_output(out, [path, *(side or ())], overwrite)
    _check_layout(to)
    dataset = load(chosen, bad_rows, max_bad_rows, rejects)
    _write(dataset, out, to)
    degraded(dataset)


@app.command()
def sample(
    path: PathArgument,
    out: OutArgument,
    users: Annotated[int | None, typer.Option("--users", help="How many users.")] = None,
    share: Annotated[float | None, typer.Option("--share", help="Or which share of them, such as 0.1.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which users: the same seed picks the same ones.")] = 0,
    to: Annotated[str | None, typer.Option("--to", help="The layout to write, if not the one read.")] = None,
    layout: LayoutOption = None,
    side: SideOption = None,
    set_: SetOption = None,
    encoding: EncodingOption = None,
    bad_rows: BadOption = "refuse",
    max_bad_rows: MostOption = "1%",
    rejects: RejectsOption = "rejects.csv",
    overwrite: OverwriteOption = False,
) -> None:
    """Fewer users with their whole histories, to try things out on. Items that nobody is left for go.

    matinee data sample data/ml-1m data/ml-small --users 500
    """
    chosen, _ = settings(path, layout, side, encoding, [within("data", text) for text in set_ or ()])
    _check_output(out, [path, *(side or ())], overwrite)
    if to is not None:
        _check_layout(to)
    dataset = load(chosen, bad_rows, max_bad_rows, rejects)
    from matinee.data.convert import TARGETS
    from matinee.data.sample import sample as sampled

    read_as = str(dataset.facts.notes.get("layout"))
    same = read_as if read_as in TARGETS else "table"
    _write(sampled(dataset, users=users, share=share, seed=seed), out, to or same)
    degraded(dataset)


@app.command()
def split(
    path: PathArgument,
    out: OutArgument,
    protocol: Annotated[
        str, typer.Option("--protocol", help="gap_and_tail, leave_last, random_ratio, by_time or unseen_users.")
    ] = "gap_and_tail",
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A key of the protocol: --set fraction=0.2 --set seed=1; or of the data: "
                                   "--set data.min_rating=4. May be given again."),
    ] = None,
    layout: LayoutOption = None,
    side: SideOption = None,
    encoding: EncodingOption = None,
    bad_rows: BadOption = "refuse",
    max_bad_rows: MostOption = "1%",
    rejects: RejectsOption = "rejects.csv",
    overwrite: OverwriteOption = False,
) -> None:
    """Train, valid and test as CSVs in raw ids, for tools that should be compared on the same split.

    An experiment needs none of this: it splits by itself. split.json says how this one was made, and its hash.

    matinee data split data/ml-1m splits/ml-1m --protocol leave_last
    """
    overrides = [within("split", text) for text in set_ or ()]
    read, chosen = settings(path, layout, side, encoding, overrides, protocol)
    _check_output(out, [path, *(side or ())], overwrite)
    dataset = load(read, bad_rows, max_bad_rows, rejects)
    from matinee.split.export import write

    made = chosen.split(dataset)
    for warning in made.notes["warnings"]:
        terminal.note(f"note: {warning}")
    _told(write(made, dataset, out))
    terminal.say(f"split {made.hash}")
    degraded(dataset)


app.command("embed-titles")(embed_titles)
app.command("features")(features)
app.command("report")(report)


def _check_layout(layout: str) -> None:
    from matinee.data.convert import target

    target(layout)


def _check_output(out: Path, inputs: Sequence[str], overwrite: bool) -> None:
    """Refuse what cannot or must not be written before anything is read."""
    place = out.resolve()
    for given in inputs:
        read = Path(given).resolve()
        if place == read or place in read.parents:
            raise UsageError("output-is-input", f"{str(out)!r} holds what is read", "choose another folder", out)
    if out.exists():
        if not out.is_dir():
            raise UsageError("output-exists", f"{str(out)!r} is a file", "choose a folder that is not there yet", out)
        foreign = sorted(entry.name for entry in out.iterdir() if not entry.is_file() or entry.suffix not in WRITTEN)
        if foreign:
            raise UsageError("output-exists", f"the folder holds other things, such as {foreign[0]!r}",
                             "choose another folder", out)
        if not overwrite and any(out.iterdir()):
            raise UsageError("output-exists", "the folder is there already", "choose another, or add --overwrite", out)
    parent = next(parent for parent in place.parents if parent.exists())
    if not os.access(parent, os.W_OK):
        raise ResourceError("cannot-write", "no permission to write", "choose another place", parent)


def _write(dataset: Dataset, out: Path, layout: str) -> None:
    from matinee.data import convert as conversion

    for lost in conversion.losses(dataset, layout):
        terminal.note(f"note: {layout}: {lost}")
    _told(conversion.write(dataset, out.resolve(), layout))
    terminal.say(f"{dataset.n_users:,} users, {dataset.n_items:,} items, {len(dataset.log):,} events, as {layout}")


def _told(written: Sequence[Path]) -> None:
    for path in written:
        terminal.say(f"wrote {os.path.relpath(path)}")
