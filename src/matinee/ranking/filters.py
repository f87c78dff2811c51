"""What may not be recommended, beside what was seen: future and unpopular items, allow and deny lists, dates."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from matinee.contract import Queries
from matinee.data.dataset import Dataset


class FittedFilter(ABC):
    """A frozen dataclass of arrays and JSON-able settings."""

    @abstractmethod
    def allowed(self, queries: Queries) -> NDArray[np.bool_]:
        """(B, I) true where the item may be in the list."""


class Filter(ABC):
    """A recipe: frozen settings."""

    @abstractmethod
    def fit(self, dataset: Dataset) -> FittedFilter:
        """Learn from what is known at this stage. Raises DataError where the data lacks what is needed."""
