"""Lists under hostile input: each test's name holds the id of the one row of the fault catalogue that it covers."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from matinee.contract import Queries
from matinee.data.columns import Features
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.experiment import submission
from matinee.ranking import recommend as module
from matinee.ranking.filters import Allow, Deny
from matinee.ranking.recommend import ask_from, recommend, recommend_blocks
from tests.ranking.scorers import Fused, ItemItem, Same

I = 40
POPULARITY = np.arange(I, dtype=np.float32)


def log_of(n_users, events_each=5):
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(n_users), events_each)
    return Interactions.from_events(users, rng.integers(0, I, len(users)), rng.integers(1, 10**9, len(users)),
                                    n_users=n_users, n_items=I)


def asking(log):
    return ask_from(log, log.counts, Features(log.n_users))


def test_I1_memory_does_not_grow_with_the_number_of_users(monkeypatch):
    monkeypatch.setattr(module, "CELLS", I * 1024)
    model, everything = ItemItem(np.random.default_rng(1).normal(size=(I, I)).astype(np.float32)), log_of(40_000)
    ask = asking(everything)
    peaks = []
    for users in (2_000, 4_000, 40_000):
        asked = np.arange(users)
        tracemalloc.start()
        lists = 0
        for block in recommend_blocks(model, ask, asked, 10, repeats=False, fallback=POPULARITY):
            lists += len(block)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert lists == users
    assert peaks[2] <= 1.05 * peaks[1]


def test_I3_a_user_who_saw_all_but_two_gets_those_two():
    log = Interactions.from_events([0] * (I - 2), [i for i in range(I) if i not in (7, 31)], n_users=1, n_items=I)
    for fallback in (None, POPULARITY):
        lists = recommend(Same(-POPULARITY), asking(log), np.array([0]), 10, repeats=False, fallback=fallback)
        assert lists.items.tolist() == [[7, 31] + [-1] * 8]
        assert np.isneginf(lists.scores[0, 2:]).all()
        assert not lists.filled.any()


def test_I4_users_named_twice_get_a_block_for_each_request_in_its_order(tmp_path):
    log, model = log_of(30), ItemItem(np.random.default_rng(1).normal(size=(I, I)).astype(np.float32))
    data = Dataset(log, Vocabulary.of(f"{n:02}" for n in range(30)), Vocabulary.of(f"{n:02}" for n in range(I)),
                   Features(I), Features(30))
    asked = np.array([20, 3, 3, 20, 11])
    lists = recommend(model, asking(log), asked, 5, repeats=False)
    assert lists.users.tolist() == [3, 11, 20]
    submission.write(tmp_path / "lists.csv", lists, data, "boostcamp", asked)
    alone = [recommend(model, asking(log), np.array([user]), 5, repeats=False).items[0] for user in asked]
    rows = [f"{user:02},{item:02}" for user, items in zip(asked, alone, strict=True) for item in items]
    assert (tmp_path / "lists.csv").read_text().split() == ["user,item", *rows]


@pytest.mark.parametrize("fused", [False, True])
def test_I5_equal_scores_go_by_external_id_on_every_path(fused):
    names = ["b", "a", "10", "9", "가", "B", "é", "007", "7"]
    vocabulary = Vocabulary.of(names)
    model = Same(np.array([1, 0, 0, 1, 0, -0.0, 1, 0, 1], np.float32))
    log = Interactions.empty(1, len(names))
    lists = recommend(Fused(model, lambda _: None) if fused else model, asking(log), np.array([0]), 9, repeats=False)
    best = sorted((vocabulary[item] for item in (0, 3, 6, 8)), key=str.encode)
    rest = sorted((vocabulary[item] for item in (1, 2, 4, 5, 7)), key=str.encode)
    assert vocabulary.decode(lists.items[0]).to_list() == best + rest


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("repeats", [False, True])
def test_I6_a_score_that_is_no_number_is_an_error_with_user_and_model(value, repeats):
    class Broken(Same):
        def score(self, queries: Queries):
            scores = super().score(queries)
            scores[queries.rows == 17, 4] = value
            return scores

    users = Vocabulary.of([f"사용자{n:02}" for n in range(30)])
    with pytest.raises(DataError, match=r"^(nan|infinite)-score: ease_2 scores item 4 of user 사용자17 with") as caught:
        recommend(Broken(POPULARITY), asking(log_of(30)), np.arange(9, 30), 5, repeats=repeats, name="ease_2",
                  user_id=users.__getitem__)
    assert caught.value.exit_code == 3


def test_I13_lists_of_ids_hold_exactly_as_many_items_as_are_left(tmp_path):
    names = [f"{n:03}" for n in range(I)]
    log = Interactions.from_events([0, 0], [2, 5], n_users=1, n_items=I)
    data = Dataset(log, Vocabulary.of(["u"]), Vocabulary.of(names), Features(I), Features(1))
    whole = recommend(Same(POPULARITY), asking(log), np.array([0]), I, repeats=False)

    def ids(kind, listed, k):
        path = tmp_path / "ids.csv"
        path.write_text("item\n" + "".join(f"{name}\n" for name in listed))
        fitted = kind(file=path).fit(data)
        lists = recommend(Same(POPULARITY), asking(log), np.array([0]), k, repeats=False, filters=[fitted],
                          fallback=POPULARITY)
        return [names[item] for item in lists.items[0] if item >= 0], fitted.unknown

    some = ["001", "002", "003", "003", "030", "no", "no", "1"]
    assert ids(Allow, some, 10) == (["030", "003", "001"], ("1", "no"))  # 002 was seen
    assert ids(Allow, some, 2) == (["030", "003"], ("1", "no"))
    assert ids(Allow, names, 10)[0] == [names[item] for item in whole.items[0][:10]]
    assert ids(Deny, some, I)[0] == [names[item] for item in whole.items[0] if names[item] not in some and item >= 0]
    assert ids(Deny, names, 10) == ([], ())
    with pytest.raises(DataError, match="unknown-items: none of the 2 ids"):
        ids(Allow, ["no", "1"], 10)


def test_I14_scores_are_written_with_a_point_and_read_back_the_same_and_zero_has_no_sign(tmp_path):
    scores = np.array([1e-45, -0.0, 0.0, 1 / 3, 16777217.0, -1e-38], np.float32)
    log = Interactions.empty(1, len(scores))
    lists = recommend(Same(scores), asking(log), np.array([0]), len(scores), repeats=False)
    filled = recommend(Same(scores), asking(log), np.array([0]), 6, repeats=False, fallback=-POPULARITY[:6] * 0)
    data = Dataset(log, Vocabulary.of(["u"]), Vocabulary.of("abcdef"), Features(6), Features(1))
    submission.write(tmp_path / "lists.csv", lists, data, "table", np.array([0]))
    header, *rows = (line.split(",") for line in (tmp_path / "lists.csv").read_text().split())
    assert {len(row) for row in rows} == {len(header)}  # no decimal comma
    cells = [row[header.index("score")] for row in rows]
    assert not any(cell.startswith("-0") for cell in cells if float(cell) == 0)
    assert not np.signbit(filled.scores).any()
    np.testing.assert_array_equal(np.array([float(cell) for cell in cells], np.float32), lists.scores[0])
    assert [item for item in lists.items[0] if scores[item] == 0] == [1, 2]
