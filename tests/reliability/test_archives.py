"""Archives of runs that somebody else made: what is not a packed run is refused, quickly and without a trace."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from matinee.cli.main import main
from matinee.errors import ModelError, UsageError
from matinee.experiment.archive import ALLOWED, unpack
from matinee.experiment.folder import RunFolder
from matinee.experiment.pack import pack, unpacked

SIXTEEN = "0123456789abcdef"


def made(path: Path, entries: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] = lambda info: None) -> Path:
    """A ZIP with these entries, listed in contents.json, each changed before it is written."""
    listed = {name: hashlib.sha256(content).hexdigest() for name, content in entries.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**entries, "contents.json": json.dumps({"files": listed}).encode()}.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | 0o600) << 16
            change(info)
            archive.writestr(info, content)
    return path


def link(info: zipfile.ZipInfo) -> None:
    if info.filename == "HOW.md":
        info.external_attr = (stat.S_IFLNK | 0o777) << 16


def setuid(info: zipfile.ZipInfo) -> None:
    if info.filename == "HOW.md":
        info.external_attr = (stat.S_IFREG | 0o4755) << 16


def bomb(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_DEFLATED


def claiming(count: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[-14:-10] = struct.pack("<2H", count, count)
        path.write_bytes(content)

    return change


def refused(path: Path, into: Path, said: str) -> None:
    started = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match=said) as caught:
            unpack(path, into / "unpacked")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.exit_code == 4
    assert time.perf_counter() - started < 5
    assert peak < 64e6
    assert sorted(into.rglob("*")) == [path]


def test_M12_bombs_paths_links_and_floods_are_refused(tmp_path: Path) -> None:
    cases: dict[str, tuple[dict[str, bytes], Callable[[zipfile.ZipInfo], None], str]] = {
        "bomb": ({"HOW.md": bytes(200 << 20)}, bomb, "compressed"),
        "link": ({"HOW.md": b"/etc/passwd"}, link, "HOW.md is no plain file"),
        "setuid": ({"HOW.md": b""}, setuid, "HOW.md is no plain file"),
        "twice": ({"HOW.md": b"a", "how.md": b"b"}, lambda info: None, "stands in it twice"),
        "flood": ({f"inputs/{number:016x}/a": b"" for number in range(10_001)}, lambda info: None, "10,002 entries"),
    }
    for number, name in enumerate(HOSTILE_NAMES):
        cases[f"name {number}"] = ({name: b""}, lambda info: None, "only what a packed run holds is allowed")
    for name, (entries, change, said) in cases.items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        refused(made(folder / "a.zip", entries, change), folder, said)


HOSTILE_NAMES = [
    "../manifest.json", "/etc/passwd", "C:/x", "file:///x", "outside/%2e%2e%2f/x.py", f"outside/{SIXTEEN}/../x.py",
    f"outside/{SIXTEEN}/..", f"outside/{SIXTEEN}/.hidden", f"outside/{SIXTEEN}/a/b.py", f"outside/{SIXTEEN}/con.py",
    f"outside/{SIXTEEN}/NUL", f"outside/{SIXTEEN}/x.", f"outside/{SIXTEEN}/{'a' * 300}", f"outside\\{SIXTEEN}\\x.py",
    f"inputs/{SIXTEEN}", "inputs/short/x.csv", f"inputs/{SIXTEEN}/x\n.csv", "models/valid/ease/manifest.json",
    "members/x/test/about.json", f"members/{SIXTEEN}/test/part-1.parquet", "dataset/../x", "dataset/other.json", "x.sh",
    "split/", "manifest.json/", "manifest.json ", "",
]


def test_names_of_a_packed_run_are_allowed_and_no_others() -> None:
    for name in ("manifest.json", "HOW.md", f"outside/{SIXTEEN}/추천_모델.py", f"inputs/{SIXTEEN}/users__1_.csv",
                 f"vectors/{SIXTEEN}.parquet", f"members/{SIXTEEN}/final/part-00012.parquet", "dataset/dataset.json"):
        assert ALLOWED.fullmatch(name), name
    for name in HOSTILE_NAMES:
        assert not ALLOWED.fullmatch(name), name


def test_a_name_that_ends_at_a_zero_byte_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "a.zip", {"HOW.mdxx.py": b""})
    path.write_bytes(path.read_bytes().replace(b"HOW.mdxx.py", b"HOW.md\0x.py"))
    refused(path, tmp_path, "only what a packed run holds is allowed")


@pytest.mark.parametrize(("change", "said"), [
    (claiming(60_000), "60,000 entries"),
    (claiming(65_535), "65,535 entries"),
    (claiming(1), "."),
    (lambda path: path.write_bytes(path.read_bytes()[:-9]), "its end"),
    (lambda path: path.write_bytes(b"PK"), "its end"),
    (lambda path: path.write_bytes(b""), "its end"),
    (lambda path: path.write_bytes(path.read_bytes().replace(b"the very text", b"another text!")), "Bad CRC|not what"),
])
def test_a_damaged_or_lying_archive_is_refused(
    change: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    path = made(tmp_path / "a.zip", {"HOW.md": b"the very text"})
    whole = path.read_bytes()
    change(path)
    assert path.read_bytes() != whole
    if said != ".":
        refused(path, tmp_path, said)


def test_what_contents_do_not_say_is_refused(tmp_path: Path) -> None:
    for number, (listed, said) in enumerate((
        ({"files": {}}, "HOW.md is listed nowhere"),
        ({"files": {"HOW.md": "0" * 64}}, "HOW.md is not what contents.json says"),
        ({"files": {"HOW.md": "0", "notes.jsonl": "0"}}, "notes.jsonl is missing"),
        ({"files": []}, "lists no files"),
        ([], "holds no object"),
    )):
        folder = tmp_path / str(number)
        folder.mkdir()
        with zipfile.ZipFile(folder / "a.zip", "w") as archive:
            archive.writestr("HOW.md", b"text")
            archive.writestr("contents.json", json.dumps(listed))
        refused(folder / "a.zip", folder, said)


def test_deep_json_is_refused(tmp_path: Path) -> None:
    refused(made(tmp_path / "a.zip", {"manifest.json": b'{"a":' * 200_000}), tmp_path, "nested too deep")


@pytest.mark.parametrize("changed", [
    {"threads": 10**9}, {"threads": "2"}, {"config": None}, {"data": {}},
    {"outside": {"./x.py": {"files": ["../x.py"]}}}, {"outside": {"./x.py": 3}},
    {"inputs": {"a": {"file": "/etc/passwd"}}},
])
def test_a_manifest_that_names_what_is_not_inside_is_refused(
    changed: dict[str, Any], small: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(small, tmp_path / "good.zip")
    with zipfile.ZipFile(tmp_path / "good.zip") as archive:
        entries = {name: archive.read(name) for name in archive.namelist() if name != "contents.json"}
    manifest = {**json.loads(entries["manifest.json"]), **changed}
    path = made(tmp_path / "bad.zip", {**entries, "manifest.json": json.dumps(manifest).encode()})
    assert main(["reproduce", str(path), "--runs", str(tmp_path / "runs")]) == 4
    assert "bad-archive" in capsys.readouterr().err


def test_a_model_smuggled_in_as_another_file_is_not_run(small: RunFolder, tmp_path: Path) -> None:
    pack(small, tmp_path / "good.zip")
    with zipfile.ZipFile(tmp_path / "good.zip") as archive:
        entries = {name: archive.read(name) for name in archive.namelist() if name != "contents.json"}
    manifest = json.loads(entries["manifest.json"])
    hidden = {"model": f"inputs/{SIXTEEN}/x.py"}
    manifest["config"]["models"].append({"id": "x", "model": "latent_neighbours", "of": hidden})
    smuggled = {**entries, "manifest.json": json.dumps(manifest).encode(), f"inputs/{SIXTEEN}/x.py": b"1 / 0"}
    with pytest.raises(UsageError, match="runs-code"):
        unpacked(made(tmp_path / "bad.zip", smuggled), tmp_path / "runs")
