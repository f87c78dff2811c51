"""Three users, one list each: the figures of our metrics, and of eight libraries that call theirs by the same names.

User 1 has 2 hidden items, hit at ranks 1 and 3; user 2 has 20, hit at 2 and 5; user 3 has 12, hit at 1.
The libraries' figures were taken from their own functions at their defaults.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from matinee.evaluation.accuracy import per_user
from matinee.evaluation.names import KNOWN
from matinee.evaluation.presets import PRESETS
from matinee.evaluation.uncertainty import mean
from tests.evaluation.tables import lists_of, truth_of

MISS = range(900, 910)
LISTS = lists_of({
    1: [0, MISS[1], 1, *MISS[3:]],
    2: [MISS[0], 100, MISS[2], MISS[3], 101, *MISS[5:]],
    3: [200, *MISS[1:]],
}, 10)
TRUTH = truth_of([(1, [0, 1]), (2, range(100, 120)), (3, range(200, 212))])

OWN = {"recall@10": 0.4333, "recall_all@10": 0.3944, "ndcg@10": 0.4546}
PEERS = {
    "recbole": {"recall": 0.3944, "ndcg": 0.4546},
    "replay": {"recall": 0.3944, "ndcg": 0.4546},
    "cornac": {"recall": 0.3944, "ndcg": 0.4546},
    "recommenders": {"recall": 0.3944, "ndcg": 0.4546},
    "rectools": {"recall": 0.3944, "ndcg": 0.2581},
    "lenskit": {"recall": 0.4333, "ndcg": 0.4260},
    "implicit": {"precision": 0.2273, "ndcg": 0.4546},
    "librecommender": {"recall": 0.3944, "ndcg": 0.8479},
}


def value(metric: str) -> float:
    return mean(per_user(LISTS, TRUTH, [metric])[metric])


@pytest.mark.parametrize(("metric", "figure"), OWN.items())
def test_own_figures_on_the_toy(metric: str, figure: float) -> None:
    assert value(metric) == pytest.approx(figure, abs=5e-5)


@pytest.mark.parametrize(
    ("metric", "figure"),
    [(f"{measure}@10:{peer}", figure) for peer, figures in PEERS.items() for measure, figure in figures.items()],
)
def test_each_preset_gives_its_library_s_figure(metric: str, figure: float) -> None:
    assert value(metric) == pytest.approx(figure, abs=5e-5)
    assert metric.replace("@10", "@K") in KNOWN


def test_every_preset_is_on_the_toy() -> None:
    assert set(PRESETS) == {(measure, peer) for peer, figures in PEERS.items() for measure in figures}


@pytest.mark.parametrize(("metric", "exact"), [
    ("recall@10", Fraction(2, 2) + Fraction(2, 10) + Fraction(1, 10)),
    ("recall_all@10", Fraction(2, 2) + Fraction(2, 20) + Fraction(1, 12)),
    ("precision@10", Fraction(2 + 2 + 1, 10)),
    ("hit_rate@10", Fraction(3)),
    ("map@10", (1 + Fraction(2, 3)) / 2 + (Fraction(1, 2) + Fraction(2, 5)) / 10 + Fraction(1, 10)),
    ("mrr@10", 1 + Fraction(1, 2) + 1),
    ("recall@1", Fraction(1) + 0 + 1),
    ("map@2", Fraction(1, 2) + Fraction(1, 4) + Fraction(1, 2)),
])
def test_rational_metrics_of_the_toy_by_hand(metric: str, exact: Fraction) -> None:
    assert value(metric) == pytest.approx(float(exact / 3), rel=1e-15)
