"""Files that are not what they should be: missing, special, archives, changing, oddly named (rows D1, D27 to D29)."""

from __future__ import annotations

import gzip
import os
import zipfile

import pytest

from matinee.data import blocks
from matinee.data.load import load
from matinee.data.source import Reading
from matinee.errors import ConfigError, DataError
from tests.reliability.files import HEADER, ROWS, loaded, refused, refused_path, written


def test_D1_what_is_no_readable_file_is_named_with_its_path(tmp_path, monkeypatch):
    missing = refused_path(tmp_path / "none.csv", "no-file")
    assert "none.csv" in str(missing)
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "looked for" in str(refused_path(folder, "unknown-layout"))
    os.mkfifo(tmp_path / "pipe.csv")
    assert "a pipe" in str(refused_path(tmp_path / "pipe.csv", "not-a-file"))  # at once: it is never opened
    closed = written(tmp_path, HEADER + ROWS)

    def no_permission(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("builtins.open", no_permission)
    assert "no permission" in str(refused_path(closed, "unreadable"))


def test_D27_archives_that_are_cut_swollen_or_hostile_are_refused(tmp_path, monkeypatch):
    content = HEADER + ROWS
    packed = gzip.compress(content)
    whole = loaded(tmp_path, content)
    assert loaded(tmp_path, packed, "log.csv.gz").hash == whole.hash
    two_members = gzip.compress(content[:30]) + gzip.compress(content[30:]) + b"\0" * 64
    assert loaded(tmp_path, two_members, "log.csv.gz").hash == whole.hash
    cut = refused(tmp_path, packed[:-9], "truncated-gzip", "log.csv.gz")
    assert f"byte {len(packed) - 9}" in str(cut)
    refused(tmp_path, packed[:20] + b"\xff\xff\xff" + packed[23:], "damaged-gzip", "log.csv.gz")
    monkeypatch.setattr(blocks, "RATIO_FREE", 1 << 20)
    bomb = refused(tmp_path, gzip.compress(HEADER + b"a,x,1\n" * 2_000_000), "gzip-ratio", "log.csv.gz")
    assert "200 times" in str(bomb)
    with zipfile.ZipFile(tmp_path / "log.csv", "w") as archive:
        archive.writestr("../x.csv", content)
    assert "zip archive" in str(refused_path(tmp_path / "log.csv", "archive"))
    assert not (tmp_path.parent / "x.csv").exists()


@pytest.mark.parametrize("change", ["grows", "shrinks", "is replaced", "is overwritten"])
def test_D28_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, change):
    monkeypatch.setattr(blocks, "BLOCK", 64)
    path = written(tmp_path, HEADER + ROWS * 2_000)
    calls = []

    def meddle(_what: str, _done: int, _total: int) -> None:
        calls.append(1)
        if len(calls) != 2:
            return
        if change == "grows":
            with path.open("ab") as file:
                file.write(ROWS)
        elif change == "shrinks":
            os.truncate(path, 100)
        elif change == "is overwritten":
            with path.open("r+b") as file:
                file.seek(40_000)
                file.write(b"\0")  # what is being written may look irregular too
        else:
            os.replace(written(tmp_path, HEADER + ROWS * 50, "other.csv"), path)

    error = refused_path(path, "changed", progress=meddle)
    assert "changed while it was read" in str(error)


def test_D29_odd_file_names_are_escaped_in_messages(tmp_path):
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    assert "loop of symbolic links" in str(refused_path(loop, "unreadable"))
    odd = tmp_path / 'a"\n\x1b[31m.csv'
    odd.write_bytes(HEADER + b"a,,1\n")
    error = refused_path(odd, "empty-id")
    assert "\\n\\x1b[31m.csv:2:3: empty-id" in str(error)
    assert "\x1b" not in str(error)


def test_an_unknown_layout_or_encoding_is_a_mistake_in_the_configuration(tmp_path):
    path = written(tmp_path, HEADER + ROWS)
    with pytest.raises(ConfigError, match="no layout called 'movie'"):
        load(path, layout="movie")
    with pytest.raises(ConfigError, match="no encoding called 'utf-9'"):
        load(path, reading=Reading(encoding="utf-9"))


def test_a_side_file_that_is_a_broken_link_is_an_error(tmp_path):
    written(tmp_path, HEADER + ROWS, "train_ratings.csv")
    (tmp_path / "titles.tsv").symlink_to(tmp_path / "gone.tsv")
    with pytest.raises(DataError, match=r"titles\.tsv: no-file"):
        load(tmp_path)
