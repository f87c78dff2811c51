"""The fast reader and the exact one: the same table, the same faults, places that are right, rows that are skipped."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from matinee.data import blocks
from matinee.data.fields import Irregular, frames
from matinee.data.load import load
from matinee.data.reading import read_text
from matinee.data.records import Format, records
from matinee.data.source import Findings, Reading
from matinee.errors import DataError, Place

NAMES = ["a", "b"]
PIECES = st.sampled_from(
    ["a", "é", "한", '"', '""', ",", "\n", "\r\n", "\r", " ", "\t", "x,y\n", '"q,\n",z\n', "\0", "\ufeff"]
)


def fast(path, form):
    """Rows by the fast reader, or None where it gives the file away."""
    try:
        return [row for part, _ in frames(path, form, NAMES, None) for row in part.rows()]
    except Irregular:
        return None


@settings(max_examples=50, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join), st.integers(1, 40), st.sampled_from([",", "::", "\t"]))
@example('a,"b"c\n', 40, ",")
@example('a,b"c,d"\n', 40, ",")
@example('a,b"\nc,"d"\n', 40, ",")
@example('"a""b,c"d,e"\n', 40, ",")
@example("a,b\n\ufeffa,b\n", 4, ",")
@example('""a"q,\n",z\n', 40, ",")
@example("a\nb,c,d\n", 40, ",")
@example("a::b::c\nd\n", 40, "::")
def test_the_fast_reader_agrees_with_the_exact_one_or_steps_aside(tmp_path_factory, text, block, separator):
    path = tmp_path_factory.mktemp("twins") / "t.csv"
    path.write_bytes(text.replace(",", separator).encode())
    form = Format(separator, quotes=separator != "::")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        by_fast = fast(path, form)
        exact = list(records(path, form, len(NAMES)))
    if by_fast is not None:
        assert not [record.code for record in exact if record.code]
        assert by_fast == [tuple(record.fields) for record in exact]


NUMBERS = st.sampled_from(["0", "7", "07", "00", "42", "-5", "-0", "+5", "", "1.0", "1e5", "x", "9" * 18,
                           "1" + "0" * 18, "9" * 19, "9" * 20, "\u0661", '"7"', "7_0"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8), st.integers(1, 40), st.sampled_from([",", "::", "\t"]))
@example([("7", "7"), ("07", "7")], 40, ",")
@example([("10", "1"), ("+1", "-0")], 40, ",")
@example([("1", "7"), ("-5", "7")], 40, "::")
def test_a_column_of_whole_numbers_keeps_the_text_of_every_field(tmp_path_factory, rows, block, separator):
    path = tmp_path_factory.mktemp("numbers") / "t.csv"
    path.write_text("".join(f"{a}{separator}{b}\n" for a, b in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        tables = [read_text(path, separator=separator, header=NAMES, encoding=None, reading=Reading(),
                            quotes=separator != "::", numbers=numbers) for numbers in (False, True)]
    for name in NAMES:
        text, again = (table.column(name).to_list() for table in tables)
        assert text == again


def test_plain_whole_numbers_are_parsed_as_such(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n10,7\n9,007\n")
    table = read_text(path, separator=",", header=None, encoding=None, reading=Reading(), numbers=True)
    assert table.ids("a").to_list() == ["10", "9"]  # one column with another text and the block is read as text
    path.write_text("a,b\n10,x\n9,007\n")
    table = read_text(path, separator=",", header=None, encoding=None, reading=Reading(), numbers=True)
    assert (table.ids("a").to_list(), table.ids("b").to_list()) == ([10, 9], ["x", "007"])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.text('ab",\n ', max_size=6)] * 2).filter(any), min_size=1), st.integers(1, 40))
def test_what_a_csv_writer_writes_is_read_back_by_both_readers(tmp_path_factory, rows, block):
    path = tmp_path_factory.mktemp("written") / "t.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", block)
        assert [tuple(record.fields) for record in records(path, Format(","), 2)] == rows
        assert fast(path, Format(",")) in (rows, None)


@pytest.mark.parametrize("block", [4, 5, 1000])
def test_the_fast_reader_takes_ordinary_files(tmp_path, monkeypatch, block):
    monkeypatch.setattr(blocks, "BLOCK", block)
    path = tmp_path / "t.csv"
    for text in ("a,b\n" * 9, 'a,"b, ""c""\nd"\n' * 9, "a,\n,b\n", "\n\na,b\n\n\nc,d\n\n", "a,b\r\nc,d", '"a","b"\r\n',
                 "a,b\rc,d\r", '"a\r\nb",c\r\n' * 9):  # fmt: skip
        path.write_text(text, newline="")
        assert fast(path, Format(",")) == [tuple(record.fields) for record in records(path, Format(","), 2)], text


def test_a_quote_inside_a_field_is_a_letter(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('item\ttitle\n1\t5" of love\n2\tPlain\n3\t"Quoted"\n')
    table = read_text(path, separator="\t", header=None, encoding=None, reading=Reading())
    assert table.column("title").to_list() == ['5" of love', "Plain", "Quoted"]


def test_text_after_a_closing_quote_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,"x" y\n')
    with pytest.raises(DataError, match=r"t\.csv:2:6: bad-quote: text after a closing quote"):
        read_text(path, separator=",", header=None, encoding=None, reading=Reading())


def test_a_long_separator_is_read_at_block_borders_and_beside_single_colons(tmp_path, monkeypatch):
    path = tmp_path / "t.dat"
    path.write_bytes("1::Alien: a::x\n2::제목::\x1f\n".encode() * 20)
    rows = [("1", "Alien: a", "x"), ("2", "제목", "\x1f")] * 20
    for block in (3, 7, 1000):
        monkeypatch.setattr(blocks, "BLOCK", block)
        table = read_text(path, separator="::", header=["i", "t", "g"], encoding=None, reading=Reading(), quotes=False)
        assert table.frame.rows() == rows


def test_places_count_physical_lines_and_characters(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id,한글\n"a\nb",1\r\n\n"é""",xy\n', newline="")
    table = read_text(path, separator=",", header=None, encoding=None, reading=Reading())
    assert table.place(0, "한글") == Place(str(path), 2, 7)
    assert table.place(1, "한글") == Place(str(path), 5, 7)
    assert table.places([0, 1], "id") == [Place(str(path), 2, 1), Place(str(path), 5, 1)]


def test_numbers_may_be_missing_where_that_is_said(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,n\na,1.5\nb,\n")
    table = read_text(path, separator=",", header=None, encoding=None, reading=Reading())
    assert np.array_equal(table.numbers("n", missing=True), [1.5, np.nan], equal_nan=True)
    with pytest.raises(DataError, match=r":3:3: bad-number: n is '': not a finite number"):
        table.numbers("n")


BAD = b"user,item,time,rating\na,x,1,4\n,y,2,4\nb,x\nc,z,soon,5\nd,\xff,3,3\ne,y,4,nan\nb,y,9,5,7\nf,z,5,2\n"


def test_bad_rows_are_skipped_written_out_and_counted(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(BAD)
    rejects = tmp_path / "rejects.csv"
    dataset = load(path, reading=Reading(bad_rows="skip", max_bad_share=0.8, rejects=str(rejects)))
    assert dataset.users.series.to_list() == ["a", "f"]
    assert dataset.log.columns["rating"].tolist() == [4, 2]
    assert dataset.facts.notes["rejected_rows"] == 6
    assert dataset.facts.notes["rejects_file"] == str(rejects)
    with rejects.open(newline="") as file:
        written = [(row["line"], row["column"], row["code"]) for row in csv.DictReader(file)]
    assert sorted(written) == [
        ("3", "1", "empty-id"),
        ("4", "4", "bad-width"),
        ("5", "5", "bad-time"),
        ("6", "3", "bad-encoding"),
        ("7", "7", "bad-number"),
        ("8", "9", "bad-width"),
    ]
    assert path.read_bytes() == BAD


def test_a_reading_used_twice_counts_anew(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(BAD)
    reading = Reading(bad_rows="skip", max_bad_share=0.8)
    assert [load(path, reading=reading).facts.notes["rejected_rows"] for _ in range(2)] == [6, 6]


def test_too_many_bad_rows_are_refused_in_spite_of_skipping(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(BAD)
    with pytest.raises(DataError, match=r"too-many-bad-rows: 3 of 8 rows are bad, over 20\.00%"):
        load(path, reading=Reading(bad_rows="skip", max_bad_share=0.2))
    with pytest.raises(DataError, match=r"too-many-bad-rows: 6 of 8 rows are bad, over 50\.00%"):
        load(path, reading=Reading(bad_rows="skip", max_bad_share=0.5))


def test_an_open_quote_costs_its_own_line_where_rows_are_skipped(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text('user,item,time\na,x,1\nb,"y,2\nc,z,3\n')
    reading = Reading(bad_rows="skip", max_bad_share=0.5, findings=Findings())
    table = read_text(path, separator=",", header=None, encoding=None, reading=reading)
    assert table.column("user").to_list() == ["a", "c"]
    (reject,) = reading.findings.rejects
    assert (reject.line, reject.code, reject.raw) == (3, "open-quote", 'b,"y,2')
    assert table.place(1, "item").line == 4


def test_an_over_long_line_is_skipped_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 1 << 18)
    path = tmp_path / "log.csv"
    path.write_bytes(b"user,item,time\na,x,1\nb," + b"y" * 3_000_000 + b",2\r\nc,z,3\n")
    reading = Reading(bad_rows="skip", max_bad_share=0.5)
    table = read_text(path, separator=",", header=None, encoding=None, reading=reading)
    assert table.column("user").to_list() == ["a", "c"]
    assert table.place(1, "user").line == 4


def test_progress_reaches_the_size_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 100)
    path = tmp_path / "log.csv"
    path.write_bytes(b"user,item,time\n" + b"a,x,1\n" * 500)
    seen = []
    reading = Reading(progress=lambda *step: seen.append(step))
    read_text(path, separator=",", header=None, encoding=None, reading=reading)
    assert len(seen) > 20
    assert seen[-1] == ("reading log.csv", path.stat().st_size, path.stat().st_size)
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
