"""The latent spaces that neighbours and clusters are looked for in, and where the users of a log stand in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries, Recommender, Run, VectorScorer
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.numerics import svd
from matinee.numerics.proximity import units
from matinee.numerics.threads import limited
from matinee.scoring.history_factors import HistoryFactors

USERS_AT_ONCE = 2048


def singular_space(train: Dataset, dim: int, run: Run) -> HistoryFactors:
    """The `dim` directions in which histories differ most: the truncated singular value decomposition of the log."""
    with limited(run.threads):
        vectors = svd.truncated(train.log.matrix(), dim, np.random.default_rng(run.seed)).items  # (I, D)
    return HistoryFactors(vectors, vectors, np.zeros(train.n_items, np.float32), 0.0)


def genre_space(train: Dataset) -> HistoryFactors:
    """One dimension a genre: the share of a history that it makes up. Raises DataError where items have none."""
    genres = train.item_features.categories("genre")
    counts = np.diff(genres.indptr)
    shares = np.zeros((train.n_items, len(genres.names)), np.float32)  # (I, G)
    items = np.repeat(np.arange(train.n_items), counts)
    np.add.at(shares, (items, genres.codes), 1 / counts[items])
    return HistoryFactors(shares, shares, np.zeros(train.n_items, np.float32), 1.0)


def fitted_space(recipe: Recommender, train: Dataset, run: Run) -> VectorScorer:
    """The space that a model puts histories in. One that stops by validation elsewhere runs through all its epochs.

    What the run validates is the lists of the model outside, and what an earlier fit found is that model's as well:
    neither says when the one inside should stop. Its recipe does. Raises ConfigError (`no-vectors`) for a model that
    has none.
    """
    scorer = recipe.fit(train, run.with_(validate=None, stop_at=None))
    if not isinstance(scorer, VectorScorer):
        what = f"a {type(scorer).__name__} puts histories nowhere, and {type(recipe).__name__} gives one"
        raise ConfigError("no-vectors", what, "name a model of factors or an autoencoder under `of`, such as pure_svd")
    return scorer


def places(space: VectorScorer, queries: Queries) -> NDArray[np.float32]:
    """(B, D) where each history stands, at length 1; zeros for somebody of whom the space knows nothing."""
    return units(space.vectors(queries))


def places_of_log(space: VectorScorer, train: Dataset) -> NDArray[np.float32]:
    """(U, D) where each user of the log stands, some at a time."""
    found = []
    for start in range(0, train.n_users, USERS_AT_ONCE):
        rows = np.arange(start, min(start + USERS_AT_ONCE, train.n_users))
        found.append(places(space, Queries.of(train.log.take(rows), rows, attributes=train.user_features.take(rows))))
    return np.concatenate(found)
