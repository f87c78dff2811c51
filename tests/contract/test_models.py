"""Every model keeps the contract. A new file in `models/` is found by its name; there is nothing to add here."""

from __future__ import annotations

from functools import cache

import pytest

from matinee import catalog
from matinee.testing import CHECKS, Subject

subject = cache(Subject)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", catalog.names())
def test_model(name: str, check: str) -> None:
    CHECKS[check](subject(name))
