"""Metric names: what is understood, and what an unknown one is told."""

from __future__ import annotations

import pytest

from matinee.errors import ConfigError
from matinee.evaluation.names import KNOWN, Metric, parse


@pytest.mark.parametrize(("text", "metric"), [
    ("recall@10", Metric("recall", 10)),
    ("ndcg@100:rectools", Metric("ndcg", 100, "rectools")),
    ("uplus_score", Metric("uplus_score", 25)),
    ("gini@1", Metric("gini", 1)),
])
def test_names_are_read_and_written_back(text: str, metric: Metric) -> None:
    assert parse(text) == metric
    assert str(metric) == text


@pytest.mark.parametrize(("text", "near"), [
    ("recal@10", "recall@10"),
    ("nDCG@5", "ndcg@5"),
    ("recall@10:rectool", "recall@10:rectools"),
    ("uplus_score@10", "uplus_score"),
    ("hitrate@3", "hit_rate@3"),
    ("ndcg@@10", "ndcg@10"),
])
def test_an_unknown_name_is_refused_with_the_nearest_known(text: str, near: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown-metric: no metric is called '{text}'; did you mean .*{near}"):
        parse(text)


def test_a_name_like_none_gets_the_whole_list() -> None:
    with pytest.raises(ConfigError, match=r"no metric is called '정확도'; known: recall@K, .*gini@K, "):
        parse("정확도")


@pytest.mark.parametrize("text", ["recall", "recall@0", "recall@010", "ndcg:rectools"])
def test_a_name_without_a_sound_length_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(text)
    name = text.split("@")[0].split(":")[0]
    assert str(error.value) == f"bad-metric: '{text}' has no list length of 1 or more; write it as {name}@10"


def test_every_known_name_has_a_meaning_and_can_be_read() -> None:
    for name, meaning in KNOWN.items():
        assert meaning
        assert str(parse(name.replace("@K", "@7"))) == name.replace("@K", "@7")
