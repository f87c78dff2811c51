"""Checkpoints under faults of the disk and of people; a test's name holds the id of its row of the catalogue."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee import durable
from matinee.errors import DamagedWarning, ModelError, ResourceError
from matinee.nn import checkpoint
from matinee.nn.checkpoint import ARRAYS, MANIFEST, Checkpoints
from matinee.scoring import tensors
from tests.reliability.tiny_training import Tiny, bits, counting, fit

FIXTURE = Path(__file__).parent / "checkpoint-format-1"
SHORT = Tiny(epochs=3)


@cache
def want() -> tuple[bytes, int | None]:
    """Of a training that was never stopped."""
    return bits(fit(None, SHORT))


class Halt(Exception):
    """Stops a training where a test wants it."""


def stopped(folder: Path, epoch: int, step: int = 0) -> Path:
    """Checkpoints of a short training that was stopped in this step."""

    def hook(at: int, number: int, loss: Any) -> None:
        if (at, number) == (epoch, step):
            raise Halt

    with pytest.raises(Halt):
        fit(folder, replace(SHORT, hook=(hook,)))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def signed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest, or the arrays before, and sign it again: a forgery that no hash gives away."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest.pop("sha256")
    change(manifest)
    manifest["arrays"] = checkpoint.hashlib.sha256((folder / ARRAYS).read_bytes()).hexdigest()
    durable.write_json(folder / MANIFEST, {**manifest, "sha256": checkpoint._digest(manifest)})


def refused(folder: Path, recipe: Tiny = SHORT, **run: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        fit(folder, recipe, **run)
    assert caught.value.exit_code == 4
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """What a program saw that kills trainings and goes on with them; in memory, where there is some, for speed."""
    shm = Path("/dev/shm")
    place = (shm if os.access(shm, os.W_OK) else tmp_path_factory.mktemp("killed")) / f"matinee-{os.getpid()}"
    done = subprocess.run([sys.executable, "-m", "tests.reliability.tiny_training", str(place)], timeout=600,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.slow
def test_K1_killed_at_each_call_a_save_is_the_old_or_the_new(killed: dict[str, list[int]]) -> None:
    assert set(killed["each"]) == {0}
    assert len(killed["each"]) > 100


@pytest.mark.slow
def test_T3_killed_at_random_instants_again_and_again_it_ends_with_the_same_bits(killed: dict[str, list[int]]) -> None:
    assert killed["random"][-1] == 0


FAULTS = {errno.ENOSPC: 1, errno.EIO: 2, errno.EDQUOT: 3, errno.EROFS: 4, errno.EACCES: 5}
"""Each at every fifth call, from this one on: every call meets one of them."""


@pytest.mark.parametrize("number", FAULTS, ids=errno.errorcode.get)
def test_K2_a_call_that_fails_is_a_failed_save_and_the_old_stays(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in itertools.count(FAULTS[number], len(FAULTS)):
        folder = tmp_path / str(n)

        def act(now: int, n: int = n) -> None:
            if now >= n:
                raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            for owner, name, stand_in in counting(act):
                patch.setattr(owner, name, stand_in)
            failed = failure(folder)
        if failed is None:
            break
        assert (failed.exit_code, failed.code) == (5, "cannot-write")
        assert bits(quietly(folder)) == want()
        assert [name for name in names(folder) if name.startswith(".")] == []
    assert n > 100


def failure(folder: Path) -> ResourceError | None:
    try:
        fit(folder, SHORT)
    except ResourceError as error:
        return error
    return None


def quietly(folder: Path) -> Any:
    """Go on; a warning of damage is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit(folder, SHORT)


def test_K3_a_file_whose_fsync_failed_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(tmp_path, 1)
    before, calls, fsync = names(tmp_path), list[int](), os.fsync

    def once(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 1:
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", once)
    with pytest.raises(ResourceError, match="the disk failed"):
        fit(tmp_path, SHORT)
    assert len(calls) == 1  # not asked again: a second one may lie
    assert names(tmp_path) == before
    assert bits(fit(tmp_path, SHORT)) == want()


def truncations(size: int) -> Iterator[int]:
    yield from {0, 1, 7, 8, 9, size // 2, size - 2}


@pytest.mark.parametrize("file", [MANIFEST, ARRAYS])
@pytest.mark.parametrize("kind", ["cut", "zeros", "bit"])
def test_K4_a_damaged_newest_is_named_and_the_one_before_used(tmp_path: Path, file: str, kind: str) -> None:
    whole = stopped(tmp_path / "whole", 2, 1)
    newest = names(whole)[1]
    assert newest == "00002-000000000"
    content = (whole / newest / file).read_bytes()
    places = truncations(len(content)) if kind == "cut" else range(0, 8 * len(content), 8 * len(content) // 9)
    for place in places if kind != "zeros" else [0]:
        damaged = bytearray(content)
        if kind == "bit":
            damaged[place // 8] ^= 1 << place % 8
        folder = Path(shutil.copytree(whole, tmp_path / "copy", dirs_exist_ok=True))
        (folder / newest / file).write_bytes({"cut": content[:place], "zeros": bytes(len(content))}.get(kind, damaged))
        with pytest.warns(DamagedWarning, match=f"{newest} is damaged and was passed over for 00001-000000000"):
            assert bits(fit(folder, SHORT)) == want()
        assert bits(quietly(folder)) == want()  # what was damaged has been written anew
        shutil.rmtree(folder)


def test_K5_where_all_are_damaged_each_is_listed_and_nothing_begins_anew(tmp_path: Path) -> None:
    stopped(tmp_path, 2)
    (tmp_path / "00001-000000000" / MANIFEST).write_bytes(b"")
    (tmp_path / "00002-000000000" / ARRAYS).unlink()
    before = names(tmp_path)
    error = refused(tmp_path)
    assert "00001-000000000: manifest.json holds no acceptable JSON" in error.what
    assert "00002-000000000: cannot open" in error.what
    assert "remove the folder to train from the start" in error.way
    assert names(tmp_path) == before


def test_K5b_the_best_network_may_be_damaged_too(tmp_path: Path) -> None:
    """Both newest rest on it; the checkpoint before it is kept for that."""
    long = Tiny(epochs=8)

    def hook(at: int, number: int, loss: Any) -> None:
        if at == 6:
            raise Halt

    with pytest.raises(Halt):
        fit(tmp_path, replace(long, hook=(hook,)))
    assert names(tmp_path) == ["00003-000000000", "00005-000000000", "00006-000000000", "best-00003", "best-00004"]
    (tmp_path / "best-00004" / ARRAYS).write_bytes(b"")
    with pytest.warns(DamagedWarning):
        assert bits(fit(tmp_path, long)) == bits(fit(None, long))


def test_K6_what_is_not_ours_is_left_alone_and_what_we_left_is_swept(tmp_path: Path) -> None:
    stopped(tmp_path / "a", 2)
    stopped(tmp_path / "elsewhere", 1)
    for name in ("99999-000000000", "99998-000000000", "best-99999", "00000-000000000", "notes"):
        (tmp_path / "a" / name).mkdir()
        (tmp_path / "a" / name / "mine").write_text("mine")
    (tmp_path / "a" / "99997-000000000").symlink_to(tmp_path / "elsewhere" / "00001-000000000")
    (tmp_path / "a" / "99996-000000000").write_text("a file")
    foreign = {path: path.read_text() for path in (tmp_path / "a").rglob("mine")}
    (tmp_path / "a" / f"{durable.TEMPORARY}0123").mkdir()
    (tmp_path / "a" / f"{durable.TEMPORARY}4567").write_text("half")
    assert bits(quietly(tmp_path / "a")) == want()
    assert {path: path.read_text() for path in foreign} == foreign
    assert (tmp_path / "a" / "99997-000000000").is_symlink()
    assert [name for name in names(tmp_path / "a") if name.startswith(".")] == []
    assert (tmp_path / "elsewhere" / "00001-000000000" / MANIFEST).exists()


def test_K7_a_save_goes_to_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is written all that stood before stands, byte for byte."""
    stopped(tmp_path, 1)
    seen = []
    write = tensors.write

    def watched(path: Path, arrays: Any) -> str:
        assert path.parent.name.startswith(durable.TEMPORARY)
        state = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and durable.TEMPORARY not in str(p)}
        digest = write(path, arrays)
        seen.append(all(p.read_bytes() == content for p, content in state.items()))
        return digest

    monkeypatch.setattr(tensors, "write", watched)
    fit(tmp_path, SHORT)
    assert len(seen) >= 3
    assert all(seen)


def test_K8_an_older_one_goes_after_the_newer_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = []
    discard = durable.discard

    def watched(folder: Path) -> None:
        assert any(name > folder.name for name in names(tmp_path))
        gone.append(folder.name)
        discard(folder)
        raise Halt

    monkeypatch.setattr(durable, "discard", watched)
    while True:
        try:
            got = fit(tmp_path, Tiny(epochs=6))
            break
        except Halt:
            continue
    assert bits(got) == bits(fit(None, Tiny(epochs=6)))
    assert len(gone) > 3


def test_K9_the_newest_is_found_by_looking_and_no_link_is_followed(tmp_path: Path) -> None:
    folder = stopped(tmp_path / "a", 2)
    (folder / "latest").symlink_to("nowhere")
    assert bits(quietly(Path(shutil.copytree(folder, tmp_path / "b", symlinks=True)))) == want()
    for name, inner in (("best-00002", ""), ("00002-000000000", MANIFEST), ("00002-000000000", ARRAYS)):
        copy = Path(shutil.copytree(folder, tmp_path / f"c{name}{inner}", symlinks=True))
        outside = tmp_path / f"outside{name}{inner}"
        (copy / name / inner).rename(outside)
        (copy / name / inner).symlink_to(outside)
        with pytest.warns(DamagedWarning, match="link|cannot open"):
            assert bits(fit(copy, SHORT)) == want()


PLACE = ["epoch", "step", "loss", "best_value", "best_epoch", "since_best", "finished"]


@pytest.mark.parametrize("missing", [*PLACE, "optimiser.first.0.exp_avg", "network.0.weight", "best"])
def test_K10_whatever_is_missing_is_refused_and_has_no_default(tmp_path: Path, missing: str) -> None:
    folder = stopped(tmp_path, 2)
    for name in ("00001-000000000", "00002-000000000"):
        with open(folder / name / ARRAYS, "rb") as file:
            arrays = {key: array.copy() for key, array in tensors.read(file, ARRAYS)[0].items()}
        arrays.pop(missing, None)
        tensors.write(folder / name / ARRAYS, arrays)
        signed(folder / name, lambda about: (about["place"].pop(missing, None), about.pop(missing, None)))
    error = refused(folder)
    assert missing in str(error) or "best None" in str(error)


def test_K11_a_newer_format_is_refused_by_name_and_each_older_one_loads(tmp_path: Path) -> None:
    folder = stopped(tmp_path / "new", 1)
    signed(folder / "00001-000000000", lambda about: about.update(format=2))
    error = refused(folder)
    assert "format 2" in error.what
    assert "knows 1" in error.what
    kept = Path(shutil.copytree(FIXTURE, tmp_path / "old"))
    key = json.loads((kept / "00002-000000001" / MANIFEST).read_text())["key"]
    state = Checkpoints(kept, key).newest()
    assert state is not None
    assert state.place == checkpoint.Place(2, 1, 2.5, -19.25, 2, 0, False)
    assert state.tensors["network.weight"].tolist() == [[1.0, -2.0], [0.5, 3.0]]
    assert state.best is not None
    assert state.best["weight"].tolist() == [[1.0, -1.0], [0.5, 2.0]]


def test_K12_what_stands_in_a_file_is_the_same_on_every_machine(tmp_path: Path) -> None:
    """Little-endian float32, whoever reads it; a copy under another name and path goes on to the same bits."""
    folder = stopped(tmp_path / "here", 2)
    with open(folder / "00002-000000000" / ARRAYS, "rb") as file:
        arrays, _ = tensors.read(file, ARRAYS)
    content = (folder / "00002-000000000" / ARRAYS).read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    for name in ("network.0.weight", "optimiser.second.1.exp_avg_sq"):
        begin, end = (8 + length + at for at in header[name]["data_offsets"])
        numbers = struct.unpack(f"<{(end - begin) // 4}f", content[begin:end])
        np.testing.assert_array_equal(numbers, arrays[name].ravel())
    assert bits(quietly(Path(shutil.copytree(folder, tmp_path / "there")))) == want()
