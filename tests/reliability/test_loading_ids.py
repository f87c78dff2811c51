"""Ids are text, byte for byte, from the file to the vocabulary (rows D13 to D18)."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.data.describe import describe
from matinee.data.load import load
from tests.reliability.files import HEADER, at, loaded, pairs, refused, written


def test_D13_ids_that_are_equal_as_numbers_stay_two(tmp_path):
    dataset = loaded(tmp_path, HEADER + b"007,0054890,1\n7,54890,2\n")
    assert dataset.users.series.to_list() == ["007", "7"]
    assert dataset.items.series.to_list() == ["0054890", "54890"]


def test_D14_large_whole_numbers_are_exact_beside_an_empty_cell(tmp_path):
    row = b"9007199254740993,9007199254740992,1\n"
    assert pairs(loaded(tmp_path, HEADER + row)) == [("9007199254740993", "9007199254740992")]
    error = refused(tmp_path, HEADER + row + b",5,2\n", "empty-id")
    assert at(error) == (3, 1)
    assert "user is ''" in str(error)


def test_D15_ids_that_look_like_something_else_are_kept(tmp_path):
    ids = ["NA", "null", "nan", "None", "True", "1e5", "-0", "1.0", "-inf", "NULL", "#N/A", "2015-01-01"]
    rows = "".join(f"{raw},{raw},1\n" for raw in ids).encode()
    assert sorted(pairs(loaded(tmp_path, HEADER + rows))) == sorted((raw, raw) for raw in ids)


def test_D16_any_unicode_id_is_its_exact_bytes(tmp_path):
    word = "기생충é"
    composed, apart = unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)
    ids = ["18446744073709551617", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "k" * 4096, "🎬", "פרק", "a\u200bb", "ab",
           composed, apart]  # fmt: skip
    rows = "".join(f"{raw},{raw},1\n" for raw in ids).encode()
    dataset = loaded(tmp_path, HEADER + rows)
    assert dataset.users.series.to_list() == sorted(ids, key=str.encode)
    assert sorted(pairs(dataset)) == sorted((raw, raw) for raw in ids)
    assert any("encoded" in warning for warning in describe(dataset)["warnings"])


def test_D17_blanks_around_ids_are_kept_counted_and_placed(tmp_path):
    dataset = loaded(tmp_path, HEADER + b"a,x,1\n a,x,2\na,y ,3\na,\xe3\x80\x80x,4\na,y ,5\n")
    assert dataset.users.series.to_list() == [" a", "a"]
    assert dataset.items.series.to_list() == ["x", "y ", "\u3000x"]
    assert dataset.facts.notes["blanks_around_ids"] == [
        {"file": "log.csv", "column": "user", "rows": 1, "first_line": 3},
        {"file": "log.csv", "column": "item", "rows": 3, "first_line": 4},
    ]
    wide = loaded(tmp_path, HEADER + "a,x\u3000,1\n".encode())  # no ASCII blank in the file
    assert wide.facts.notes["blanks_around_ids"][0]["rows"] == 1


def test_D18_an_empty_id_is_refused_where_it_stands(tmp_path):
    assert at(refused(tmp_path, HEADER + b"a,x,1\n,y,2\n", "empty-id")) == (3, 1)
    error = refused(tmp_path, HEADER + b"a,x,1\n" + b'bb,"",2\n' * 30, "empty-id")
    assert at(error) == (3, 4)
    listed = ", ".join(str(line) for line in range(4, 23))
    assert f"30 bad rows; also lines {listed}, ..." in str(error)


ANY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), min_size=1)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(ANY, ANY), min_size=1))
def test_any_text_survives_as_an_id(tmp_path_factory, rows):
    quoted = "".join(",".join('"' + raw.replace('"', '""') + '"' for raw in row) + ",1\n" for row in rows)
    path = written(tmp_path_factory.mktemp("any"), HEADER + quoted.encode())
    assert sorted(pairs(load(path))) == sorted(rows)
