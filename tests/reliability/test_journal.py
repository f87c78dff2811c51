"""What a training writes down as it goes, on a full disk and after a kill."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee import durable
from matinee.errors import ResourceError
from tests.reliability.tiny_training import bits, fit, whole


class Full:
    """A disk with room for this many more bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, write: Callable[[bytes], int], content: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(content[: self.room])
        self.room -= done
        return done


def test_T13_a_disk_that_fills_while_logging_tears_no_line_and_loses_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, folder = tmp_path / "journal.jsonl", tmp_path / "checkpoint"

    def journal(facts: Any) -> None:
        durable.append_line(log, dict(facts))

    fit(None, journal=journal)
    all_lines = log.read_text()
    for room in (0, 1, 70, 200):
        log.unlink()
        disk, opened = Full(room), open

        def nearly_full(*words: Any, opened: Any = opened, disk: Full = disk, **named: Any) -> Any:
            file = opened(*words, **named)
            if "+" in str(words[1:2]):
                wrapped = _Wrapped(file, disk)
                return wrapped
            return file

        monkeypatch.setattr(durable, "open", nearly_full, raising=False)
        with pytest.raises(ResourceError, match="the disk is full") as caught:
            fit(folder, journal=journal)
        assert caught.value.exit_code == 5
        monkeypatch.delattr(durable, "open")
        assert all_lines.startswith(log.read_text())
        assert log.read_text() == "" or log.read_text().endswith("\n")
        assert bits(fit(folder, journal=journal)) == whole()
        assert [json.loads(line) for line in log.read_text().splitlines()]
        for path in folder.iterdir():
            durable.discard(path) if path.is_dir() else path.unlink()


class _Wrapped:
    def __init__(self, file: Any, disk: Full) -> None:
        self.file, self.disk = file, disk

    def __enter__(self) -> _Wrapped:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, content: bytes) -> int:
        return self.disk.write(self.file.write, content)


def test_a_line_that_a_killed_writer_left_half_is_cut_off_by_the_next(tmp_path: Path) -> None:
    log = tmp_path / "journal.jsonl"
    durable.append_line(log, {"a": 1})
    with log.open("ab") as file:
        file.write(b'{"b": 2')
    assert durable.read_lines(log) == [{"a": 1}]
    durable.append_line(log, {"c": 3}, sync=True)
    assert durable.read_lines(log) == [{"a": 1}, {"c": 3}]
    log.write_bytes(b'{"a"')
    durable.append_line(log, {"d": 4})
    assert durable.read_lines(log) == [{"d": 4}]
