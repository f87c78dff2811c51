"""Paired comparison: verdicts, p values and their correction, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from matinee.errors import DataError
from matinee.evaluation.compare import _comparison, compare_all, holm, p_value, paired

A = np.random.default_rng(0).random(2000)


def noise(seed: int, size: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, 2000)


def test_a_clear_difference_is_told_in_both_directions() -> None:
    b = A - 0.02 + noise(1)
    found, other = paired(A, b, seed=0), paired(b, A, seed=0)
    assert (found.verdict, other.verdict) == ("better", "worse")
    assert found.difference == pytest.approx((A - b).mean())
    assert found.low < found.difference < found.high
    assert (other.low, other.high) == pytest.approx((-found.high, -found.low))
    half = 1.96 * (A - b).std() / np.sqrt(2000)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_a_small_difference_is_told_only_because_the_comparison_is_paired() -> None:
    b = A - 0.01
    assert paired(A, b + noise(1, 0.01), seed=0).verdict == "better"
    assert paired(A, np.random.default_rng(1).permutation(b), seed=0).verdict == "cannot tell"


def test_equal_models_cannot_be_told_apart() -> None:
    found = paired(A, A.copy(), seed=0)
    assert (found.difference, found.low, found.high, found.p, found.verdict) == (0, 0, 0, 1, "cannot tell")


@pytest.mark.parametrize(
    ("users", "verdict"), [(1, "cannot tell"), (2, "cannot tell"), (5, "cannot tell"), (6, "better")]
)
def test_a_handful_of_users_crowns_nobody(users: int, verdict: str) -> None:
    found = paired(np.ones(users), np.zeros(users), seed=0)
    assert found.verdict == verdict
    assert found.p == 2.0 ** (1 - users)


def test_three_users_who_agree_closely_crown_nobody_either() -> None:
    differences = np.array([0.5, 0.5001, 0.4999])
    assert ttest_rel(differences, [0, 0, 0]).pvalue < 1e-6
    assert p_value(differences) == 1 / 4


@pytest.mark.parametrize(("low", "high", "p", "verdict"), [
    (0.1, 0.3, 0.01, "better"), (-0.3, -0.1, 0.01, "worse"), (-0.1, 0.3, 0.01, "cannot tell"),
    (0.1, 0.3, 0.06, "cannot tell"), (-0.3, -0.1, 0.06, "cannot tell"), (0.0, 0.3, 0.01, "cannot tell"),
])
def test_a_verdict_needs_both_the_interval_and_p(low: float, high: float, p: float, verdict: str) -> None:
    assert _comparison(np.array([low, high]), low, high, p).verdict == verdict


def test_p_is_that_of_the_paired_t_test() -> None:
    for shift in (0, 0.003, 0.01):
        b = A + shift + noise(1)
        assert p_value(A - b) == pytest.approx(ttest_rel(A, b).pvalue)


def test_models_of_equal_quality_are_told_apart_no_more_often_than_agreed() -> None:
    hits = (np.random.default_rng(1).random((100, 2, 60)) < 0.4).astype(float)
    told = sum(paired(a, b, seed=0).verdict != "cannot tell" for a, b in hits)
    assert told <= 11  # 5 of 100, and chance


def test_holm_s_correction_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_all_pairs_are_compared_once_and_corrected_together() -> None:
    off = noise(1)
    b = A - 0.0055 + off - off.mean()  # t is about 2.5
    alone = paired(A, b, seed=0)
    assert alone.verdict == "better"
    others = {f"모델{i}": A + noise(i) for i in range(2, 8)}
    found = compare_all({"a": A, "b": b, **others}, seed=0)
    assert len(found) == 28
    assert list(found)[:2] == [("a", "b"), ("a", "모델2")]
    assert (found["a", "b"].low, found["a", "b"].high) == (alone.low, alone.high)  # the same draws
    assert found["a", "b"].p > alone.p
    assert found["a", "b"].verdict == "cannot tell"


def test_one_model_has_nothing_to_be_compared_with() -> None:
    assert compare_all({"a": A}, seed=0) == {}


def test_other_users_are_refused() -> None:
    with pytest.raises(DataError) as error:
        compare_all({"ease": A, "als": A[:5]}, seed=0)
    assert str(error.value) == ("not-comparable: models can be compared on the same users only; "
                                "users: ease 2000, als 5; evaluate them on the same split")
    with pytest.raises(DataError, match="not-comparable"):
        paired(A[:0], A[:0], seed=0)
