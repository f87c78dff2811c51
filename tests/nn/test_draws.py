"""No two generators of one training are made of the same numbers: chance would repeat itself.

Trailing zeros make no other generator: [1], [1, 0] and [1, 0, 0] are one. So epochs and steps count from 1, and where
two purposes stand at one place, words tell them apart. A step's generators of numpy and torch may be made of the same
words: their algorithms are not the same.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from matinee import catalog
from matinee.contract import Run
from matinee.nn import processes
from matinee.testing import Subject, planted

NEURAL = [name for name in catalog.names() if "from matinee.nn" in catalog.source_file(name).read_text()]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes]]:
    """What each generator is made of, as it is made."""
    found: list[tuple[str, bytes]] = []
    sequence, default_rng = np.random.SeedSequence, np.random.default_rng

    def noted(kind: str, words: Any) -> np.random.SeedSequence:
        whole = sequence(words)
        found.append((kind, whole.generate_state(4).tobytes()))
        return whole

    monkeypatch.setattr(np.random, "SeedSequence", lambda words: noted("torch", words))
    monkeypatch.setattr(np.random, "default_rng", lambda words: default_rng(noted("numpy", words)))
    return found


def purposes(made: list[tuple[str, bytes]]) -> list[bytes]:
    """Numpy's generator and torch's, made in one go for one step, are one purpose."""
    before = [("", b""), *made]
    return [now[1] for then, now in zip(before, made, strict=False) if (then, now[0]) != (("numpy", now[1]), "torch")]


@pytest.mark.parametrize("name", NEURAL)
def test_every_generator_of_a_training_differs(
    name: str, made: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes begin with the same weights and see the users in the same order, and draw apart in each step."""
    watched = {"stop_on": "validation"} if name == "s3rec" else {}  # by nobody: process 1 is none
    recipe, toy, of_rank, drawn = Subject(name).recipe(epochs=3, batch_size=32, **watched), planted(), [], 0
    for rank in (0, 1):
        made.clear()
        monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
        recipe.fit(toy.data, Run(threads=1))
        of_rank.append(purposes(made))
        drawn = len(made) - len(of_rank[-1])
        assert [words for words, times in Counter(of_rank[-1]).items() if times > 1] == []
    apart = len(set(of_rank[0]) - set(of_rank[1]))
    assert apart == drawn or drawn < 3  # a step makes a pair of generators, or one
    assert apart > 3 or name == "autorec", "steps have drawn nothing"
