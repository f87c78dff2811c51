"""Profiles against dictionaries; scoring, ranking and any block give the same bits; what does not fit is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import random_array

from matinee.contract import Masks, Queries
from matinee.data.interactions import Interactions
from matinee.errors import DataError, ModelError
from matinee.numerics.threads import limited
from matinee.ranking.topk import top_k
from matinee.scoring.profile import Profile
from tests.numerics.logs import random_log
from tests.reference import profile as slow

U, I, F = 41, 73, 29


def profile(dim=5, **changes):
    rng = np.random.default_rng(dim)
    sparse = random_array((I, F), density=0.2, format="csr", rng=rng, dtype=np.float64).astype(np.float32)
    sparse.sort_indices()
    parts = {"indptr": sparse.indptr.astype(np.int64), "features": sparse.indices.astype(np.int32),
             "weights": sparse.data, "dense": rng.standard_normal((I, dim)).astype(np.float32),
             "bonus": rng.random(I).astype(np.float32), "n_features": F}
    return Profile(**{**parts, **changes})


def vectors(scorer):
    """As dictionaries, scaled to length 1, which the form leaves to who makes it."""
    sparse = [{("sparse", int(f)): float(w) for f, w in zip(scorer.features[a:b], scorer.weights[a:b], strict=True)}
              for a, b in zip(scorer.indptr, scorer.indptr[1:], strict=False)]
    return [{**one, **{("dense", d): float(x) for d, x in enumerate(row)}}
            for one, row in zip(sparse, scorer.dense, strict=True)]


QUERIES = Queries.of(random_log(1, U, I, 600, weighted=True))


@pytest.mark.parametrize("dim", [0, 1, 6])
def test_scores_are_those_of_the_slow_twin(dim):
    scorer = profile(dim)
    items = vectors(scorer)
    lengths = np.array([np.sqrt(sum(x * x for x in one.values())) for one in items])
    got, history = scorer.score(QUERIES), QUERIES.history.matrix()
    for user in range(U):
        mine = slice(history.indptr[user], history.indptr[user + 1])
        cosines = slow.scores(items, history.indices[mine].tolist(), history.data[mine].tolist(), [0.0] * I)
        np.testing.assert_allclose(got[user], np.array(cosines) * lengths + scorer.bonus, atol=2e-6)


def test_an_empty_history_and_an_item_without_entries_have_the_bonus():
    empty = Queries.of(Interactions.empty(2, I))
    scorer = profile()
    np.testing.assert_array_equal(scorer.score(empty), np.tile(scorer.bonus, (2, 1)))
    nothing = profile(dense=np.zeros((I, 0), np.float32), indptr=np.zeros(I + 1, np.int64),
                      features=np.empty(0, np.int32), weights=np.empty(0, np.float32))
    np.testing.assert_array_equal(nothing.score(QUERIES), np.tile(nothing.bonus, (U, 1)))


@pytest.mark.parametrize("dim", [0, 6])
def test_ranking_any_block_and_any_threads_give_the_bits_of_scoring(dim):
    scorer, seen = profile(dim), QUERIES.history
    whole = scorer.score(QUERIES)
    masks = Masks(seen.indptr, seen.items, np.random.default_rng(2).random((U, I)) < 0.3)
    for threads in (1, 2):
        with limited(threads):
            for got, want in zip(scorer.top_block(QUERIES, 7, masks), top_k(whole, 7, masks), strict=True):
                np.testing.assert_array_equal(got, want)
            for size in (1, 5, 16):
                for start in range(0, U, size):
                    block = np.arange(start, min(start + size, U))
                    np.testing.assert_array_equal(scorer.score(QUERIES.take(block)), whole[block])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"features": np.array([F], np.int32), "weights": np.ones(1, np.float32),
          "indptr": np.append(0, np.ones(I, np.int64))}, r"features must lie in \[0, 29\); got \[29, 29\]"),
        ({"weights": np.ones(1, np.float32)}, "do not fit 73 items"),
        ({"dense": np.ones((I - 1, 2), np.float32)}, r"dense entries of shape \(72, 2\) do not fit 73 items"),
        ({"bonus": np.full(I, np.nan, np.float32)}, "entry 0 of bonus is nan"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(ModelError, match=f"bad-form: .*{said}"):
        profile(**changes)


def test_histories_over_another_catalogue_are_refused():
    with pytest.raises(DataError, match="misaligned: histories over 3 items for a model of 73"):
        profile().score(Queries.of(Interactions.empty(1, 3)))
