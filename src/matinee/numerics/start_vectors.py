"""Where the items of a network begin: at vectors that were made elsewhere, in its own width and of its own size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from matinee.data.dataset import Dataset
from matinee.data.item_vectors import known
from matinee.errors import DataError
from matinee.numerics.title_vectors import title_vectors

TITLES = "tfidf"
"""The name of vectors that are made of the data's own titles."""
TITLE_DIM = 64

Table = NDArray[np.float32]


def found_elsewhere(*wheres: str | None) -> tuple[str, ...]:
    """What a recipe's `named_vectors` says of fields that name vectors: the titles' are made on the spot."""
    return tuple(where for where in wheres if where is not None and where != TITLES)


def start_vectors(dataset: Dataset, where: str, dim: int, rng: np.random.Generator, *, spread: float) -> Table:
    """(I, dim) what `where` names, brought to `dim` numbers and to the size of a normal start of deviation `spread`.

    An item that has no vector begins as without: normal, of that deviation. Raises what `named_vectors` does.
    """
    table = (spread * rng.standard_normal((dataset.n_items, dim))).astype(np.float32)
    vectors = named_vectors(dataset, where)
    rows = known(vectors)
    table[rows] = sized(narrowed(vectors[rows], dim), spread)
    return table


def named_vectors(dataset: Dataset, where: str) -> Table:
    """(I, D0) of that name beside the data, or of its titles (`tfidf`); NaN where an item has none.

    Raises DataError for a name that is not beside the data, and where there are no titles.
    """
    if where in dataset.item_vectors:
        return dataset.item_vectors[where]
    if where == TITLES:
        return title_vectors(dataset.item_features, TITLE_DIM)
    raise DataError("no-vectors", f"there are no item vectors called {where!r} beside the data",
                    f"an experiment finds them; else put them there: with_vectors(data, {where!r}, 'FILE')")


def narrowed(vectors: Table, dim: int) -> Table:
    """(N, D0) less their mean -> (N, dim): turned to where they spread most and cut there, or filled up with zeros.

    What all items have in common tells none from another, and takes the room of what does. Turning keeps all
    distances, cutting those that it can; the turn is the same at any number of threads.
    """
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    if vectors.shape[1] > dim:
        with threadpool_limits(1, "blas"):  # more threads would part the sums, and so the bits, in another way
            turn = np.linalg.eigh(centred.T @ centred)[1][:, : -dim - 1 : -1]
            largest = np.take_along_axis(turn, np.abs(turn).argmax(axis=0)[None], axis=0)
            centred = centred @ (turn * np.where(largest < 0, -1, 1))
    return np.pad(centred, ((0, 0), (0, dim - centred.shape[1]))).astype(np.float32)


def sized(vectors: Table, spread: float) -> Table:
    """Scaled so that the mean squared length is that of normal vectors of this deviation; zeros stay zeros."""
    size = float(np.sqrt(np.square(vectors, dtype=np.float64).mean()))
    return vectors * np.float32(spread / size) if size > 0 else vectors
