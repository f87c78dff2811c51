"""`matinee data report`: one offline page about a data set, before any model is chosen."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matinee.cli import terminal
from matinee.cli.reading_data import (
    BadOption,
    EncodingOption,
    LayoutOption,
    MostOption,
    RejectsOption,
    SetOption,
    SideOption,
    degraded,
    load,
    settings,
    within,
)
from matinee.errors import DataError, ResourceError, UsageError

if TYPE_CHECKING:
    from matinee.data.dataset import Dataset
    from matinee.split.parts import Split
    from matinee.split.protocol import Protocol

EXPERIMENTS = (".yaml", ".yml")


def report(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A data set, or an experiment file (.yaml) with "
                                                                 "its split.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The page to write; it is replaced.")] = Path("data.html"),
    as_json: Annotated[bool, typer.Option("--json", help="All figures beside the page too, as .json.")] = False,
    protocol: Annotated[str, typer.Option("--protocol", help="How to hide what the page compares.")] = "gap_and_tail",
    test: Annotated[Path | None, typer.Option("--test", help="Or a file of hidden rows, user and item, that you "
                                                             "have.")] = None,
    valid: Annotated[Path | None, typer.Option("--valid", help="And a file of rows to choose by.")] = None,
    zone: Annotated[str, typer.Option("--zone", help="The time zone of hours, weekdays and months, such as "
                                                     "Asia/Seoul.")] = "UTC",
    layout: LayoutOption = None,
    side: SideOption = None,
    set_: SetOption = None,
    encoding: EncodingOption = None,
    bad_rows: BadOption = "refuse",
    max_bad_rows: MostOption = "1%",
    rejects: RejectsOption = "rejects.csv",
) -> None:
    """What a data set is like, in pictures and words, and what that suggests for the split and the models.

    Activity, histories, popularity, genres and eras, order and ties, seasons, lasting tastes, coverage, what is hidden
    against what is learnt from, and checks for leaks and oddities. Parts that the data cannot tell of say why.

    matinee data report data/ml-1m --side data/boostcamp/train -o ml-1m.html
    """
    from matinee.data.zones import zone_of

    _check(out, as_json, [source, *(side or ()), *(str(file) for file in (test, valid) if file is not None)])
    zone_of(zone)
    if source.endswith(EXPERIMENTS):
        if layout or side or encoding or test or valid or protocol != "gap_and_tail":
            raise UsageError("usage", "an experiment file says itself how to read and split", "change it by --set")
        dataset, chosen = _of_experiment(Path(source), set_ or ())
    else:
        overrides = [within("data", text) for text in set_ or ()]
        if test is not None:
            protocol = "given"
            overrides += [f"split.test={test}", "split.allow_overlap=true", "split.allow_time_leak=true"]
            overrides += [] if valid is None else [f"split.valid={valid}"]
        read, chosen = settings(source, layout, side, encoding, overrides, protocol)
        dataset = load(read, bad_rows, max_bad_rows, rejects)
    _write(dataset, chosen, out, as_json, zone)
    degraded(dataset)


def _check(out: Path, as_json: bool, inputs: list[str]) -> None:
    """Refuse before anything is read what could not be written, or would replace what is read."""
    if find_spec("matplotlib") is None:
        raise ResourceError("not-installed", "the data report needs matplotlib", "pip install 'matinee[report]'")
    if out.is_dir():
        raise UsageError("output-exists", f"{str(out)!r} is a folder", "name the page, such as data.html", out)
    figures = out.with_suffix(".json")
    if as_json and figures == out:
        raise UsageError("usage", "page and figures would be one file", "let --out end in .html")
    for place in (out, figures) if as_json else (out,):
        if place.resolve() in {Path(name).resolve() for name in inputs}:
            raise UsageError("output-is-input", f"{str(place)!r} is what is read", "choose another name", place)


def _of_experiment(file: Path, overrides: list[str] | tuple[()]) -> tuple[Dataset, Protocol]:
    from matinee.config import load_experiment
    from matinee.experiment.material import read_dataset

    whole = [text if "." in text.split("=")[0] else within("data", text) for text in overrides]
    experiment = load_experiment(file, whole)
    with terminal.progress() as progress:
        return read_dataset(experiment.data, experiment.base, progress), experiment.split


def _write(dataset: Dataset, protocol: Protocol, out: Path, as_json: bool, zone: str) -> None:
    from matinee import durable
    from matinee.survey.whole import survey

    split, why = _split(dataset, protocol)
    with terminal.progress() as progress:
        found = survey(dataset, split, why, progress, zone)
    from matinee.report.data.page import write_page

    write_page(found, out)
    terminal.say(f"wrote {out}")
    if as_json:
        durable.write_json(out.with_suffix(".json"), found)
        terminal.say(f"wrote {out.with_suffix('.json')}")
    for one in found["findings"]:
        if one["level"] == "alarm":
            terminal.say(f"! {one['what']}")


def _split(dataset: Dataset, protocol: Protocol) -> tuple[Split | None, str]:
    """What the protocol hides, or why it can hide nothing: then the rest of the page is still made."""
    name = str(protocol.settings["protocol"])
    if name in {"leave_last", "by_time"} and not dataset.log.times.any():
        return None, f"{name} needs times"
    try:
        return protocol.split(dataset), ""
    except DataError as error:
        if protocol.files:
            raise
        return None, error.what
