"""Who has what, asked of each row by itself and of all rows at once, against sets."""

from __future__ import annotations

import numpy as np
import pytest

from matinee.numerics.membership import has
from tests.numerics.logs import random_log


@pytest.mark.parametrize("shared", [False, True])
def test_answers_are_those_of_sets(shared: bool) -> None:
    owned, rng = random_log(2, 40, 12, 150, weighted=False).matrix(), np.random.default_rng(0)
    rows = rng.integers(0, 40, 600)
    items = rng.integers(0, 12, 9 if shared else (600, 9))
    own = [set(owned.indices[start:stop].tolist()) for start, stop in zip(owned.indptr, owned.indptr[1:], strict=False)]
    want = [[item in own[row] for item in (items if shared else items[n]).tolist()] for n, row in enumerate(rows)]
    np.testing.assert_array_equal(has(owned, rows, items), want)
