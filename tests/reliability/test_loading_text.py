"""Text that is not what it should be: encodings, line ends, quotes, widths, headers (rows D2 to D12)."""

from __future__ import annotations

import tracemalloc

import pytest

from matinee.data import blocks, fields, records
from matinee.data.records import RECORD_LIMIT
from tests.reliability.files import HEADER, ROWS, at, loaded, pairs, refused


def test_D2_a_file_without_interactions_makes_no_model(tmp_path):
    refused(tmp_path, b"", "empty-file")
    refused(tmp_path, b"\n\n  \n\n", "empty-file")
    error = refused(tmp_path, HEADER, "no-interactions")
    assert "no interactions" in str(error)


def test_D3_byte_order_marks_never_reach_a_column_name(tmp_path):
    plain = loaded(tmp_path, HEADER + ROWS)
    text = (HEADER + ROWS).decode()
    for content in (b"\xef\xbb\xbf" + HEADER + ROWS, text.encode("utf-16"), b"\xfe\xff" + text.encode("utf-16-be")):
        assert loaded(tmp_path, content).hash == plain.hash


def test_D4_invalid_utf8_names_line_column_and_offset(tmp_path, monkeypatch):
    content = HEADER + "a,영화,1\nb,caf".encode() + b"\xe9,2\n"
    error = refused(tmp_path, content, "bad-encoding")
    assert at(error) == (3, 6)
    assert f"offset {content.index(0xE9)}" in str(error)
    assert "0xe9" in str(error)
    assert "--encoding" in str(error)
    assert ("b", "café") in pairs(loaded(tmp_path, HEADER + b"b,caf\xe9,2\n", encoding="latin-1"))
    monkeypatch.setattr(blocks, "BLOCK", 8)  # the error lies in a later block, and one letter on a border
    korean = HEADER + "가,나,1\nb,".encode("cp949") + b"\xff\xff,2\n"
    wrong = refused(tmp_path, korean, "bad-encoding", encoding="cp949")
    assert "cp949" in str(wrong)
    assert f"offset {len(HEADER) + 10}" in str(wrong)
    assert at(wrong)[0] == 3


def test_D5_a_nul_byte_is_refused_where_it_stands(tmp_path):
    assert at(refused(tmp_path, HEADER + b"a,x,1\nb,y\0z,2\n", "nul")) == (3, 4)


@pytest.mark.parametrize("end", [b"\r\n", b"\r", b"mixed", b"no final"])
def test_D6_line_ends_do_not_change_the_data(tmp_path, end):
    content = HEADER + ROWS
    variants = {
        b"mixed": HEADER.replace(b"\n", b"\r\n") + ROWS.replace(b"\n", b"\r", 1),
        b"no final": content.removesuffix(b"\n"),
    }
    other = variants.get(end, content.replace(b"\n", end))
    assert loaded(tmp_path, other).hash == loaded(tmp_path, content).hash


def test_D7_quotes_enclose_delimiters_and_line_ends(tmp_path):
    content = HEADER + b'a,"x,\n""y""",1\n"b",z,2\nc,,3\n'
    error = refused(tmp_path, content, "empty-id")
    assert at(error) == (5, 3)
    assert pairs(loaded(tmp_path, content.replace(b"c,,3\n", b""))) == [("a", 'x,\n"y"'), ("b", "z")]
    crlf = content.replace(b"c,,3\n", b"").replace(b"\n", b"\r\n")
    assert pairs(loaded(tmp_path, crlf)) == [("a", 'x,\n"y"'), ("b", "z")]


def test_D8_an_unterminated_quote_is_named_where_it_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 1 << 17)
    for reader in (fields, records):
        monkeypatch.setattr(reader, "RECORD_LIMIT", 1 << 17)
    peaks = []
    for rows in (60_000, 600_000):
        content = HEADER + b'a,"x,1\n' + b"b,y,2\n" * rows
        tracemalloc.start()
        error = refused(tmp_path, content, "open-quote")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert at(error) == (2, 3)
        assert "131072 bytes" in str(error)
    assert peaks[1] < 1.05 * peaks[0]  # blocks and the limit, whatever the size of the file


def test_D9_a_record_over_the_limit_is_refused(tmp_path):
    error = refused(tmp_path, HEADER + b"a,x,1\nb," + b"y" * 20_000_000 + b",2\n", "too-long")
    assert at(error) == (3, RECORD_LIMIT + 1)
    assert at(refused(tmp_path, HEADER + b"a,x," + b"1" * 1_500_000 + b"\n", "too-long"))[0] == 2
    wide = refused(tmp_path, b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n", "too-long")
    assert at(wide)[0] == 1
    quoted = HEADER + b'a,"' + b"y\n" * (RECORD_LIMIT // 2 + 10) + b'",1\n'
    assert at(refused(tmp_path, quoted, "open-quote")) == (2, 3)


def test_D10_rows_with_too_few_or_too_many_fields_are_refused(tmp_path):
    few = refused(tmp_path, HEADER + b"a,x,1\nb,y\nc,z,3\n", "bad-width")
    assert "expected 3 fields, got 2" in str(few)
    assert at(few) == (3, 4)
    many = refused(tmp_path, HEADER + b"a,x,1\nb,y,2,9\n", "bad-width")
    assert "expected 3 fields, got 4" in str(many)
    assert at(many) == (3, 7)
    both = refused(tmp_path, HEADER + b"a,x,1,1\nb,y\n" * 30, "bad-width")  # as many separators as rows need
    assert "60 bad rows; also lines 3, " in str(both)


def test_D11_a_wrong_delimiter_or_header_names_the_columns_found(tmp_path, monkeypatch):
    colon = refused(tmp_path, b"user:item:time\na:x:1\n", "no-column")
    assert "found 'user:item:time'" in str(colon)
    none = refused(tmp_path, ROWS, "no-column")
    assert "found 'a', 'x', '1000000000'" in str(none)
    near = refused(tmp_path, b"usr,item\na,x\n", "no-column")
    assert "no column 'user'; found 'usr', 'item'; did you mean 'usr'?" in str(near)
    twice = refused(tmp_path, HEADER + ROWS + HEADER + ROWS, "repeated-header")
    assert at(twice)[0] == 5
    monkeypatch.setattr(blocks, "BLOCK", len(HEADER))  # so that a block begins with the header
    assert at(refused(tmp_path, HEADER + b"user1,item,1\n\n" + HEADER, "repeated-header"))[0] == 4
    assert "the header stands here again" in str(twice)


def test_D12_columns_that_are_doubled_absent_or_near_are_named_with_positions(tmp_path):
    doubled = refused(tmp_path, b"user,item,user\na,x,b\n", "double-column")
    assert "columns 1 and 3 are both called 'user'" in str(doubled)
    blank = refused(tmp_path, b",user,item\n0,a,x\n", "blank-column")
    assert "column 1 of 3 has no name" in str(blank)
    named = {"columns": {"user": "customer"}}
    absent = refused(tmp_path, b"x,item, Customer\na,x,b\n", "no-column", **named)
    assert "no column 'customer'" in str(absent)
    assert "column 3 is ' Customer'" in str(absent)
