"""Answer the questions of configs/experiments/reports with pages: python -m scripts.reports [NAME ...] [--threads N]

A report is an experiment file, or a folder of them that share a page. Each is carried out as `matinee run` does (what
was run before is found again), and docs/results/<name>.md says what came of it. Experiments on the same data and split
stand in one table and are compared, paired over users. A path `data/NAME`, of the data, of side files or of given
answers, is found below MATINEE_TEST_DATA.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.provenance import table

from matinee import durable
from matinee.cli.terminal import note
from matinee.config import load_experiment
from matinee.config.yaml_file import read
from matinee.evaluation.compare import LEVEL, holm, paired
from matinee.evaluation.segments import seen_share
from matinee.evaluation.uncertainty import RESAMPLES, intervals
from matinee.experiment import fingerprint
from matinee.experiment.answer import Answers
from matinee.experiment.figures import values_of
from matinee.experiment.folder import RunFolder
from matinee.report import pictures
from matinee.report.whole import carry_out
from scripts.report_pairs import told_pairs

ROOT = Path(__file__).parents[1]
REPORTS, PAGES = ROOT / "configs/experiments/reports", ROOT / "docs/results"
PICTURES = ROOT / "docs/pictures/results"
MOST_PAIRS = 15
"""Where there are more, those are compared that the question is about: chosen before anything is known of them."""
REPORTED = {200: 50.3, 500: 71.2, 1000: 84.3, 1200: 85.2, 1500: 87.8, 1750: 89.4, 2000: 91.0, 3000: 94.1, 4000: 96.1,
            5000: 97.0}
"""Views -> the share of films in % that have no more, in the report of a team of the film competition of 2022."""


def reports() -> dict[str, list[Path]]:
    """The name of each report and its experiment files; of several on the same data the one that expects leads."""
    def place(file: Path) -> tuple[bool, int, str]:
        return "expect" not in stated(file), len(file.name), file.name

    return {path.stem: sorted(path.glob("*.yaml"), key=place) if path.is_dir() else [path]
            for path in sorted(REPORTS.iterdir())}


def stated(file: Path) -> dict[str, Any]:
    """What an experiment file holds."""
    return dict(read(file).content)


def digest(file: Path) -> str:
    """Of what a file asks for, without what was only thought about it: a page is of this digest."""
    asked = {key: value for key, value in stated(file).items() if key not in ("question", "expect", "conclusion")}
    return fingerprint.digest(asked)[:8]


def overrides(file: Path) -> list[str]:
    """Where the data of an experiment is here: a path `data/NAME`, and such folders under `side`."""
    data = stated(file)["data"]
    sides = [data["side"]] if isinstance(data.get("side"), str) else data.get("side") or []
    answers = {stage: path for stage, path in stated(file).get("split", {}).items()
               if stage in ("valid", "test") and isinstance(path, str)}
    found = {f"data.path={placed(data['path'])}": [data["path"]],
             f"data.side=[{', '.join(placed(side) for side in sides)}]": sides,
             **{f"split.{stage}={placed(path)}": [path] for stage, path in answers.items()}}
    return [one for one, paths in found.items() if any(placed(path) != path for path in paths)]


def placed(path: str) -> str:
    return f"{os.environ['MATINEE_TEST_DATA']}/{path[5:]}" if path[:5] == "data/" else path


def named(value: Any) -> Any:
    """As the experiment file says it: the other way round of `placed`."""
    here = f"{os.environ.get('MATINEE_TEST_DATA', 'data')}/"
    return f"data/{value.removeprefix(here)}" if isinstance(value, str) and value.startswith(here) else value


@dataclass(frozen=True, eq=False)
class Done:
    """One experiment that was carried out."""

    file: Path
    folder: RunFolder

    @cached_property
    def manifest(self) -> Mapping[str, Any]:
        return self.folder.manifest

    @cached_property
    def answers(self) -> Answers:
        return Answers(self.folder)

    @property
    def metrics(self) -> list[str]:
        return list(self.manifest["config"]["evaluate"]["metrics"])

    @property
    def group(self) -> tuple[str, str]:
        """Only figures of one group can be compared."""
        return self.manifest["data"]["hash"], self.manifest["split"]["hash"]

    def arms(self) -> dict[str, dict[str, Any]]:
        """id -> its entry."""
        config = self.manifest["config"]
        return {entry["id"]: entry for entry in [*config["models"], *config["ensembles"]]}

    def figure(self, arm: str, metric: str, segment: str | None = None) -> dict[str, Any]:
        return next(row for row in self.folder.metrics if row["part"] == "test" and row["id"] == arm
                    and row["metric"] == metric and row["segment"] == segment)

    def segments(self) -> list[str]:
        """Of the first segment asked for: such as gap and tail."""
        found = list(dict.fromkeys(row["segment"] for row in self.folder.metrics
                                   if row["segment"] and row["part"] == "test"))
        return [label for label in found if label.split("=")[0] == found[0].split("=")[0]]

    def seconds(self, arm: str) -> float:
        """To fit and rank at test; 0 where both were found again."""
        return sum(row["seconds"] for row in self.folder.timings
                   if row["id"] == arm and row["stage"].split(":")[0] in ("fit", "tune", "combine", "score"))

    def left_out(self) -> list[str]:
        """What the filters of whole items leave out."""
        stage, told = self.answers.measured["test"], []
        for entry, fitted in zip(self.manifest["config"]["filters"], stage.filters, strict=True):
            mask = vars(fitted).get("mask")
            share = "" if mask is None else f": leaves out {1 - np.mean(mask):.1%} of {len(mask):,} items"
            settings = ", ".join(f"{key} {value}" for key, value in entry.items() if key != "kind")
            told.append(f"{entry['kind']} ({settings}){share}")
        return told


@dataclass(frozen=True)
class Arm:
    done: Done
    id: str
    label: str
    """The id; with its file before it where several share a table."""

    @property
    def main(self) -> float:
        return float(self.done.figure(self.id, self.done.metrics[0])["value"])


def page(name: str, done: Sequence[Done]) -> list[str]:
    """The whole page. The pictures are written beside it."""
    lines = [f"# {name.replace('_', ' ').capitalize()}", "",
             f"Made by `make reports REPORT={name}` from [the experiment]({link(done[0].file, REPORTS.parent)}).", ""]
    for number, group in enumerate(dict.fromkeys(one.group for one in done)):
        own = [one for one in done if one.group == group]
        lines += section(name if number == 0 else f"{name}-{number + 1}", own)
    return lines


def link(file: Path, top: Path) -> str:
    return os.path.relpath(file if file.parent == REPORTS else file.parent, PAGES)


def section(picture: str, own: Sequence[Done]) -> Iterator[str]:
    first = own[0]
    several = len(own) > 1
    arms = [Arm(one, arm, f"{one.file.stem}/{arm}" if several else arm) for one in own for arm in one.arms()]
    arms.sort(key=lambda arm: -arm.main)
    data, split = first.manifest["data"], first.manifest["split"]["settings"]
    yield from [f"## {Path(first.manifest['config']['data']['path']).name}", ""]
    yield (f"{data['users']:,} users, {data['items']:,} items, {data['events']:,} events; "
           f"{', '.join(f'{key} {named(value)}' for key, value in split.items() if value not in (None, False))}.")
    for joined in data["facts"]["notes"].get("joined", []):
        columns = joined.get("items", joined.get("users"))["columns"].items()
        yield from ["", f"Joined from {joined['from']}, by share of all that the log names (of events): " + ", ".join(
            f"{column} {found['share']:.0%} ({found['event_share']:.0%})" for column, found in columns) + "."]
    for title, key in {"Question": "question", "Expected": "expect", "Found": "conclusion"}.items():
        if stated(first.file).get(key):
            yield from ["", f"**{title}.** {stated(first.file)[key]}"]
    if several:
        yield from ["", *(f"- `{one.file.stem}`: {about}" for one in own if (about := described(one, one is first)))]
    elif first.left_out():
        yield from ["", f"Filters: {described(first, True)}."]
    if any(entry["kind"] == "unpopular_items" for entry in first.manifest["config"]["filters"]):
        yield from ["", *removed(first)]
    rows = [{**arm.done.figure(arm.id, first.metrics[0]), "id": arm.label,
             "ensemble": "method" in arm.done.arms()[arm.id]} for arm in arms]
    draw(PICTURES / f"{picture}.svg", pictures.leaderboard(rows, first.metrics[0]))
    yield from ["", f"![{first.metrics[0]} of each arm, with 95 % intervals](../pictures/results/{picture}.svg)", ""]
    yield from figures(first, arms)
    yield from seen_before(first, arms)
    yield from verdicts(arms, first, first.metrics[0])
    yield from provenance(own)


def described(one: Done, lead: bool) -> str:
    """What an experiment beside others is about, and what its filters leave out."""
    return "; ".join(([] if lead else [stated(one.file)["question"]]) + one.left_out())


def figures(first: Done, arms: Sequence[Arm]) -> list[str]:
    metrics, segments = first.metrics[:2], first.segments()
    head = ["", "arm", *(word for metric in metrics for word in (metric, "95 % interval")),
            *(f"{metrics[0]}, {label.split('=')[1]}" for label in segments), "seconds", "run"]
    rows = []
    for at, arm in enumerate(arms, 1):
        found = [arm.done.figure(arm.id, metric) for metric in metrics]
        parts = [arm.done.figure(arm.id, metrics[0], label) for label in segments]
        seconds = arm.done.seconds(arm.id)
        rows.append([at, arm.label, *(word for row in found for word in (f"{row['value']:.4f}", interval(row))),
                     *(f"{row['value']:.4f} ({interval(row)})" for row in parts),
                     f"{seconds:.1f}" if seconds else "found again", f"`{arm.done.folder.id}`"])
    return table(head, rows)


def seen_before(first: Done, arms: Sequence[Arm]) -> Iterator[str]:
    """Where `seen@K` is asked for: how much of the lists was had before, against how much of the truth."""
    metric = next((name for name in first.metrics if name.startswith("seen@")), None)
    if metric is None:
        return
    stage = first.answers.measured["test"]
    assert stage.truth is not None
    truth = seen_share(stage.truth, stage.given)[:, None]
    ends = intervals([(np.arange(len(truth)), truth)], len(truth), 0, RESAMPLES)[0]
    parts = [f"seen_before={label}" for label in ("seen", "new")]
    shown = [label for label in parts if label in {row["segment"] for row in first.folder.metrics}]
    yield from ["", "What the history has already: its share of the truth, and of each arm's lists.", ""]
    head = ["", "share seen before", "95 % interval",
            *(f"{first.metrics[0]} of what was {label.split('=')[1]}" for label in shown)]
    rows = [["the truth", f"{truth.mean():.4f}", "" if ends is None else f"{ends[0][0]:.4f} to {ends[0][1]:.4f}",
             *("" for _ in shown)]]
    for arm in arms:
        found = arm.done.figure(arm.id, metric)
        own = [arm.done.figure(arm.id, first.metrics[0], label) for label in shown]
        rows.append([arm.label, f"{found['value']:.4f}", interval(found),
                     *(f"{row['value']:.4f} ({interval(row)})" for row in own)])
    yield from table(head, rows)


def removed(done: Done) -> list[str]:
    """The share of films at or below each threshold of the report, in the whole of the data."""
    views = done.folder.dataset.log.item_counts()
    return table(["views, at most", *map(str, REPORTED)],
                 [["films left out here, %", *(f"{100 * np.mean(views <= most):.1f}" for most in REPORTED)],
                  ["in the report, %", *REPORTED.values()]])


def interval(row: Mapping[str, Any]) -> str:
    return "" if row["low"] is None else f"{row['low']:.4f} to {row['high']:.4f}"


def verdicts(arms: Sequence[Arm], lead: Done, metric: str) -> Iterator[str]:
    """All pairs; where they are many, each model against each and each arm against its base."""
    values = {arm.label: values_of(arm.done.folder, arm.id, arm.done.answers.measured["test"], metric) for arm in arms}
    pairs = list(combinations(values, 2))
    if len(pairs) > MOST_PAIRS:
        pairs = told_pairs(arms, lead)
    if not pairs:
        return
    found = [paired(values[a], values[b], seed=0) for a, b in pairs]
    yield from ["", f"Paired over users by {metric}; p corrected for all pairs of the table (Holm).", ""]
    yield from table(["pair", "difference", "95 % interval", "p", "the first is"],
                     ([f"{a} against {b}", f"{c.difference:+.4f}", f"{c.low:+.4f} to {c.high:+.4f}", small(p),
                       c.verdict if p < LEVEL else "cannot tell"]
                      for (a, b), c, p in zip(pairs, found, holm([c.p for c in found]), strict=True)))


def small(p: float) -> str:
    return f"{p:.2g}" if p > 1e-300 else "< 1e-300"


def provenance(own: Sequence[Done]) -> Iterator[str]:
    yield ""
    for one in own:
        manifest = one.manifest
        code, machine, packages = manifest["code"], manifest["machine"], manifest["packages"]
        versions = ", ".join(f"{name} {packages[name]}" for name in ("matinee", "numpy", "scipy", "numba"))
        where = os.path.relpath(one.file, ROOT)
        override = "".join(f" --set {text.split('=')[0]}=..." for text in overrides(one.file))
        yield (f"- `{one.folder.id}`: `matinee run {where}{override}` (asks `{digest(one.file)}`), {manifest['made']}, "
               f"commit {(code['commit'] or 'unknown')[:12]}{' with changes' if code['diff'] else ''}, seed "
               f"{manifest['seed']}, {sum(row['seconds'] for row in one.folder.timings):.0f} s, peak "
               f"{max(row['peak_mb'] for row in one.folder.timings):.0f} MB; {machine['processor']}, "
               f"{manifest['threads']} threads; {versions}")
    yield ""


def draw(path: Path, picture: str) -> None:
    style = "<style>svg { background: white; font-family: system-ui, sans-serif; }</style>"
    opening, rest = picture.split(">", 1)
    write(path, f"{opening}>{style}{rest}")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write_text(path, text)
    path.chmod(0o644)


def main() -> int:
    known = reports()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--threads", type=int, help="cores to use; all of them unless told")
    asked = parser.parse_args()
    for name in asked.names or known:
        if name not in known:
            parser.error(f"no report is called {name}; known: {', '.join(known)}")
        done = []
        for file in known[name]:
            runs = Path(os.environ.get("MATINEE_RUNS", ROOT / "runs"))
            experiment = load_experiment(file, overrides(file))
            done.append(Done(file, carry_out(experiment, runs, threads=asked.threads, say=note)))
        write(PAGES / f"{name}.md", "\n".join(page(name, done)).rstrip() + "\n")
        note(f"docs/results/{name}.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
