"""`matinee data`: look at a data set, bring it into another layout, make it smaller, split it for other tools."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from matinee.cli import terminal
from matinee.errors import Degraded, ResourceError, UsageError

if TYPE_CHECKING:
    from matinee.config import DataSettings
    from matinee.data.dataset import Dataset
    from matinee.split.protocol import Protocol

app = typer.Typer(add_completion=False, help="""Look at a data set, convert it, sample it, split it for other tools.

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

PathArgument = Annotated[str, typer.Argument(metavar="PATH", help="A file, a folder, embedded: or synthetic:")]
OutArgument = Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write; it must not exist yet.")]
LayoutOption = Annotated[str | None, typer.Option("--layout", help="How to read PATH, where it is not told rightly.")]
SideOption = Annotated[
    list[str] | None,
    typer.Option("--side", help="A folder or file that says more of items or users, joined by id. May be given again."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="How to clean, as under `data:` in an experiment: --set min_rating=4 "
                               "--set columns.user=customer. May be given again."),
]
EncodingOption = Annotated[str | None, typer.Option("--encoding", help="Of the text files, such as latin-1 or cp949.")]
BadOption = Annotated[Literal["refuse", "skip"], typer.Option("--bad-rows", help="What becomes of rows with a fault.")]
MostOption = Annotated[str, typer.Option("--max-bad-rows", help="With skip: the share of bad rows that is accepted.")]
RejectsOption = Annotated[str, typer.Option("--rejects", help="With skip: where the rows left out are listed.")]
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
    settings, _ = _settings(path, layout, side, encoding, [_within("data", text) for text in set_ or ()])
    dataset = _load(settings, bad_rows, max_bad_rows, rejects)
    from matinee.data.describe import describe as facts_of

    facts = facts_of(dataset)
    if as_json:
        import json

        terminal.say(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from matinee.cli.show_data import show

        show(facts)
    _degraded(dataset)


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
    settings, _ = _settings(path, layout, side, encoding, [_within("data", text) for text in set_ or ()])
    _check_output(out, [path, *(side or ())], overwrite)
    _check_layout(to)
    dataset = _load(settings, bad_rows, max_bad_rows, rejects)
    _write(dataset, out, to)
    _degraded(dataset)


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
    settings, _ = _settings(path, layout, side, encoding, [_within("data", text) for text in set_ or ()])
    _check_output(out, [path, *(side or ())], overwrite)
    if to is not None:
        _check_layout(to)
    dataset = _load(settings, bad_rows, max_bad_rows, rejects)
    from matinee.data.convert import TARGETS
    from matinee.data.sample import sample as sampled

    read_as = str(dataset.facts.notes.get("layout"))
    same = read_as if read_as in TARGETS else "table"
    _write(sampled(dataset, users=users, share=share, seed=seed), out, to or same)
    _degraded(dataset)


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
    overrides = [_within("split", text) for text in set_ or ()]
    settings, chosen = _settings(path, layout, side, encoding, overrides, protocol)
    _check_output(out, [path, *(side or ())], overwrite)
    dataset = _load(settings, bad_rows, max_bad_rows, rejects)
    from matinee.split.export import write

    made = chosen.split(dataset)
    for warning in made.notes["warnings"]:
        terminal.note(f"note: {warning}")
    _told(write(made, dataset, out))
    terminal.say(f"split {made.hash}")
    _degraded(dataset)


def _within(section: str, override: str) -> str:
    """`min_rating=4` as `data.min_rating=4`, unless it names a section itself."""
    return override if override.startswith(("data.", "split.")) else f"{section}.{override}"


def _settings(
    path: str,
    layout: str | None,
    side: Sequence[str] | None,
    encoding: str | None,
    overrides: Sequence[str],
    protocol: str = "gap_and_tail",
) -> tuple[DataSettings, Protocol]:
    """What the command line says, checked as an experiment file would be."""
    from matinee.config import DataSettings, overridden
    from matinee.config.typed import At, build, named
    from matinee.config.yaml_file import Document
    from matinee.split import PROTOCOLS

    data = {"path": path, "layout": layout, "side": list(side or ()), "encoding": encoding}
    mapping = overridden({"data": data, "split": {"protocol": protocol}}, overrides)
    at = At(Document(mapping), Path.cwd())
    chosen = named(PROTOCOLS, "protocol", mapping["split"], at / "split")
    return build(DataSettings, mapping["data"], at / "data"), chosen


def _load(data: DataSettings, bad_rows: Literal["refuse", "skip"], most: str, rejects: str) -> Dataset:
    from matinee.data.load import load
    from matinee.data.source import Reading

    with terminal.progress() as progress:
        reading = Reading(columns=data.columns, encoding=data.encoding, bad_rows=bad_rows, max_bad_share=_share(most),
                          rejects=rejects, progress=progress)
        return load(
            data.path,
            layout=data.layout,
            side=data.side,
            reading=reading,
            min_rating=data.min_rating,
            min_user_events=data.min_user_events,
            min_item_events=data.min_item_events,
            duplicates=data.duplicates,
            repeats=data.repeats,
            sample_users=data.sample_users,
            sample_events=data.sample_events,
        )


def _share(text: str) -> float:
    """`1%` or `0.01`."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError("bad-value", f"--max-bad-rows is {text!r}", "give a share such as 1% or 0.01")
    return share


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


def _degraded(dataset: Dataset) -> None:
    skipped = dataset.facts.notes.get("rejected_rows", 0)
    if skipped:
        raise Degraded("rows-skipped", f"{skipped} bad rows were left out",
                       f"they are listed in {dataset.facts.notes['rejects_file']}")
