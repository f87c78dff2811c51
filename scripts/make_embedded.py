"""Make the data set that ships inside the package: the iterated 10-core of MovieTweetings.

    python scripts/make_embedded.py FOLDER_OF_MOVIETWEETINGS

The folder holds ratings.dat, movies.dat and LICENSE, in the state of 2013-11-06. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

from matinee import durable
from matinee.data.build import build
from matinee.data.layouts import movielens
from matinee.data.source import Reading

OUT = Path(__file__).resolve().parents[1] / "src/matinee/data/embedded"
CORE = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    core = build(movielens.read(folder, Reading()), min_user_events=CORE, min_item_events=CORE)
    users, items = set(core.users.series), set(core.items.series)
    ratings = [line for line in _lines(folder / "ratings.dat") if line[0] in users and line[1] in items]
    ratings.sort(key=lambda line: (line[0].encode(), int(line[3])))  # stable; close things compress well
    films = [line for line in _lines(folder / "movies.dat") if line[0] in items]
    if len(ratings) != len(core.log):
        raise SystemExit(f"{len(ratings)} rows where the core has {len(core.log)}")
    for name, lines in (("ratings.dat.gz", ratings), ("movies.dat.gz", films)):
        text = "".join("::".join(line) + "\n" for line in lines).encode()
        _write(OUT / "movietweetings" / name, gzip.compress(text, 9, mtime=0))
    _write(OUT / "LICENSE-MovieTweetings", (folder / "LICENSE").read_bytes())


def _write(path: Path, content: bytes) -> None:
    durable.write_bytes(path, content)
    path.chmod(0o644)  # part of the package, for everybody who installs it


def _lines(path: Path) -> list[list[str]]:
    return [line.split("::") for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
