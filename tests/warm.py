"""Compile the kernels before the tests: one small run, and every model fitted and asked once, two at a time.

So no test waits for a compiler, and two workers of the tests do not compile the same kernel side by side.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path

import numpy as np

from matinee import catalog
from matinee.ranking.recommend import recommend
from matinee.testing import Subject, planted
from tests import small_run


def warm(name: str) -> None:
    """An empty name is the small run."""
    if not name:
        with tempfile.TemporaryDirectory() as folder:
            small_run.finished(Path(folder))
        return
    subject, toy = Subject(name), planted()
    subject.fitted.score(toy.queries())
    recommend(subject.fitted, toy.ask(), np.arange(toy.data.n_users), 5, repeats=False)


def main() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(warm, ["", *catalog.names()], chunksize=1)


if __name__ == "__main__":
    main()
