"""What every feature owes: it is learnt from the training part alone, and hangs on its own user, item or pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matinee.contract import Queries
from matinee.data.columns import Features, known_hash
from matinee.data.dataset import Dataset
from matinee.data.interactions import Interactions
from matinee.features.feature import COLUMN
from matinee.features.fitted import packed, unpacked
from matinee.features.registry import feature, names
from matinee.split.gap_and_tail import GapAndTail
from tests.features.people import candidates, data, everybody, rows

EVERY = [*names(), "user:occupation", "item:genre"]
OF_USERS = [name for name in EVERY if feature(name).scope != "item"]


def with_hidden(how: str) -> Dataset:
    """The data with every event marked, 1 where a split hides it, and what is hidden changed."""
    log = data().log
    hidden = ~GapAndTail().split(data()).stages["valid"].fit
    items, again = log.items.copy(), np.arange(len(log))
    if how == "changed":
        items[hidden] = (items[hidden] + 5) % log.n_items
    elif how == "removed":
        again = np.flatnonzero(~hidden)
    elif how == "added":
        again = np.concatenate([again, np.flatnonzero(hidden)])
    marks = {"hidden": hidden[again].astype(np.float32)}
    return data().with_log(Interactions.from_events(log.users[again], items[again], log.times[again],
                                                    n_users=log.n_users, n_items=log.n_items, columns=marks))


def train_of(whole: Dataset) -> Dataset:
    return whole.with_log(whole.log.select(whole.log.columns["hidden"] == 0))


@pytest.mark.parametrize("how", ["changed", "removed", "added"])
@pytest.mark.parametrize("name", EVERY)
def test_hidden_rows_reach_no_feature(name: str, how: str) -> None:
    """Changed, removed or added, they leave every bit of what a feature learns and says as it was."""
    one, (before, after) = feature(name), (with_hidden("as they are"), with_hidden(how))
    assert before.log.hash() != after.log.hash()
    learnt = [one.fit(train_of(whole)) for whole in (before, after)]
    assert known_hash(learnt[0]) == known_hash(learnt[1])
    asked = candidates(everybody(train_of(before)))
    said = [rows(one, train_of(whole), everybody(train_of(whole)), asked) for whole in (before, after)]
    assert said[0] == said[1]


@pytest.mark.parametrize("name", OF_USERS)
def test_a_user_is_told_alike_in_any_company_and_order(name: str) -> None:
    train, one = data(), feature(name)
    queries = everybody(train)
    asked = candidates(queries)
    whole = rows(one, train, queries, asked)
    order = np.random.default_rng(1).permutation(len(queries))[:40]
    assert rows(one, train, queries.take(order), asked[order]) == [whole[row] for row in order]
    alone = [rows(one, train, queries.take(np.array([row])), asked[[row]])[0] for row in order[:10]]
    assert alone == [whole[row] for row in order[:10]]


@pytest.mark.parametrize("name", OF_USERS)
def test_neither_the_row_nor_the_moment_of_the_question_is_told(name: str) -> None:
    """Somebody new has what a known user with his history has; when the hidden event was is nobody's to know."""
    train, queries = data(), everybody(data())
    asked = candidates(queries)
    other = replace(queries, rows=np.full(len(queries), -1), at=queries.at + 10**8)
    assert rows(feature(name), train, other, asked) == rows(feature(name), train, queries, asked)


@pytest.mark.parametrize("name", [name for name in EVERY if feature(name).scope == "pair"])
def test_a_candidates_own_events_do_not_count(name: str) -> None:
    """With and without it in the history: else what was watched would be told from what was drawn."""
    train, one = data(), feature(name)
    queries = everybody(train).take(np.arange(0, 150, 5))
    known, history = one.fit(train), queries.history
    for place in (0, -1):
        item = np.array([history.take(np.array([row])).items[place] for row in range(len(queries))], np.int32)
        rest = history.select(history.items != np.repeat(item, history.counts))
        assert one.of_pairs is not None
        inside, outside = (one.of_pairs(known, Queries.of(part), item[:, None]) for part in (history, rest))
        np.testing.assert_allclose(inside, outside, rtol=1e-9, atol=1e-9)
        assert len(np.unique(outside)) > 1


@pytest.mark.parametrize("name", EVERY)
def test_nobody_nothing_and_no_candidate_are_unknown(name: str) -> None:
    train, one = data(), feature(name)
    nobody = Queries.of(Interactions.empty(2, train.n_items), attributes=Features(2))
    asked = np.array([[0, -1], [-1, -1]], np.int32)
    known = one.fit(train)
    if one.scope == "pair":
        assert one.of_pairs is not None
        found = one.of_pairs(known, everybody(train).take(np.array([0, 1])), asked)
        assert np.isnan(found[asked < 0]).all()
        assert np.isfinite(found[0, 0])
    elif one.scope == "user":
        found = one.column(known, nobody)
        assert len(found) == 2
        assert bool(found.missing().all()) == (name not in ("user_count", "user_percentile"))
        assert len(one.column(known, nobody.take(np.empty(0, np.int64)))) == 0
    else:
        assert len(one.column(known)) == train.n_items


@pytest.mark.parametrize("name", EVERY)
def test_it_is_what_it_says_and_comes_back_from_arrays(name: str) -> None:
    train, one = data(), feature(name)
    known = one.fit(train)
    assert one.doc.endswith((".", ";"))
    arrays = packed({name: known})
    assert all(np.isfinite(array.astype(float)).all() for array in arrays.values())
    assert known_hash(unpacked(arrays, [name])[name]) == known_hash(known)
    if one.scope != "pair":
        kind = {"Categories": "categories", "Numbers": "number", "Vectors": "vector"}
        column = one.column(known, everybody(train))
        exact = kind[type(column).__name__] == one.kind
        assert exact or name in ("age",) or ":" in name
    if one.scope == "item":
        assert set(known) == {COLUMN}
