"""Every model that is trained by steps goes on after a stop to the bits of a training that was never stopped.

Whatever a model keeps outside its network is lost in a stop; here that shows.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matinee import catalog
from matinee.contract import Run
from matinee.nn import train
from matinee.nn.recipe import Trained
from matinee.testing import Subject, planted

NEURAL = [name for name in catalog.names() if "from matinee.nn" in catalog.source_file(name).read_text()]
"""Told by their text: nothing is imported to collect the tests."""


@pytest.mark.parametrize("name", NEURAL)
def test_a_model_stopped_in_its_first_and_in_a_later_epoch(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, toy = Subject(name), planted()
    assert isinstance(subject.recipe(), Trained)
    recipe = subject.recipe(epochs=6, patience=6, batch_size=32)
    run = Run(seed=1, threads=1, validate=toy.recall, checkpoint=tmp_path)
    whole = recipe.fit(toy.data, run.with_(checkpoint=None))
    step, taken = train._Loop._step, 0

    def counted(self: Any, given: Any) -> float:
        nonlocal taken
        taken += 1
        if taken in (2, 2 + self.task.steps_an_epoch * 2):
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, given)

    monkeypatch.setattr(train._Loop, "_step", counted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            recipe.fit(toy.data, run)
        assert not max(path.name for path in tmp_path.rglob("0*")).endswith("-000000000"), "it was not within an epoch"
    again = recipe.fit(toy.data, run)
    np.testing.assert_array_equal(again.score(toy.queries()), whole.score(toy.queries()))
    assert dict(again.found) == dict(whole.found)
