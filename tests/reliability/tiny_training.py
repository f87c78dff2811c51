"""A training of milliseconds for the fault tests: two parts, steps that draw, a validation that is best in between.

As a program (`python -m tests.reliability.tiny_training FOLDER`) it kills trainings in children of its own, at each
call that reaches the disk and at random moments, goes on with them, and prints what came of it as JSON. It computes on
one thread alone, so a child lacks none.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from matinee.contract import Run, Scorer
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import seeded
from matinee.nn.identity import training_key
from matinee.nn.recipe import Trained
from matinee.nn.train import Step, Task, train
from matinee.scoring import tensors
from matinee.scoring.constant import Constant
from matinee.testing.toy import planted

WIDE, STEPS = 5, 4
Hook = Callable[[int, int, Tensor], Tensor | None]


@dataclass(frozen=True, eq=False)
class Found(Constant):
    stop_at: int | None = None

    @property
    def found(self) -> dict[str, Any]:  # type: ignore[override]
        return {"stop_at": self.stop_at}


class TinyTask(Task):
    name, steps_an_epoch = "tiny", STEPS

    def __init__(self, recipe: Tiny, seed: int) -> None:
        self.recipe, self.seed = recipe, seed
        self.network = nn.Sequential(nn.Linear(WIDE, WIDE), nn.Linear(WIDE, 1))
        self.network.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        generator = seeded(seed)
        with torch.no_grad():
            for parameter in self.network.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    def parts(self) -> dict[str, list[nn.Parameter]]:
        return {"first": list(self.network[0].parameters()), "second": list(self.network[1].parameters())}

    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        for number in range(start, STEPS):
            yield Step(lambda number=number: self._loss(epoch, number), "second" if number == STEPS - 1 else "first")

    def _loss(self, epoch: int, number: int) -> Tensor:
        inputs = torch.randn(8, WIDE, generator=seeded(self.seed, epoch + 1, number))
        self.network.seen += 1
        loss = (self.network(inputs) - inputs.sum(1, keepdim=True)).square().mean()
        changed = self.recipe.hook[0](epoch, number, loss) if self.recipe.hook else None
        return loss if changed is None else changed

    def scorer(self) -> Found:
        return Found(np.concatenate([p.detach().numpy().ravel() for p in self.network.parameters()]))


@dataclass(frozen=True, kw_only=True)
class Tiny(Trained):
    epochs: int = 8
    patience: int = 3
    lr: float = 0.05
    schedule: str = "cosine"  # type: ignore[assignment]
    warmup: float = 0.2
    hook: tuple[Hook, ...] = ()
    """At most one: called in each step, and may give another loss."""

    def fit(self, train_on: Dataset, run: Run = Run()) -> Found:
        key = training_key("tiny", replace(self, hook=()), train_on, run)
        found = train(TinyTask(self, run.seed), self, run, key, lambda scorer, epoch: replace(scorer, stop_at=epoch))
        assert isinstance(found, Found)
        return found


def judge(scorer: Scorer) -> float:
    """The best is after epoch 4, so training stops after 7."""
    assert isinstance(scorer, Found)
    return float(-np.abs(scorer.item_scores).sum())


def fit(folder: Path | None, recipe: Tiny = Tiny(), **run: Any) -> Found:
    return recipe.fit(planted().data, Run(**{"checkpoint": folder, "threads": 1, "validate": judge, **run}))


def bits(scorer: Found) -> tuple[bytes, int | None]:
    return scorer.item_scores.tobytes(), scorer.stop_at


@cache
def whole() -> tuple[bytes, int | None]:
    """Of a training that was never stopped."""
    return bits(fit(None))


def at(epoch: int, step: int, act: Callable[[torch.Tensor], Any]) -> tuple[Hook]:
    """A recipe's hook that does `act` in one step."""
    return (lambda e, s, loss: act(loss) if (e, s) == (epoch, step) else None,)


def stopped(folder: Path | None, epoch: int, step: int, *signals: int) -> None:
    """Send a training these signals in one step."""
    hook = at(epoch, step, lambda loss: [os.kill(os.getpid(), number) for number in signals] and None)
    fit(folder, Tiny(hook=hook))


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("0*"))


CALLS = ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir")
"""What reaches the disk, beside the writing of arrays."""


def counting(act: Callable[[int], None]) -> Iterator[tuple[Any, str, Any]]:
    """For each call that changes the disk: where it is found, its name, and one that does `act(n)` before its work."""
    count = 0

    def before(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*words: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            act(count)
            return call(*words, **named)

        return counted

    for name in CALLS:
        yield os, name, before(getattr(os, name))
    yield tensors, "_write", before(tensors._write)


def child(work: Callable[[], None], kill_after: float | None = None) -> int:
    """Do `work` in a process of its own; its exit code, or minus the signal that ended it."""
    pid = os.fork()
    if not pid:
        work()
        os._exit(0)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at(number: int, folder: Path, recipe: Tiny) -> int:
    """What stands on the disk after one call is what stands there before the next."""

    def act(n: int) -> None:
        if n == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        for owner, name, stand_in in counting(act):
            setattr(owner, name, stand_in)
        fit(folder, recipe)

    return child(work)


def resumed(folder: Path, recipe: Tiny, want: tuple[bytes, int | None]) -> int:
    """0 where going on gives the bits of the training that was never stopped; a warning of damage is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return 0 if bits(fit(folder, recipe)) == want else 9


def at_each_call(place: Path) -> Iterator[int]:
    """Kill a training of three epochs there; what going on ended with."""
    recipe = Tiny(epochs=3, patience=1)
    want = bits(fit(None, recipe))
    for number in range(1, 1000):
        folder = place / f"{number}"
        if not die_at(number, folder, recipe):
            return
        yield resumed(folder, recipe, want)
        shutil.rmtree(folder)


def at_random(place: Path) -> Iterator[int]:
    """Kill one long training again and again; how often, and what the last one ended with."""
    recipe, rng = Tiny(epochs=40, patience=40), random.Random(0)
    want = bits(fit(None, recipe))
    for kills in range(15):
        if child(lambda: fit(place, recipe) and None, rng.uniform(0.01, 0.1)) != -signal.SIGKILL:  # type: ignore[func-returns-value]
            yield kills
            break
    yield resumed(place, recipe, want)


def main(place: Path) -> dict[str, list[int]]:
    torch.set_num_threads(1)
    try:
        return {"each": list(at_each_call(place / "each")), "random": list(at_random(place / "random"))}
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
