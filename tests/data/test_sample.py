"""Samples hold whole histories of random users, and nothing of anybody else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from matinee.data import convert
from matinee.data.load import load
from matinee.data.sample import sample, thinned
from matinee.errors import UsageError


@pytest.mark.parametrize("spec", ["synthetic:200x80", "synthetic-uplus:200x80"])
def test_histories_are_whole(spec: str) -> None:
    whole = load(spec)
    part = sample(whole, users=20, seed=3)
    assert part.n_users == 20
    for user in range(20):
        before = whole.users.find(part.users[user])
        (a, b), (c, d) = part.log.indptr[user : user + 2], whole.log.indptr[before : before + 2]
        assert part.items.decode(part.log.items[a:b]).to_list() == whole.items.decode(whole.log.items[c:d]).to_list()
        assert part.log.times[a:b].tolist() == whole.log.times[c:d].tolist()
        for name in whole.log.columns:
            np.testing.assert_array_equal(part.log.columns[name][a:b], whole.log.columns[name][c:d])


def test_items_and_labels_left_are_those_in_use() -> None:
    whole = load("synthetic:200x300")
    part = sample(whole, users=3)
    assert part.n_items < whole.n_items
    assert np.bincount(part.log.items, minlength=part.n_items).min() > 0
    directors = part.item_features.categories("director")
    assert len(directors.names) == len(set(directors.codes.tolist()))
    item = int(np.flatnonzero(~directors.missing())[0])
    before = whole.items.find(part.items[item])
    assert directors.labels(item) == whole.item_features.categories("director").labels(before)


def test_a_sample_is_what_its_files_say(tmp_path: Path) -> None:
    part = sample(load("synthetic:100x50"), users=7)
    convert.write(part, tmp_path / "part", "boostcamp")
    assert load(tmp_path / "part").hash == part.hash


def test_same_seed_same_users() -> None:
    whole = load("synthetic:200x80")
    assert sample(whole, users=10, seed=1).hash == sample(whole, users=10, seed=1).hash
    assert sample(whole, users=10, seed=1).users != sample(whole, users=10, seed=2).users
    assert sample(whole, users=200).log.hash() == whole.log.hash()
    assert sample(whole, share=0.25).n_users == 50
    assert sample(whole, users=10).facts.notes["sampled_users"] == {"of": 200, "seed": 0}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "either a number of users or a share"),
        ({"users": 1, "share": 0.5}, "either a number of users or a share"),
        ({"users": 0}, "0 users of 10 cannot be picked"),
        ({"users": 11}, "11 users of 10 cannot be picked"),
        ({"share": 0.0}, "a share of 0 is none"),
        ({"share": 1.5}, "a share of 1.5 is none"),
    ],
)
def test_samples_that_cannot_be(asked: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=f"bad-sample: .*{words}"):
        sample(load("synthetic:10x10"), **asked)  # type: ignore[arg-type]


def test_thinning_keeps_a_share_of_everybody() -> None:
    whole = load("synthetic:200x80")
    part = thinned(whole, 0.3, seed=1)
    assert part.log.counts.tolist() == np.maximum(1, np.round(0.3 * whole.log.counts)).astype(int).tolist()
    assert part.users.hash == whole.users.hash
    assert part.n_items == whole.n_items
    for user in range(whole.n_users):
        mine = whole.log.items[whole.log.indptr[user] : whole.log.indptr[user + 1]].tolist()
        assert set(part.log.items[part.log.indptr[user] : part.log.indptr[user + 1]].tolist()) <= set(mine)
    assert thinned(whole, 0.3, seed=2).hash != part.hash == thinned(whole, 0.3, seed=1).hash
    assert thinned(whole, 1.0).log.hash() == whole.log.hash()


def test_a_smaller_set_can_be_asked_for_where_it_is_read() -> None:
    part = load("synthetic:200x80", sample_users=0.25, sample_events=0.5)
    whole = load("synthetic:200x80")
    assert part.hash == thinned(sample(whole, share=0.25), 0.5).hash
    assert part.facts.notes["sampled_users"]["of"] == 200
    with pytest.raises(UsageError, match="share of 0"):
        load("synthetic:200x80", sample_users=0.0)
