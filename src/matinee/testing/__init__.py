"""The contract suite: what every model owes its users, as functions that anybody can call on a model of their own.

    import pytest
    from matinee.testing import CHECKS, Subject

    @pytest.mark.parametrize("check", CHECKS)
    def test_my_model(check):
        CHECKS[check](Subject("./my_model.py"))

Each check raises AssertionError and says what it saw. The model is fitted at the `tiny` settings of the YAML
file beside it, on a log of 150 users and 48 items with planted tastes; `toy.py` tells what is in it.
"""

from __future__ import annotations

from collections.abc import Callable

from matinee.testing import learning, lists, recipes, scores, settings, stored
from matinee.testing.subject import Subject
from matinee.testing.toy import Toy, noise, planted

__all__ = ["CHECKS", "Subject", "Toy", "noise", "planted"]

CHECKS: dict[str, Callable[[Subject], None]] = {
    name: check
    for module in (recipes, scores, lists, stored, learning, settings)
    for name, check in vars(module).items()
    if callable(check) and getattr(check, "__module__", "") == module.__name__ and not name.startswith("_")
}
"""What is checked, by what it says of the model."""
