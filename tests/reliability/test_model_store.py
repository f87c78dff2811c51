"""Stored models under attack and damage; a test's name holds the id of the one row of the fault catalogue it covers."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from matinee.data.ids import Vocabulary
from matinee.errors import DataError, ModelError, UsageError
from matinee.scoring import store, tensors
from matinee.scoring.vocabulary_store import load_vocabulary, save_vocabulary
from tests.scoring.stored_forms import Group, I, arrays_of, change, pair, refused, sign, stored


def with_header(header: bytes | Mapping[str, object], body: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return stored(tmp_path, monkeypatch)


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("target", [store.ARRAYS, store.MANIFEST])
@pytest.mark.parametrize("kind", ["pickle", "npy", "pt", "joblib"])
def test_M1_code_in_disguise_never_runs(folder, tmp_path, kind, target):
    fired, content = tmp_path / "fired", io.BytesIO()
    canary = pickle.dumps(Canary(fired))
    if kind == "npy":
        np.save(content, np.array([Canary(fired)], object), allow_pickle=True)
    elif kind == "pt":
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("archive/data.pkl", canary)
    else:
        content.write(canary if kind == "pickle" else b"\x80\x04" + canary)
    (folder / target).write_bytes(content.getvalue())
    if target == store.ARRAYS:
        sign(folder)
    refused(folder, "bad-tensors: the header claims" if target == store.ARRAYS else "bad-json")
    assert not fired.exists()


F4 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
HEADERS = {
    "2^63 bytes of header": struct.pack("<Q", 2**63) + b"{}",
    "100 MB of header": struct.pack("<Q", 100 << 20) + b" " * (100 << 20),
    "no header": b"",
    "half a length": b"\0\0\0",
    "longer than the file": struct.pack("<Q", 64) + b"{}",
    "deep JSON": with_header(b'{"a":' * 20_000 + b"1" + b"}" * 20_000),
    "duplicate key": with_header(b'{"a": %s, "a": %s}' % ((json.dumps(F4).encode(),) * 2), b"1234"),
    "not UTF-8": with_header(b'{"\xff": 1}'),
    "not JSON": with_header(b"{]"),
    "not an object": with_header(b"[1]     "),
    "a huge number": with_header(b'{"a": ' + b"9" * 5000 + b"}"),
    "NaN": with_header(b'{"a": NaN}'),
    "overlap": with_header({"a": F4, "b": {**F4, "data_offsets": [2, 6]}}, b"123456"),
    "hole": with_header({"a": F4, "b": {**F4, "data_offsets": [8, 12]}}, b"1" * 12),
    "rest": with_header({"a": F4}, b"1" * 12),
    "past the end": with_header({"a": {**F4, "shape": [2], "data_offsets": [0, 8]}}, b"1234"),
    "overflowing shape": with_header({"a": {**F4, "shape": [2**62, 8, 2**62]}}, b"1234"),
    "zero dimension": with_header({"a": {**F4, "shape": [0], "data_offsets": [0, 0]}}),
    "negative dimension": with_header({"a": {**F4, "shape": [-1, -1]}}, b"1234"),
    "dimension true": with_header({"a": {**F4, "shape": [True]}}, b"1234"),
    "negative offset": with_header({"a": {**F4, "data_offsets": [-4, 0]}}, b"1234"),
    "unknown type": with_header({"a": {**F4, "dtype": "OBJECT"}}, b"1234"),
    "more keys": with_header({"a": {**F4, "file": "/etc/passwd"}}, b"1234"),
    "no description": with_header({"a": 4}, b"1234"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_M2_hostile_headers_are_refused_at_once_and_in_little_memory(folder, name):
    (folder / store.ARRAYS).write_bytes(HEADERS[name])
    sign(folder)
    tracemalloc.start()
    begun = time.monotonic()
    error = refused(folder, "bad-tensors|bad-json")
    assert time.monotonic() - begun < 1
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()
    assert store.ARRAYS in str(error.place)


def test_M3_arrays_of_another_type_or_shape_than_the_manifest_or_the_form_says_are_refused(folder):
    before = arrays_of(folder)
    users, items = "members.0.user_factors", "members.0.item_factors"

    def put(**arrays):
        tensors.write(folder / store.ARRAYS, {**before, **arrays})
        sign(folder)

    put(**{users: before[items], items: before[users]})
    refused(folder, r"array 'members.0.item_factors' is float32 \[7, 3\] where the manifest says float32 \[5, 3\]")
    put(**{users: before[users].astype(np.float64)})
    refused(folder, "array 'members.0.user_factors' is float64")
    change(folder, lambda manifest: manifest["tensors"][users].update(dtype="float64"))
    refused(folder, "members.0.user_factors is float64 where its form says float32")
    change(folder, lambda manifest: manifest["tensors"][users].update(dtype="float32"))
    put(stranger=before[users])
    refused(folder, "the manifest does not know array 'stranger'")
    put()
    change(folder, lambda manifest: manifest.update(n_items=6))
    refused(folder, "5 items where the manifest says 6")
    change(folder, lambda manifest: manifest.update(n_items=5))
    refused(folder, "other-ids: the model was fitted on other users than these", users_hash="u2")
    refused(folder, "other-ids: the model was fitted on other items than these", items_hash="i2")
    store.load(folder, users_hash="u1", items_hash="i1")


@pytest.mark.parametrize(("value", "said"), [(np.nan, "1 NaN or infinite entries, the first in row 4"),
                                             (-np.inf, "1 NaN or infinite entries, the first in row 4"),
                                             (1e-42, "1 subnormal entries")])
def test_M4_numbers_that_are_none_or_too_small_are_refused_with_array_row_and_count(folder, value, said):
    arrays = arrays_of(folder)
    broken = arrays["members.1.item_factors"].copy()
    broken[4, 1] = value
    tensors.write(folder / store.ARRAYS, {**arrays, "members.1.item_factors": broken})
    sign(folder)
    refused(folder, f"not-finite: array 'members.1.item_factors' has {said}")


def test_M5_damaged_missing_and_extra_files_are_named(folder):
    path = folder / store.ARRAYS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    refused(folder, "damaged: arrays.safetensors is not what its manifest says")
    path.write_bytes(content[:-8])
    refused(folder, "bad-tensors: .*arrays|bad-tensors: .* claims bytes")
    path.rename(folder / "elsewhere")
    refused(folder, "other-files: 'arrays.safetensors' is missing")
    (folder / "elsewhere").rename(path)
    (folder / "README").touch()
    refused(folder, "other-files: 'README' does not belong here")
    (folder / store.MANIFEST).unlink()
    refused(folder, "no-manifest")
    refused(folder / "nowhere", "no-model: there is no model here")


@pytest.mark.parametrize("name", ["../arrays.safetensors", "/etc/passwd", "C:arrays", "file:///etc/passwd", "a\\b",
                                  "%2e%2e%2farrays", "%252e%252e%252f", "arrays\0.safetensors", "CON", "",
                                  "manifest.json"])
def test_M6_a_manifest_can_name_no_other_file(folder, name):
    change(folder, lambda manifest: manifest["files"].update({name: "0" * 64}))
    refused(folder, "bad-manifest: it names the file")


@pytest.mark.parametrize("target", [store.ARRAYS, store.MANIFEST])
@pytest.mark.parametrize("link", [os.symlink, os.link, "fifo"])
def test_M7_links_and_devices_in_a_model_folder_are_refused(folder, tmp_path, target, link):
    (folder / target).rename(tmp_path / "outside")
    if link == "fifo":
        os.mkfifo(folder / target)
    else:
        link(tmp_path / "outside", folder / target)
    refused(folder, "not-a-file|no-file")


@pytest.mark.parametrize("name", ["../../x", "", ".", "a" * 65, "a" * 300, "mоdel", "model.", "CON", "-a", ".a", "a b",
                                  "a/b", "a\n", "Ease", "ease\0", "영화"])
def test_M8_names_of_models_that_are_none_are_refused(name):
    with pytest.raises(UsageError, match=r"bad-name: .* is no name for a model; use up to 64 of a-z") as caught:
        store.checked_name(name)
    assert caught.value.exit_code == 2
    assert [store.checked_name(good) for good in ("ease", "0", "a.b-c_d", "a" * 64)]


def test_M9_vocabularies_that_repeat_or_do_not_fit_are_refused(tmp_path):
    path, ids = tmp_path / "items.safetensors", Vocabulary.of(["007", "7", "영화", "ⅰ", "é"])
    save_vocabulary(ids, path)
    assert load_vocabulary(path, hash=ids.hash, rows=5) == ids
    assert path.stat().st_mode & 0o777 == 0o600
    for settings, said in (({"rows": 4}, "5 ids for 4 rows"), ({"hash": "x"}, "other-ids")):
        with pytest.raises(ModelError, match=said):
            load_vocabulary(path, **settings)

    def write(content, offsets):
        tensors.write(path, {"bytes": np.frombuffer(content, np.uint8), "offsets": np.array(offsets)})

    for content, offsets in ((b"aa", [0, 1, 2]), (b"ba", [0, 1, 2]), (b"ab", [0, 0, 2]), (b"ab", [0, 2, 1, 2]),
                             (b"ab", [0, 1, 3]), (b"ab", [1, 2]), (b"\xff", [0, 1]), (b"ab", [[0, 1, 2]]),
                             (b"ab", [0.0, 2.0])):
        write(content, offsets)
        with pytest.raises(ModelError, match="bad-vocabulary") as caught:
            load_vocabulary(path)
        assert caught.value.exit_code == 4
    tensors.write(path, {"bytes": np.zeros(1, np.uint8)})
    with pytest.raises(ModelError, match=r"bad-vocabulary: it holds \['bytes'\]"):
        load_vocabulary(path)
    with pytest.raises(DataError, match="no-ids"):
        save_vocabulary(Vocabulary.of([]), path)


def test_M13_a_stored_model_is_private_and_one_that_everybody_may_write_is_told(folder):
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    folder.chmod(0o777)
    with pytest.warns(UserWarning, match="everybody may write here; chmod 0700"):
        store.load(folder)


def test_M14_a_missing_member_or_another_kind_is_named_with_its_chain(folder, tmp_path):
    outer = Group((store.load(folder)[0], pair(3)), {})
    store.save(outer, tmp_path / "outer", about={})
    manifest = (tmp_path / "outer" / store.MANIFEST).read_text()

    def broken(edit, said):
        (tmp_path / "outer" / store.MANIFEST).write_text(manifest)
        change(tmp_path / "outer", lambda m: edit(
            m["scorer"]["fields"]["members"]["scorers"][0]["fields"]["members"]["scorers"]))
        refused(tmp_path / "outer", said)

    broken(lambda members: members.pop(), "no form asks for array 'members.0.members.1")
    broken(lambda members: members[1].update(form="sasrec"), "members.0.members.1 is of the form 'sasrec'; known: ")
    broken(lambda members: members[1].update(form="group"), r"members.0.members.1 \(group\) has fields")
    broken(lambda members: members.__setitem__(1, None), "members.0.members.1 is no scorer")
    broken(lambda members: members[1]["fields"].update(empty={"array": "members.1.empty"}), "is neither an array")
    broken(lambda members: members[1]["fields"].update(empty={}), "members.0.members.1.empty is neither an array")


def test_M15_the_bytes_that_were_hashed_are_the_bytes_that_are_used(folder, tmp_path, monkeypatch):
    """The file is swapped for another, also after it was opened: either the old one is used whole, or it is refused."""
    other, opened = tmp_path / "other", tensors.read
    flags = np.array([[True, False]])
    store.save(Group((pair(8), pair(9)), {"weights": np.arange(I), "flags": flags}), other, about={})

    def swapped(file, name):
        os.replace(other / store.ARRAYS, folder / store.ARRAYS)
        return opened(file, name)

    monkeypatch.setattr(tensors, "read", swapped)
    scorer, _ = store.load(folder)
    np.testing.assert_array_equal(scorer.members[0].item_factors, pair(1).item_factors)
    monkeypatch.setattr(tensors, "read", opened)
    refused(folder, "damaged")
