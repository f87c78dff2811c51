"""Do a run again from its manifest and compare the two, bit by bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from matinee.config import Experiment
from matinee.errors import DataError, ModelError
from matinee.experiment import fingerprint
from matinee.experiment.folder import RunFolder
from matinee.experiment.material import Material, file_hash, material
from matinee.experiment.own_copies import experiment_of
from matinee.experiment.run import run
from matinee.experiment.surroundings import surroundings
from matinee.nn import processes

RESULTS = "results.json"
"""Of a packed run: the SHA-256 of every result, in place of the results."""


@dataclass(frozen=True)
class Verdict:
    again: RunFolder
    surroundings: tuple[str, ...]
    """What is not as it was: code, packages, threads, data; in words."""
    results: tuple[str, ...]
    """What came out otherwise; empty where every bit is the same."""
    compared: int
    """Files compared."""


def reproduce(
    original: RunFolder,
    into: Path,
    *,
    data: Path | None = None,
    side: Sequence[Path] = (),
    progress: Callable[[str, int, int], None],
    say: Callable[[str], None],
) -> Verdict:
    """Repeat `original` below `into` from its manifest and its own copies of all that it names, all anew.

    The data is read again from `data`, or from where it was; where it is gone or has changed, the run's own copy is
    used and the difference is told; side files stay where they were unless `side` names others. Raises ModelError where
    the run is not whole, and where a run that was packed without its data meets other data; DataError where it meets
    none.
    """
    if not original.is_done:
        raise ModelError(
            "not-done",
            "the run was stopped before its end, so there is nothing to compare with",
            "run the experiment again first; it goes on where it stopped",
            original.path,
        )
    experiment = experiment_of(original)
    assumed = () if side else experiment.data.side
    if data is not None:
        beside = tuple(str(path.resolve()) for path in side) or experiment.data.side
        experiment = replace(experiment, data=replace(experiment.data, path=str(data.resolve()), side=beside))
    apart = list(surroundings(original))
    stuff = None if processes.rank() else _material_of(original, experiment, assumed, apart, progress)
    again = run(experiment, into, again=True, use_cache=False, threads=int(original.manifest["threads"]), stuff=stuff,
                progress=progress, say=say)
    expected = results_of(original)
    return Verdict(again, tuple(apart), tuple(_differences(original, again, expected)), len(expected))


def results_of(folder: RunFolder) -> dict[str, str]:
    """SHA-256 of every result by its place in the run: fitted arrays, lists, truth, figures, submissions."""
    if (folder.path / RESULTS).is_file():
        return dict(json.loads((folder.path / RESULTS).read_text()))
    patterns = (
        "models/**/*.safetensors",
        "models/**/ensemble.json",
        "lists/**/*.parquet",
        "truth/*.parquet",
        "submission/*.csv",
        "metrics.json",
    )
    files = sorted(path for pattern in patterns for path in folder.path.glob(pattern))
    return {str(path.relative_to(folder.path)): _hash(path) for path in files}


def _hash(path: Path) -> str:
    """Of an ensemble without the places of its files: a copy stands elsewhere, and their content shows in the lists."""
    if path.name != "ensemble.json":
        return file_hash(path)
    about = json.loads(path.read_text())
    members = [{**member, "file": ""} if "file" in member else member for member in about["members"]]
    return fingerprint.digest({**about, "members": members})


def _material_of(
    original: RunFolder,
    experiment: Experiment,
    assumed: Sequence[str],
    apart: list[str],
    progress: Callable[[str, int, int], None],
) -> Material:
    """What was read and split; where it cannot be had again, the run's own copy, if it has one.

    `assumed` are side files that nobody said are still where they were.
    """
    sides = f"; it had the side files {', '.join(assumed)}: give --side" if assumed else ""
    then = {what: original.manifest[what]["hash"] for what in ("data", "split")}
    try:
        fresh = material(experiment, None, progress)
    except DataError as error:
        stored = _stored(original)
        if stored is None:
            raise DataError("no-data", f"the run was packed without its data, and {error}",
                            f"give it by --data; its hash is {then['data'][:12]}, and HOW.md in the archive tells more"
                            + sides,
                            experiment.data.path) from None
        apart.append(f"data: cannot be read where it was ({error}); the run's own copy is used")
        return stored
    now = {"data": fresh.dataset.hash, "split": fresh.split.hash}
    kept = replace(fresh, vectors=original.vectors, lists=original.path / "members")
    for what in ("data", "split"):
        if then[what] != now[what]:
            stored = _stored(original)
            if stored is None:
                raise ModelError(f"other-{what}", f"the {what} is {now[what][:12]}, and the run was made on "
                                 f"{then[what][:12]}", "give the very files; HOW.md in the archive names them"
                                 + (sides if what == "data" else ""), original.path)
            apart.append(f"{what}: {then[what][:12]} then, {now[what][:12]} now; the run's own copy is used")
            return stored
    return kept


def _stored(original: RunFolder) -> Material | None:
    if not (original.path / "dataset").is_dir():
        return None
    return Material(original.dataset, original.split, (), original.vectors, original.path / "members")


def _differences(one: RunFolder, two: RunFolder, expected: dict[str, str]) -> Iterator[str]:
    found = results_of(two)
    for name, digest in expected.items():
        if name not in found:
            yield f"{name}: missing the second time"
        elif found[name] != digest:
            yield f"{name}: {_how(one.path / name, two.path / name)}"
    for name in found.keys() - expected.keys():
        yield f"{name}: only the second time"


def _how(first: Path, second: Path) -> str:
    """In what two files of one name differ, as far as the first is there."""
    if first.suffix == ".parquet" and first.is_file():
        a, b = pl.read_parquet(first), pl.read_parquet(second)
        if a.shape != b.shape:
            return f"{a.height} rows then, {b.height} now"
        apart = (a["item"] != b["item"]).sum() if "item" in a.columns else 0
        return f"{apart} of {a.height} items differ" if apart else "the same items with other scores"
    if first.name == "metrics.json":
        a, b = (json.loads(path.read_text())["rows"] for path in (first, second))
        for x, y in zip(a, b, strict=False):
            if x != y:
                return f"{x['id']} {x['part']} {x['metric']}: {x['value']} then, {y['value']} now"
    return "other bytes"
