"""Growth: the power law that was put in comes out, and a curve ends where it takes too long."""

from __future__ import annotations

import pytest
from benchmarks.growth.run import MOST_SECONDS, lines, power, within


def points(exponent: float) -> dict[str, dict[str, float]]:
    return {str(users): {"users": users, "fit": 1e-4 * users**exponent, "score": 1.0, "peak_mb": 300.0}
            for users in (1_000, 3_000, 9_000)}


@pytest.mark.parametrize("exponent", [0.9, 2.0])
def test_a_power_law_is_found_again(exponent: float) -> None:
    level, slope = power(points(exponent) | {"27000": {"over": 1200}}, "fit") or (0, 0)
    assert (level, slope) == pytest.approx((1e-4, exponent))
    assert power({"27000": {"over": 1200}}, "fit") is None


def test_a_curve_ends_past_ten_minutes() -> None:
    assert within({"fit": MOST_SECONDS - 1, "score": 1})
    assert not within({"fit": MOST_SECONDS, "score": 1})
    assert not within({"over": 1200})


def test_the_page_says_what_was_stopped() -> None:
    origin = {"commit": "0123456789abcdef", "date": "today", "machine": {"processor": "any", "cores": 2,
              "memory_gb": 4, "python": "3.11"}}
    page = "\n".join(lines({"models": {"ease": {"origin": origin, "points": points(1.0) | {"27000": {"over": 1200}}}}}))
    assert "| ease | 0.10 s | 0.30 s | 0.90 s | over 1200 s in all | 1.00 |" in page
    assert "0123456789ab" in page
