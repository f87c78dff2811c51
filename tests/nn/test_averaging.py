"""The mean of the networks after each epoch: what is validated, what is kept, and what goes on after a stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee.contract import Scorer
from tests.reliability.tiny_training import Found, Tiny, at, bits, fit

AVERAGE, EPOCHS = 0.6, 6


def seen(average: float, **run: Any) -> tuple[list[np.ndarray], Found]:
    """The network that is judged after each epoch, and what the training yields."""
    found = list[np.ndarray]()

    def judge(scorer: Scorer) -> float:
        assert isinstance(scorer, Found)
        found.append(scorer.item_scores)
        return -abs(len(found) - 4)

    result = fit(None, Tiny(epochs=EPOCHS, patience=EPOCHS, average=average), **{"validate": judge, **run})
    return found, result


def due() -> list[np.ndarray]:
    """By hand: the first few alike, then each older one 0.6 of the next."""
    epochs, means = seen(0.0)[0], list[np.ndarray]()
    for number, one in enumerate(epochs, start=1):
        share = max(1 - AVERAGE, 1 / number)
        means.append(one if number == 1 else (1 - share) * means[-1] + share * one)
    return means


def test_the_mean_is_judged_and_the_best_mean_is_kept() -> None:
    judged, result = seen(AVERAGE)
    np.testing.assert_allclose(judged, due(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(result.item_scores, judged[3])


def test_where_nothing_validates_the_last_mean_is_kept() -> None:
    np.testing.assert_allclose(seen(AVERAGE, validate=None)[1].item_scores, due()[-1], rtol=1e-5, atol=1e-6)


def test_a_training_that_was_stopped_goes_on_to_the_same_mean(tmp_path: Path) -> None:
    class Halt(Exception):
        pass

    def halt(loss: Any) -> None:
        raise Halt

    recipe = Tiny(epochs=EPOCHS, average=AVERAGE)
    for stop in ((1, 2), (4, 0)):
        with pytest.raises(Halt):
            fit(tmp_path, Tiny(epochs=EPOCHS, average=AVERAGE, hook=at(*stop, halt)))
    assert bits(fit(tmp_path, recipe)) == bits(fit(None, recipe))
