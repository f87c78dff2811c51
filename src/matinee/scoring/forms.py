"""The closed set of fitted forms, by the names that stored models know them under."""

from __future__ import annotations

from matinee.contract import Scorer
from matinee.scoring.weighted import Weighted

FORMS: dict[str, type[Scorer]] = {
    "weighted": Weighted,
}
