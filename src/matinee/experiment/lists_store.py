"""Lists on disk: Parquet parts of 65,536 users, raw ids, each part written whole.

A folder begins with `about.json`, which names the key its lists were made under and how many parts there
will be. A run that was killed goes on at the first part that is missing; a folder under another key is
made anew.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from matinee import durable
from matinee.data.ids import Vocabulary
from matinee.errors import ModelError
from matinee.ranking.lists import Lists

PART = 65_536  # users a part


def parts_of(users: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Users in the parts their lists are written in."""
    return [users[start : start + PART] for start in range(0, len(users), PART)]


def begin(folder: Path, key: str, parts: int, depth: int) -> None:
    """Ready `folder` for lists made under `key`; parts already there under the same key stay."""
    about = {"key": key, "parts": parts, "depth": depth}
    if _about(folder) == about:
        return
    shutil.rmtree(folder, ignore_errors=True)
    durable.write_json(folder / "about.json", about)


def is_whole(folder: Path, key: str | None = None) -> bool:
    """Are all parts there (and made under `key`, where one is given)?"""
    about = _about(folder)
    return (
        bool(about)
        and (key is None or about["key"] == key)
        and all(has_part(folder, part) for part in range(about["parts"]))
    )


def has_part(folder: Path, part: int) -> bool:
    return _part(folder, part).is_file()


def write_part(folder: Path, part: int, lists: Lists, users: Vocabulary, items: Vocabulary) -> None:
    """Columns user, item, rank, score, filled; empty places are left out."""
    held = lists.items >= 0
    rows, places = np.nonzero(held)
    frame = pl.DataFrame(
        {
            "user": users.decode(lists.users[rows]),
            "item": items.decode(lists.items[held]),
            "rank": (places + 1).astype(np.int32),
            "score": lists.scores[held],
            "filled": lists.filled[held],
        }
    )
    content = io.BytesIO()
    frame.write_parquet(content, compression="zstd")
    durable.write_bytes(_part(folder, part), content.getvalue())


def read_part(folder: Path, part: int, asked: NDArray[np.int64], users: Vocabulary, items: Vocabulary) -> Lists:
    """The lists of the users `asked`, ascending, whom this part was written for.

    Raises ModelError where the part is missing or speaks of other ids.
    """
    path = _part(folder, part)
    if not path.is_file():
        raise ModelError("no-lists", f"part {part} of the lists is missing", "run the experiment again", folder)
    try:
        frame = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        way = "delete it and run the experiment again: it is made anew"
        raise ModelError("damaged", f"this part of the lists is no Parquet file ({error})", way, path) from None
    depth = int(_about(folder)["depth"])
    rows, dense = users.encode(frame["user"]), items.encode(frame["item"])
    if (len(rows) and min(rows.min(), dense.min()) < 0) or not np.isin(rows, asked).all():
        raise ModelError(
            "other-ids",
            "the lists speak of users or items that the data does not have",
            "they were made from other data; run the experiment again",
            path,
        )
    at, place = np.searchsorted(asked, rows), frame["rank"].to_numpy() - 1
    out = np.full((len(asked), depth), -1, np.int32)
    scores = np.full((len(asked), depth), -np.inf, np.float32)
    filled = np.zeros((len(asked), depth), bool)
    out[at, place], scores[at, place], filled[at, place] = dense, frame["score"].to_numpy(), frame["filled"].to_numpy()
    return Lists(asked, out, scores, filled)


def read(folder: Path, asked: NDArray[np.int64], users: Vocabulary, items: Vocabulary) -> Iterator[Lists]:
    """All parts, in order, for the users the lists were written for."""
    for part, block in enumerate(parts_of(asked)):
        yield read_part(folder, part, block, users, items)


def joined(blocks: Iterator[Lists], depth: int) -> Lists:
    """One `Lists` of the first `depth` places of all blocks, whose users ascend from block to block."""
    cut = [block.top(depth) for block in blocks]
    return Lists(
        np.concatenate([block.users for block in cut]),
        np.concatenate([block.items for block in cut]),
        np.concatenate([block.scores for block in cut]),
        np.concatenate([block.filled for block in cut]),
    )


def depth_of(folder: Path) -> int:
    return int(_about(folder)["depth"])


def key_of(folder: Path) -> str:
    """The key that stored lists were made under. Raises ModelError where there are none."""
    about = _about(folder)
    if not about:
        raise ModelError("no-lists", "there are no lists here", "that entry was not ranked at this stage", folder)
    return str(about["key"])


def _part(folder: Path, part: int) -> Path:
    return folder / f"part-{part:05d}.parquet"


def _about(folder: Path) -> dict[str, Any]:
    path = folder / "about.json"
    return json.loads(path.read_text()) if path.is_file() else {}
