"""How long the steps of a training are: the rise, the fall, and the share of all steps that each has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from tests.reliability.tiny_training import STEPS, Tiny, fit


def taken(monkeypatch: pytest.MonkeyPatch, recipe: Tiny, **run: Any) -> list[float]:
    """`lr` of each step, as the optimiser is handed it."""
    found, step = list[float](), torch.optim.AdamW.step

    def noted(optimiser: torch.optim.AdamW, *words: Any, **more: Any) -> Any:
        found.append(optimiser.param_groups[0]["lr"])
        return step(optimiser, *words, **more)

    monkeypatch.setattr(torch.optim.AdamW, "step", noted)
    fit(None, recipe, **{"validate": None, **run})
    return found


def due(total: int, lr: float, schedule: str, warmup: float) -> list[float]:
    """Up to `lr` in equal steps, then along the curve to 0 in the step after the last."""
    rates = []
    for k in range(total):
        if k < warmup * total:
            rates.append(lr * min(1.0, (k + 1) / (warmup * total)))
        else:
            t = (k - warmup * total) / (total - warmup * total)
            rates.append(lr * {"constant": 1.0, "linear": 1 - t, "cosine": np.cos(np.pi * t) / 2 + 0.5}[schedule])
    return rates


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("warmup", [0.0, 0.01, 0.2, 0.25, 0.9])
def test_lr_rises_to_what_was_asked_for_and_never_above(
    monkeypatch: pytest.MonkeyPatch, schedule: str, warmup: float
) -> None:
    rates = taken(monkeypatch, Tiny(epochs=5, lr=0.04, schedule=schedule, warmup=warmup))
    assert len(rates) == 5 * STEPS
    assert max(rates) <= 0.04 * (1 + 1e-12)
    np.testing.assert_allclose(rates, due(5 * STEPS, 0.04, schedule, warmup), rtol=1e-9)


def test_a_schedule_runs_over_all_epochs_wherever_training_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = taken(monkeypatch, Tiny(epochs=5))
    assert taken(monkeypatch, Tiny(epochs=5), stop_at=2) == whole[: 2 * STEPS]
