"""A second run finds what features have learnt again; a changed one is learnt anew, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from matinee.data.columns import known_hash
from matinee.experiment import feature_cache
from matinee.experiment.cache import Cache
from matinee.experiment.feature_cache import FeatureCache
from matinee.features.fitted import OF_THE_LOG, learn
from matinee.features.registry import names
from tests.features.people import data

FEATURES = ["era", "title", "top_genre", "user_percentile", "age"]


def test_what_was_learnt_is_found_again(tmp_path: Path) -> None:
    told: list[str] = []
    first = FeatureCache(Cache(tmp_path), told.append).beside(names(), data(), "fm")
    assert told == []
    second = FeatureCache(Cache(tmp_path), told.append).beside(names(), data(), "fm")
    assert told == [f"fm: features reused: {', '.join(names())}"]
    assert second.hash == first.hash
    for name in names():
        assert known_hash(second.features[name]) == known_hash(learn(name, data())), name
    assert OF_THE_LOG in second.features["top_genre"]


def test_a_changed_feature_is_learnt_anew_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FeatureCache(Cache(tmp_path)).beside(FEATURES, data(), "fm")
    hash_of = feature_cache.fingerprint.source_hash
    monkeypatch.setattr(feature_cache.fingerprint, "source_hash",
                        lambda path: "edited" if path.stem == "tastes" else hash_of(path))
    told: list[str] = []
    FeatureCache(Cache(tmp_path), told.append).beside(FEATURES, data(), "fm")
    assert told == ["fm: features reused: era, title, user_percentile, age"]


def test_other_events_are_learnt_from_anew(tmp_path: Path) -> None:
    FeatureCache(Cache(tmp_path)).beside(FEATURES, data(), "fm")
    told: list[str] = []
    rest = data().with_log(data().log.select(data().log.items != 3))
    FeatureCache(Cache(tmp_path), told.append).beside(FEATURES, rest, "fm")
    assert told == []


def test_a_damaged_one_is_learnt_anew(tmp_path: Path) -> None:
    cache = FeatureCache(Cache(tmp_path))
    whole = cache.beside(["era"], data(), "fm")
    (kept,) = (tmp_path / "features").iterdir()
    (kept / "feature.json").unlink()
    assert cache.beside(["era"], data(), "fm").hash == whole.hash
    assert cache.reused == []
