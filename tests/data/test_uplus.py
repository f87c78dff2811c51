"""The U+ layout: sessions, watch time, masked seconds, doubled rows, profiles and albums."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from matinee.data import layouts
from matinee.data.layouts import uplus
from matinee.data.source import Reading, SideTable, Source
from matinee.errors import DataError
from tests.paths import data_folder

HISTORY = """profile_id,ss_id,log_time,act_target_dtl,album_id,payment,continuous_play,short_trailer
3,20220301160000,20220301165946,MKID003,871,,Y,N
3,20220301160000,20220301170101,MKID003,872,,N,N
3,20220301160000,20220301170101,MKID003,872,,N,N
007,20220302000000,20220228235999,MKID003,871,500,N,Y
3,20220301160000,20220301180000,MKID003,871,,Y,N
"""
ENDS = """profile_id,ss_id,log_time,act_target_dtl,album_id,watch_time,total_time,continuous_play
3,20220301160000,20220301170000,MKID049,871,14,117,1
3,20220301160000,20220301170300,MKID049,872,119,300,0
3,20220301160000,20220301170500,MKID049,872,20,300,0
3,20220301160000,20220301183000,MKID049,871,,117,1
9,20220301160000,20220301170000,MKID049,871,14,117,1
3,20220301160000,20220301165900,MKID049,871,14,117,1
"""
PROFILES = """profile_id,sex,age,pr_interest_keyword_cd_1,pr_interest_keyword_cd_2,pr_interest_keyword_cd_3,\
ch_interest_keyword_cd_1,ch_interest_keyword_cd_2,ch_interest_keyword_cd_3
3,F,5,P02,P04,P02,K01,,
007,,,,,,K09,K03,
"""
META = """album_id,title,sub_title,genre_large,genre_mid,genre_small,country,run_time,onair_date,\
cast_1,cast_2,cast_3,cast_4,cast_5,cast_6,cast_7
871,뽀로로,"1화, 안녕",TV만화,모험,,한국,508,20190304,이선,,,,,,
871,뽀로로,"1화, 안녕",TV만화,우정,,한국,508,20190304,이미자,,,,,,
872,영어 노래,,영어,모험,,,,,,,,,,,
"""
PLUS = """album_id,keyword_type,keyword_name,keyword_value
871,K01,우정,0.25
871,P02,우정,0.75
872,K01,모험,1
"""
FILES = {"history_data.csv": HISTORY, "watch_e_data.csv": ENDS, "profile_data.csv": PROFILES, "meta_data.csv": META,
         "meta_data_plus.csv": PLUS, "buy_data.csv": "profile_id,album_id\n3,871\n",
         "search_data.csv": "profile_id,album_id\n3,871\n3,9\n"}  # fmt: skip


def written(folder: Path, **changed: str | None) -> Path:
    for name, content in (FILES | {f"{key}.csv": value for key, value in changed.items()}).items():
        if content is not None:
            (folder / name).write_text(content, encoding="utf-8")
    return folder


def seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


def side(tables: tuple[SideTable, ...], name: str) -> list[tuple[str, object]]:
    table = next(table for table in tables if table.name == name)
    return list(zip(table.ids.to_list(), table.values.to_list(), strict=True))


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return uplus.read(written(tmp_path), Reading())


def test_detected_by_its_history(tmp_path: Path) -> None:
    assert uplus.detect(written(tmp_path))
    assert uplus.detect(tmp_path / "history_data.csv")
    assert not uplus.detect(tmp_path / "profile_data.csv")


def test_views_keep_their_order_ids_and_sessions(source: Source) -> None:
    assert source.users.to_list() == ["3", "3", "3", "007", "3"]
    assert source.items.to_list() == ["871", "872", "872", "871", "871"]
    assert source.repeats
    assert source.columns["session"].tolist() == [20220301160000] * 3 + [20220302000000, 20220301160000]
    assert source.columns["session"].dtype == np.int64


def test_seconds_past_59_carry_over_into_the_next_minute(source: Source) -> None:
    assert source.times.tolist()[3] == seconds(2022, 3, 1, 0, 0, 39)  # 23:59:99 on the last of February
    assert source.times.tolist()[0] == seconds(2022, 3, 1, 16, 59, 46)
    assert source.notes["seconds_carried_over"] == 1


def test_doubled_rows_are_counted_and_kept(source: Source) -> None:
    assert source.notes["doubled_rows"] == 1
    assert len(source.users) == 5


def test_ends_join_the_latest_start_before_them(source: Source) -> None:
    watched, total = source.columns["watch_seconds"], source.columns["total_seconds"]
    assert watched.dtype == total.dtype == np.float32
    np.testing.assert_array_equal(watched, np.array([14, np.nan, 119, np.nan, np.nan], np.float32))
    np.testing.assert_array_equal(total, np.array([117, np.nan, 300, np.nan, 117], np.float32))
    assert source.notes["ends"] == 6
    assert source.notes["ends_without_start"] == 2  # another profile, and one before every start
    assert source.notes["views_without_end"] == 2


def test_an_end_without_seconds_gives_way_to_one_with_them(tmp_path: Path) -> None:
    more = ENDS + "3,20220301160000,20220301182000,MKID049,871,50,117,1\n"
    assert uplus.read(written(tmp_path, watch_e_data=more), Reading()).columns["watch_seconds"][4] == 50


def test_profiles(source: Source) -> None:
    assert side(source.user_side, "gender") == [("3", "F")]
    assert side(source.user_side, "age") == [("3", 5.0)]
    assert side(source.user_side, "parent_keyword") == [("3", "P02"), ("3", "P04")]
    assert side(source.user_side, "child_keyword") == [("3", "K01"), ("007", "K09"), ("007", "K03")]


def test_albums_of_several_rows(source: Source) -> None:
    assert side(source.item_side, "title") == [("871", "뽀로로 1화, 안녕"), ("872", "영어 노래")]
    assert side(source.item_side, "genre") == [
        ("871", "TV만화"), ("871", "모험"), ("871", "우정"), ("872", "영어"), ("872", "모험")]  # fmt: skip
    assert side(source.item_side, "cast") == [("871", "이선"), ("871", "이미자")]
    assert side(source.item_side, "year") == [("871", 2019.0)]
    assert side(source.item_side, "run_time") == [("871", 508.0)]


def test_keywords_keep_their_largest_weight(source: Source) -> None:
    keyword = next(table for table in source.item_side if table.name == "keyword")
    assert side((keyword,), "keyword") == [("871", "우정"), ("872", "모험")]
    assert keyword.weights is not None
    assert keyword.weights.tolist() == [0.75, 1]
    assert side(source.item_side, "keyword_type") == [("871", "K01"), ("871", "P02"), ("872", "K01")]


def test_the_history_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "history_data.csv").write_text(HISTORY)
    source = uplus.read(tmp_path / "history_data.csv", Reading())
    assert np.isnan(source.columns["watch_seconds"]).all()
    assert source.item_side == source.user_side == ()
    assert set(source.notes["missing_files"]) == set(uplus.OTHERS)


@pytest.mark.parametrize(
    "stamp", ["20221301000000", "20220230000000", "20220301240000", "20220301006000", "2022030100000", "x0220301000000"]
)
def test_times_that_are_none_are_refused_with_their_place(tmp_path: Path, stamp: str) -> None:
    folder = written(tmp_path, history_data=HISTORY.replace("20220228235999", stamp))
    with pytest.raises(DataError, match=rf"history_data.csv:5:20: bad-time: log_time is '{stamp}'.*YYYYMMDDHHMMSS"):
        uplus.read(folder, Reading())


def test_a_bad_row_can_be_left_out(tmp_path: Path) -> None:
    folder = written(tmp_path, history_data=HISTORY.replace("20220228235999", "never"))
    source = uplus.read(folder, Reading(bad_rows="skip", max_bad_share=0.5))
    assert source.users.to_list() == ["3", "3", "3", "3"]


def test_a_header_alone_is_no_history(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no-interactions"):
        layouts.read(written(tmp_path, history_data=HISTORY.splitlines()[0] + "\n"), None, Reading())


def test_the_real_profiles(tmp_path: Path) -> None:
    """The competition's own profiles, purchases and searches with a history of two rows."""
    real = data_folder("uplus-partial")
    for name in ("profile_data.csv", "buy_data.csv", "search_data.csv"):
        (tmp_path / name).write_bytes((real / name).read_bytes())
    (tmp_path / "history_data.csv").write_text("".join(HISTORY.splitlines(keepends=True)[:3]))
    source = uplus.read(tmp_path, Reading())
    assert len(side(source.user_side, "gender")) == 8311
    assert {age for _, age in side(source.user_side, "age")} <= set(range(1, 14))
    assert {code for _, code in side(source.user_side, "parent_keyword")} == {f"P{at:02d}" for at in range(1, 9)}
    assert (source.notes["purchases"], source.notes["searches"]) == (150, 6474)
