"""One split for both sides: what they may learn from, and how good their lists are on what was hidden."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import matinee
from matinee.data.dataset import Dataset
from matinee.evaluation import accuracy
from matinee.experiment.stages import StageData
from matinee.ranking.lists import Lists

Numbers = NDArray[np.int64]

SPLIT = {"protocol": "gap_and_tail", "refit": True}  # both learn from all that is not hidden at test


def held_out(folder: str | Path | Dataset) -> StageData:
    dataset = folder if isinstance(folder, Dataset) else matinee.load(folder)
    return matinee.stages(dataset, SPLIT)["test"]


def next_item(folder: str | Path, *, refit: bool = False) -> dict[str, StageData]:
    """The newest event of everybody is test, the one before valid; items of fewer than five events left out."""
    dataset = matinee.load(folder, min_item_events=5)
    return matinee.stages(dataset, {"protocol": "leave_last", "valid": 1, "test": 1, "refit": refit})


def write_train(stage: StageData, path: Path) -> None:
    """`users`, `items`, `times` (E,) in raw ids. Raises SystemExit where an id is not a number as it stands."""
    log = stage.fit.log
    np.savez(path, users=_numbers(stage.fit.users.series)[log.users], items=_numbers(stage.fit.items.series)[log.items],
             times=log.times)


def write_benchmark(stage: StageData, folder: Path) -> None:
    """RecBole's benchmark files in a new folder NAME: NAME.train.inter, and what is hidden as NAME.valid.inter and
    NAME.test.inter, in raw ids."""
    if stage.truth is None:
        raise SystemExit("nothing is hidden at this stage")
    log, truth, users, items = stage.fit.log, stage.truth, stage.fit.users, stage.fit.items
    hidden = np.repeat(truth.users, truth.counts), truth.items
    folder.mkdir()
    for part, (of, what) in {"train": (log.users, log.items), "valid": hidden, "test": hidden}.items():
        frame = pl.DataFrame({"user_id:token": users.decode(of), "item_id:token": items.decode(what)})
        frame.write_csv(folder / f"{folder.name}.{part}.inter", separator="\t", quote_style="never")


def in_raw_ids(stage: StageData, lists: Lists) -> tuple[Numbers, Numbers]:
    """Users (V,) and items (V, 10), as a peer hands them out."""
    users, items = stage.fit.users.decode(lists.users), stage.fit.items.decode(lists.items.ravel())
    return users.cast(int).to_numpy(), items.cast(int).to_numpy().reshape(lists.items.shape)


def recall(
    stage: StageData, path: Path, name: str = "items", every: int = 1, metric: str = "recall@10"
) -> float:
    """recall@10, or another metric, of stored lists: `users` (V,) and, under `name`, items (V, 10) in raw ids, -1 where
    a list is short.

    Over the users of `sample`, whoever of them has no list.
    """
    stored = np.load(path)
    users = stage.fit.users.encode(pl.Series(stored["users"]).cast(pl.String)).astype(np.int64)
    items = stage.fit.items.encode(pl.Series(stored[name].ravel()).cast(pl.String)).reshape(-1, 10)
    order = np.argsort(users)
    shape = items.shape
    scores = np.where(items[order] < 0, -np.inf, -np.arange(10)).astype(np.float32)
    lists = Lists(users[order], items[order], scores, np.zeros(shape, bool))
    if stage.truth is None:
        raise SystemExit("nothing is hidden at this stage")
    values = accuracy.per_user(lists, stage.truth, [metric])[metric]
    return float(values[np.isin(stage.truth.users, sample(stage, every))].mean())


def sample(stage: StageData, every: int) -> Numbers:
    """The rows of the stage's users whose raw id is divisible by `every`, which a peer can tell as well."""
    return stage.users[_numbers(stage.fit.users.series)[stage.users] % every == 0]


def _numbers(ids: pl.Series) -> Numbers:
    numbers = ids.cast(pl.Int64, strict=False)
    if not numbers.cast(pl.String).equals(ids):
        raise SystemExit("an id is no number, or is written with zeros before it: the peer would not give it back")
    return numbers.to_numpy()


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def seconds_of(name: str, start: tuple[float, float], end: tuple[float, float]) -> dict[str, float]:
    """By the clock, and of all threads together."""
    return {name: end[0] - start[0], f"{name}_cpu": end[1] - start[1]}
