"""A split as tables in raw ids, for tools that bring no split of their own, or the same one to many tools.

    train.csv   user,item,time, ...               what valid is fitted on
    valid.csv   user,item,time, ...,hidden_part   what valid hides: one row for each user and hidden item
    test.csv    the same of test
    valid_given.csv, test_given.csv               the histories to ask with, where they are not simply what comes
                                                  before: train for valid, train and valid for test
    split.json  settings, hashes and counts
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee import durable
from matinee.data import frames
from matinee.data.dataset import Dataset
from matinee.errors import UsageError
from matinee.split.parts import PARTS, Split, Truth

Mask = NDArray[np.bool_]


def write(split: Split, dataset: Dataset, folder: Path) -> list[Path]:
    """The files, in a folder that appears whole or not at all. Raises UsageError for a split that came from files."""
    if split.settings["protocol"] == "given":
        raise UsageError("nothing-to-write", "the given protocol reads its answers from files", "use those files")
    masks = _events(split, dataset)
    rows: dict[str, int] = {}
    with durable.publishing(folder) as temporary:
        for name, mask in masks.items():
            truth = split.stages[name].truth if name in split.stages else None
            frames.write_csv(temporary / f"{name}.csv", _told(dataset, mask, truth))
            rows[f"{name}.csv"] = int(mask.sum())
        about = {
            "settings": dict(split.settings),
            "split_hash": split.hash,
            "data": {"name": dataset.facts.name, "hash": dataset.hash},
            "rows": rows,
            "notes": dict(split.notes),
        }
        durable.write_json(temporary / "split.json", about)
    return [folder / name for name in (*rows, "split.json")]


def _events(split: Split, dataset: Dataset) -> dict[str, Mask]:
    """(E,) by name of file: which events stand in it."""
    test, valid = split.stages["test"], split.stages.get("valid")
    masks = {"train": test.fit if valid is None else valid.fit}
    before = masks["train"]
    if valid is not None:
        masks["valid"] = _hidden(dataset, test.given & ~valid.given, valid.truth)
    masks["test"] = _hidden(dataset, ~test.given, test.truth)
    if valid is not None:
        if not np.array_equal(valid.given, before):
            masks["valid_given"] = valid.given
        before = before | masks["valid"]
    if not np.array_equal(test.given, before):
        masks["test_given"] = test.given
    return masks


def _hidden(dataset: Dataset, among: Mask, truth: Truth) -> Mask:
    """(E,) the oldest event of each hidden pair among those events."""
    events = np.flatnonzero(among)
    keys = _keys(dataset)[events]
    events, keys = events[found := np.isin(keys, _truth_keys(dataset, truth))], keys[found]
    _, first = np.unique(keys, return_index=True)
    mask = np.zeros(len(dataset.log), bool)
    mask[events[first]] = True
    return mask


def _told(dataset: Dataset, mask: Mask, truth: Truth | None) -> list[pl.DataFrame]:
    """Frames of these events, and of hidden ones the part of the history that each was taken from."""
    parts = list(frames.events(dataset, mask))
    if not frames.has_times(dataset):
        parts = [part.drop("time") for part in parts]
    if truth is None:
        return parts
    at = np.searchsorted(_truth_keys(dataset, truth), _keys(dataset)[mask])
    names = pl.Series("hidden_part", np.array(PARTS)[truth.parts[at]], dtype=pl.String)
    return [pl.concat(parts).with_columns(names)]


def _keys(dataset: Dataset) -> NDArray[np.int64]:
    """(E,) one number for each pair of user and item."""
    return dataset.log.users * np.int64(dataset.n_items) + dataset.log.items


def _truth_keys(dataset: Dataset, truth: Truth) -> NDArray[np.int64]:
    """(H,) the same of hidden pairs, ascending."""
    return np.repeat(truth.users, truth.counts) * np.int64(dataset.n_items) + truth.items
