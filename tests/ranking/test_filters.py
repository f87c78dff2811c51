"""Each filter on a catalogue of five films, by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from matinee.contract import Queries
from matinee.data.columns import Features, Numbers
from matinee.data.dataset import Dataset
from matinee.data.ids import Vocabulary
from matinee.data.interactions import Interactions
from matinee.errors import DataError
from matinee.ranking.filters import Allow, Available, ColdItems, Deny, FutureItems, UnpopularItems

ITEMS = ["007", "7", "괴물", "올드보이", "하녀"]
USERS = ["가", "나", "다"]


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


LOG = Interactions.from_events([0, 0, 1, 1, 1], [0, 1, 1, 2, 2], [1, 2, 3, 4, 5], n_users=3, n_items=5)
YEARS = Numbers(np.array([1999.0, 2006.0, 2007.0, np.nan, 2008.0]))
DATA = Dataset(LOG, Vocabulary.of(USERS), Vocabulary.of(ITEMS), Features(5, {"year": YEARS}), Features(3))


def asked(*moments, rows=None):
    n = len(moments)
    return Queries.of(Interactions.empty(n, 5), rows=rows, at=np.array(moments, np.int64))


def names(allowed):
    return [[DATA.items[item] for item in np.flatnonzero(row)] for row in allowed]


def write(tmp_path, text, name="list.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_ids_of_this_page_are_in_byte_order():
    assert DATA.items.series.to_list() == ITEMS


def test_future_items_are_those_of_the_horizon_or_later_and_an_unknown_year_is_allowed():
    fitted = FutureItems(horizon=2).fit(DATA)
    queries = asked(at("2005-12-31T23:59:59"), at("2006-01-01"), 0)
    assert names(fitted.allowed(queries)) == [ITEMS[:2] + ITEMS[3:4], ITEMS[:4], ITEMS]
    assert names(FutureItems(horizon=1).fit(DATA).allowed(asked(at("2005-12-31")))) == [
        ["007", "올드보이"]
    ]


def test_future_items_need_years():
    with pytest.raises(DataError, match=r"no-feature.*'year'"):
        FutureItems().fit(Dataset(LOG, DATA.users, DATA.items, Features(5), Features(3)))


def test_unpopular_items_are_those_of_fewer_users_than_the_least_and_repeats_do_not_count():
    assert names(UnpopularItems(least=1).fit(DATA).allowed(asked(0))) == [["007", "7", "괴물"]]
    assert names(UnpopularItems(least=2).fit(DATA).allowed(asked(0, 0))) == [["7"], ["7"]]


def test_cold_items_are_those_that_nobody_had():
    assert names(ColdItems().fit(DATA).allowed(asked(0))) == [["올드보이", "하녀"]]
    taken = Interactions.from_events([0] * 5, range(5), n_users=3, n_items=5)
    with pytest.raises(DataError, match="no-cold-items"):
        ColdItems().fit(DATA.with_log(taken))


def test_allow_and_deny_keep_ids_as_text_and_list_those_that_are_unknown(tmp_path):
    path = write(tmp_path, "item,why\n7,x\n괴물,y\n7,again\n07,no such\n없음,no such\n")
    allow, deny = Allow(file=path).fit(DATA), Deny(file=path).fit(DATA)
    assert names(allow.allowed(asked(0))) == [["7", "괴물"]]
    assert names(deny.allowed(asked(0))) == [["007", "올드보이", "하녀"]]
    assert allow.unknown == deny.unknown == ("07", "없음")


def test_a_list_of_no_known_item_is_refused(tmp_path):
    with pytest.raises(DataError, match="none of the 2 ids in it is an item of the data; check") as caught:
        Allow(file=write(tmp_path, "item\n1\n2\n")).fit(DATA)
    assert caught.value.code == "unknown-items"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("", "empty-file", "list.csv"),
        ("film\n7\n", "no-column", "list.csv:1"),
        ("item,item\n7,7\n", "duplicate-column", "list.csv:1:6"),
        ("item,x\n7,1\n7\n", "bad-width", "list.csv:3"),
        ("item,x\n7,1\n,1\n", "empty-id", "list.csv:3"),
    ],
)
def test_a_faulty_list_is_refused_with_its_place(tmp_path, text, code, place):
    with pytest.raises(DataError) as caught:
        Deny(file=write(tmp_path, text)).fit(DATA)
    assert caught.value.code == code
    assert place in str(caught.value.place)


def test_availability_holds_from_the_first_moment_to_before_the_last(tmp_path):
    path = write(tmp_path, "item,from,until\n7,2020-03-01,2020-03-31\n괴물,2020-01-01T12:00,\n하녀,,1583020800\n")
    fitted = Available(file=path).fit(DATA)
    moments = ["2020-01-01T11:59:59", "2020-03-01", "2020-03-31T23:59:59", "2020-04-01"]
    always = {"007", "올드보이"}
    got = [set(row) - always for row in names(fitted.allowed(asked(*map(at, moments))))]
    assert got == [{"하녀"}, {"7", "괴물"}, {"7", "괴물"}, {"괴물"}]
    assert all(always <= set(row) for row in names(fitted.allowed(asked(*map(at, moments)))))
    assert names(fitted.allowed(asked(0))) == [ITEMS]


def test_several_windows_of_an_item_add_up(tmp_path):
    path = write(tmp_path, "item,from,until\n7,2020-01-01,2020-01-31\n7,2020-03-01,2020-03-31\n")
    moments = asked(*map(at, ["2020-01-15", "2020-02-15", "2020-03-15"]))
    assert ["7" in row for row in names(Available(file=path).fit(DATA).allowed(moments))] == [True, False, True]


def test_dates_of_one_user_replace_the_dates_for_everybody(tmp_path):
    path = write(tmp_path, "item\tfrom\tuntil\tuser\n7\t2020-01-01\t\t\n7\t2021-01-01\t\t나\n괴물\t\t2020-01-01\t다\n"
                           "하녀\t2021-01-01\t\t\n", "dates.tsv")
    fitted = Available(file=path).fit(DATA)
    when = at("2020-06-01")
    allowed = names(fitted.allowed(asked(when, when, when, when, rows=np.array([0, 1, 2, -1]))))
    assert ["7" in row for row in allowed] == [True, False, True, True]
    assert ["괴물" in row for row in allowed] == [True, True, False, True]
    assert not any("하녀" in row for row in allowed)


def test_unknown_items_and_users_of_dates_are_listed_and_change_nothing(tmp_path):
    path = write(tmp_path, "item,from,until,user\nx,2020-01-01,,\n7,2099-01-01,,라\n")
    fitted = Available(file=path).fit(DATA)
    assert fitted.unknown == ("x", "라")
    assert names(fitted.allowed(asked(at("2020-06-01")))) == [ITEMS]


def test_a_date_that_is_none_is_refused_with_its_line(tmp_path):
    with pytest.raises(DataError, match=r"list\.csv:2: bad-time: 'soon' is no date; write 2022-05-01"):
        Available(file=write(tmp_path, "item,from,until\n7,soon,\n")).fit(DATA)
