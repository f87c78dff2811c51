"""Scores blended instead of lists: each model's scores made comparable for a user, then summed or multiplied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from matinee.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ScoreBlend:
    """Its members are models whose scorers are stored; `scoring.blend.Blend` is what it yields."""

    normalise: Literal["z_score", "rank", "softmax", "none"] = "z_score"
    """Over a user's scores of the whole catalogue: (s - mean) / deviation; position from the worst, over the number of
    items; exp(s) over its sum; or as they are."""
    combine: Literal["sum", "product"] = "sum"
    """Weighted sum, or product of powers, which needs `rank` or `softmax`."""

    def __post_init__(self) -> None:
        if self.combine == "product" and self.normalise not in ("rank", "softmax"):
            raise ConfigError("bad-blend", f"a product of scores by {self.normalise!r}, which may be negative",
                              "normalise by rank or softmax")
