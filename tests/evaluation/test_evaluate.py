"""Rows of figures: what they hold, and that segments, intervals and refusals reach them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from matinee.data.columns import Categories, Features
from matinee.data.interactions import Interactions
from matinee.errors import ConfigError
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.beyond_accuracy import overall
from matinee.evaluation.evaluate import Row, check, evaluate
from matinee.evaluation.names import KNOWN
from matinee.evaluation.segments import masks, narrow, segment
from matinee.evaluation.uncertainty import intervals, mean
from matinee.ranking.lists import Lists
from tests.evaluation.tables import lists_of, truth_of

V, I = 300, 60
RNG = np.random.default_rng(0)
LISTS = lists_of({user: RNG.permutation(I)[:20].tolist() for user in range(0, V, 2)}, 20)
HIDDEN = [(user, sorted(RNG.choice(I, RNG.integers(1, 15), replace=False).tolist())) for user in range(10, V)]
TRUTH = truth_of([(-1, [2]), (-1, [-3, 4]), *HIDDEN],
                 RNG.choice(["gap", "tail"], 3 + sum(len(items) for _, items in HIDDEN)).tolist())
LOG = Interactions.from_events(RNG.integers(0, V, 9000), RNG.integers(0, I, 9000), RNG.integers(0, 10**7, 9000),
                               n_users=V, n_items=I)
GENRES = Features(I, {"genre": Categories.from_pairs(np.arange(I), [f"장르{i % 7}" for i in range(I)], I)})
EVERY = [name.replace("@K", "@10") for name in KNOWN if name != "uplus_score"]
SEGMENTS = ["hidden_part", "history_length", "active_span", "item_popularity", "short_history", "seen_before"]


def rows(lists: Lists = LISTS, **changes: Any) -> list[Row]:
    asked: dict[str, Any] = {"metrics": ["recall@10", "coverage@10", "ndcg@5"], "segments": [], "given": LOG,
                             "fit": LOG, "item_features": GENRES, "seed": 0, "resamples": 200}
    return evaluate(lists, TRUTH, **{**asked, **changes})


def test_rows_stand_in_the_order_asked_with_value_interval_and_denominator() -> None:
    found = rows()
    assert [(row.segment, row.metric, row.users) for row in found] == [
        (None, "recall@10", 292), (None, "coverage@10", 292), (None, "ndcg@5", 292)]
    recall, coverage, _ = found
    values = per_user(LISTS, TRUTH, ["recall@10"])["recall@10"]
    assert recall.value == mean(values)
    expected = intervals([(np.arange(292), values[:, None])], 292, 0, 200)[0]
    assert expected is not None
    assert [[recall.low, recall.high]] == expected.tolist()
    assert (coverage.low, coverage.high) == (None, None)
    assert 0 < coverage.value <= 1


def test_every_metric_and_every_segment_in_one_call() -> None:
    found = rows(metrics=EVERY, segments=SEGMENTS)
    labels = list(dict.fromkeys(row.segment for row in found))
    assert labels[:4] == [None, "hidden_part=tail", "hidden_part=gap", "history_length=up to 50"]
    assert len(found) == len(labels) * len(EVERY)
    for row in found:
        assert np.isfinite(row.value)
        assert row.low is None or row.low <= row.value <= row.high
    assert json.loads(json.dumps([asdict(row) for row in found], allow_nan=False)) == [asdict(row) for row in found]


def test_a_segment_s_row_is_the_metric_of_its_truth() -> None:
    users = np.repeat(np.arange(V), np.arange(V))  # the n-th user has n events
    given = Interactions.from_events(users, np.zeros(len(users)), n_users=V, n_items=I)
    found = {(row.segment, row.metric): row
             for row in rows(metrics=["recall@10", "coverage@1"], segments=["history_length"], given=given)}
    parts = segment("history_length", TRUTH, given, np.zeros(I, np.int64))
    assert len(parts) == 3
    for label, truth in parts.items():
        recall, coverage = (found[f"history_length={label}", name] for name in ("recall@10", "coverage@1"))
        values = per_user(LISTS, truth, ["recall@10"])["recall@10"]
        assert recall.value == mean(values)
        assert recall.users == coverage.users == len(truth)
        assert coverage.value == overall(LISTS, truth.users, ["coverage@1"], I)["coverage@1"]
        _, rows_kept = narrow(TRUTH, masks("history_length", TRUTH, given, np.zeros(I, np.int64))[label])
        ends = intervals([(rows_kept, values[:, None])], len(TRUTH), 0, 200)[0]
        assert ends is not None
        assert [[recall.low, recall.high]] == ends.tolist()


def test_hits_of_the_parts_add_up_to_the_hits_of_all() -> None:
    found = {row.segment: row.value * row.users for row in rows(metrics=["precision@10"], segments=["hidden_part"])}
    assert found["hidden_part=tail"] + found["hidden_part=gap"] == pytest.approx(found[None])


def test_a_segment_of_one_user_has_a_value_and_no_interval() -> None:
    long = Interactions.from_events(np.concatenate([LOG.users, [20] * 300]), np.concatenate([LOG.items, [0] * 300]),
                                    n_users=V, n_items=I)
    row = rows(metrics=["recall@10"], segments=["history_length"], given=long)[-1]
    assert (row.segment, row.users, row.low, row.high) == ("history_length=over 200", 1, None, None)


def test_figures_do_not_depend_on_which_other_figures_are_asked_for() -> None:
    together = rows(metrics=EVERY, segments=SEGMENTS)
    assert rows(metrics=["map@10"])[0] in together
    assert rows(metrics=["novelty@10"], segments=["active_span"])[-1] in together


def test_a_random_ranker_is_at_chance_and_a_shuffled_truth_brings_the_best_one_there() -> None:
    best = lists_of({user: (items + [i for i in range(I) if i not in items])[:10] for user, items in HIDDEN}, 10)
    shuffled = truth_of([(user, sorted(RNG.choice(I, len(items), replace=False).tolist())) for user, items in HIDDEN])
    asked: dict[str, Any] = {"metrics": ["recall_all@10"], "segments": [], "given": LOG, "fit": LOG,
                             "item_features": GENRES, "seed": 0}
    row, = evaluate(best, shuffled, **asked)
    assert row.low < 10 / I < row.high
    assert row.high < 0.25


def test_what_cannot_be_computed_is_refused_before_anything_is() -> None:
    bare = Features(I)
    for metrics, segments, features, text in [
        (["recall@30"], [], GENRES, "lists-too-short: recall@30 needs 30 places where lists are 20 deep"),
        (["recal@3"], [], GENRES, "unknown-metric"),
        (["recall@3", "recall@3"], [], GENRES, "given-twice: 'recall@3' is asked for twice; name it once"),
        (["recall@3"], ["active_spam"], GENRES, "unknown-segment.*did you mean active_span"),
        (["recall@3"], ["active_span", "active_span"], GENRES, "given-twice: 'active_span'"),
        (["recall@3", "diversity@3"], [], bare, "no-genres: diversity@3 compares genres"),
    ]:
        with pytest.raises(ConfigError, match=text):
            check(metrics, segments, 20, features)
        with pytest.raises(ConfigError, match=text):
            rows(metrics=metrics, segments=segments, item_features=features)
    check(["recall@20"], ["active_span"], 20, bare)
