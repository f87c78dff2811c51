"""What goes into a stored model comes out the same, and what does not fit its manifest does not."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.contract import Queries, Scorer
from matinee.errors import ModelError
from matinee.scoring import store
from matinee.scoring.weighted import Weighted
from tests.scoring.stored_forms import D, Group, I, Pair, U, change, pair, refused, stored


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return stored(tmp_path, monkeypatch)


def test_a_model_comes_back_bit_for_bit(folder):
    scorer, about = store.load(folder, users_hash="u1", items_hash="i1")
    assert isinstance(scorer, Group)
    for seed, member in zip((1, 2), scorer.members, strict=True):
        for name in ("user_factors", "item_factors", "empty"):
            np.testing.assert_array_equal(getattr(member, name), getattr(pair(seed), name))
            assert getattr(member, name).dtype == getattr(pair(seed), name).dtype
            assert not getattr(member, name).flags.writeable
        assert member.settings == pair(seed).settings
    assert scorer.state["weights"].tolist() == [0, 1, 2, 3, 4]
    assert scorer.state["flags"].dtype == bool
    assert about == {"model": "als", "users_hash": "u1", "items_hash": "i1"}


def test_the_same_model_is_the_same_bytes_and_replaces_an_older_one(folder, tmp_path):
    again = tmp_path / "again"
    for _ in range(2):
        store.save(store.load(folder)[0], again, about=store.load(folder)[1])
        assert {path.name: path.read_bytes() for path in again.iterdir()} == {
            path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again", "model"]


def test_what_cannot_be_stored_is_refused_by_name(folder, tmp_path):
    class Strange(Scorer):
        n_items = 3

        def score(self, queries: Queries):
            raise AssertionError

    with pytest.raises(ModelError, match="unknown-form: a Strange cannot be stored; return one of"):
        store.save(Strange(), tmp_path / "m", about={})
    wide = Pair(np.zeros((U, D)), np.zeros((I, D), np.float32), np.empty(0, np.int64), {})
    with pytest.raises(ModelError, match="bad-model: user_factors is float64 where its form says float32"):
        store.save(wide, tmp_path / "m", about={})
    assert list(tmp_path.iterdir()) == [folder]


def test_a_model_that_did_not_converge_is_not_stored_and_honest_subnormals_are(folder, tmp_path):
    broken = pair()
    broken.item_factors[3, 0] = np.nan
    with pytest.raises(ModelError, match=r"not-finite: item_factors has 1 entries that are NaN or infinite, .* row 3"):
        store.save(broken, tmp_path / "m", about={})
    broken.item_factors[3, 0] = 1e-42
    store.save(broken, tmp_path / "m", about={})
    np.testing.assert_array_equal(store.load(tmp_path / "m")[0].item_factors, broken.item_factors)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda m: m.update(format=2), "other-format: written in format 2; this is format 1"),
        (lambda m: m.update(format="1"), "bad-manifest: its keys are"),
        (lambda m: m.pop("about"), "bad-manifest: its keys are"),
        (lambda m: m.update(more=1), "bad-manifest: its keys are"),
        (lambda m: m["about"].update(loss=float("nan")), "bad-json: .*NaN is no number"),
        (lambda m: m["tensors"].update({"state.weights": 3}), "array 'state.weights' looks like 3"),
        (lambda m: m["tensors"]["members.0.empty"].update(shape=[0, -4]), "array 'members.0.empty' is missing"),
        (lambda m: m["tensors"]["members.0.empty"].update(dtype="object"), "array 'members.0.empty' looks like"),
        (lambda m: m["tensors"].pop("state.weights"), "does not know array 'state.weights'"),
        (lambda m: m["scorer"]["fields"].pop("state"), r"scorer \(group\) has fields \['members'\]"),
        (lambda m: m["scorer"].pop("form"), "bad-manifest: scorer is no scorer"),
        (lambda m: m["scorer"]["fields"]["state"].update(arrays=["other"]), "array 'state.other' is missing"),
        (lambda m: m["scorer"]["fields"].update(members={"value": 3}), "members is int where its form says Scorer"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(folder, edit, said):
    change(folder, edit)
    refused(folder, said)


def test_a_changed_letter_in_a_manifest_is_noticed(folder):
    path = folder / store.MANIFEST
    path.write_text(path.read_text().replace("2.5", "2.6"))
    refused(folder, "damaged: manifest.json is not what was written")


def test_forms_that_do_not_fit_together_are_refused(folder, tmp_path):
    state = {"weights": np.ones(I, np.float32)}
    store.save(Weighted(pair(), "item_popularity", {}, state), tmp_path / "weighted", about={})
    assert store.load(tmp_path / "weighted")[0].inner.n_items == I
    change(tmp_path / "weighted", lambda m: m["scorer"]["fields"].update(confidence={"value": "no such"}))
    refused(tmp_path / "weighted", r"scorer \(weighted\) does not fit together: unknown-weights: no confidence")
    store.save(Group((pair(),), {}), tmp_path / "group", about={})
    change(tmp_path / "group", lambda m: m["scorer"]["fields"].update(members={"scorers": []}))
    refused(tmp_path / "group", "no form asks for array 'members.0.empty'")
    (tmp_path / "group" / store.ARRAYS).unlink()
    change(tmp_path / "group", lambda m: m.update(files={}, tensors={}))
    refused(tmp_path / "group", r"nobody can tell how many items \(tuple index out of range\) where the manifest")
