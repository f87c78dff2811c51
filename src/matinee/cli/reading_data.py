"""What the verbs of `matinee data` share: the options that say how to read, and the reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from matinee.cli import terminal
from matinee.errors import Degraded, UsageError

if TYPE_CHECKING:
    from matinee.config import DataSettings
    from matinee.data.dataset import Dataset
    from matinee.split.protocol import Protocol

PathArgument = Annotated[str, typer.Argument(metavar="PATH", help="A file, a folder, embedded: or synthetic:")]
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


def within(section: str, override: str) -> str:
    """`min_rating=4` as `data.min_rating=4`, unless it names a section itself."""
    return override if override.startswith(("data.", "split.")) else f"{section}.{override}"


def settings(
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


def load(data: DataSettings, bad_rows: Literal["refuse", "skip"], most: str, rejects: str) -> Dataset:
    from matinee.data.load import load as read
    from matinee.data.source import Reading

    with terminal.progress() as progress:
        reading = Reading(columns=data.columns, encoding=data.encoding, bad_rows=bad_rows, max_bad_share=_share(most),
                          rejects=rejects, progress=progress)
        return read(
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


def degraded(dataset: Dataset) -> None:
    skipped = dataset.facts.notes.get("rejected_rows", 0)
    if skipped:
        raise Degraded("rows-skipped", f"{skipped} bad rows were left out",
                       f"they are listed in {dataset.facts.notes['rejects_file']}")
