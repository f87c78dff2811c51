"""Is one model better than another? Paired over the users both were asked for, with "cannot tell" as an answer.

The interval of the mean difference is a paired bootstrap; p is Student's paired t test, which agrees with the
bootstrap and with randomisation on such data (Smucker et al. 2007) and, unlike them, is not bounded by the number of
resamples when many pairs are corrected for. It is never below 2^(1 - users who differ), the least that turning signs
at random could give, so that a handful of users crowns nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from matinee.errors import DataError
from matinee.evaluation.uncertainty import RESAMPLES, mean, percentiles, resampled_sums

Verdict = Literal["better", "worse", "cannot tell"]
LEVEL = 0.05
ALONE = ("An interval is of its pair alone, the verdict corrected for all pairs (Holm): an interval may leave 0 out, "
         "and the verdict still be that nothing can be told.")
"""For whoever reads a table of several."""


@dataclass(frozen=True)
class Comparison:
    """The first against the second."""

    difference: float  # mean of first - second over all users
    low: float  # 95 % interval of the difference
    high: float
    p: float  # two-sided; corrected for the number of pairs where several were compared
    verdict: Verdict


def paired(a: NDArray[np.float64], b: NDArray[np.float64], seed: int) -> Comparison:
    """Two models' values (V,) for the same users in the same order. Raises DataError where V differs or is 0."""
    return compare_all({"a": a, "b": b}, seed)["a", "b"]


def compare_all(values: Mapping[str, NDArray[np.float64]], seed: int) -> dict[tuple[str, str], Comparison]:
    """Each model's values (V,), same users in the same order -> every pair once, in the order given.

    p is corrected over all pairs (Holm 1979). The verdict speaks only where p < 0.05 and the interval leaves 0 out.
    Raises DataError where the numbers of users differ or are 0.
    """
    _require_same_users(values)
    names = list(values)
    pairs = list(combinations(range(len(names)), 2))
    if not pairs:
        return {}
    table = np.stack(list(values.values()), axis=1)  # (V, M)
    means = resampled_sums(table, seed, RESAMPLES) / len(table)
    ends = percentiles(np.stack([means[:, i] - means[:, j] for i, j in pairs], axis=1))
    differences = [table[:, i] - table[:, j] for i, j in pairs]
    ps = holm([p_value(difference) for difference in differences])
    return {
        (names[i], names[j]): _comparison(difference, float(low), float(high), p)
        for (i, j), difference, (low, high), p in zip(pairs, differences, ends, ps, strict=True)
    }


def holm(ps: list[float]) -> list[float]:
    """p values corrected for their number (Holm 1979), in the order given."""
    corrected, least = [0.0] * len(ps), 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=lambda at: ps[at])):
        least = max(least, min(1.0, (len(ps) - rank) * ps[at]))
        corrected[at] = least
    return corrected


def p_value(differences: NDArray[np.float64]) -> float:
    """Two-sided p of Student's paired t test on (V,), with the floor told at the top of this file."""
    differing = int(np.count_nonzero(differences))
    if differing < 2:
        return 1.0
    floor = 2.0 ** (1 - differing)
    error = float(differences.std(ddof=1)) / math.sqrt(len(differences))
    if error == 0:
        return floor
    return max(floor, 2 * float(stdtr(len(differences) - 1, -abs(mean(differences)) / error)))


def _comparison(differences: NDArray[np.float64], low: float, high: float, p: float) -> Comparison:
    difference = mean(differences)
    verdict: Verdict = "cannot tell"
    if p < LEVEL and low > 0:
        verdict = "better"
    elif p < LEVEL and high < 0:
        verdict = "worse"
    return Comparison(difference, min(low, difference), max(high, difference), p, verdict)


def _require_same_users(values: Mapping[str, NDArray[np.float64]]) -> None:
    sizes = {name: len(column) for name, column in values.items()}
    if len(set(sizes.values())) > 1 or 0 in sizes.values():
        shown = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise DataError("not-comparable", f"models can be compared on the same users only; users: {shown}",
                        "evaluate them on the same split")
