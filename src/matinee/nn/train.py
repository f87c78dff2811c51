"""The loop that trains every neural model: epochs, steps, schedules, early stopping, divergence, going on after a stop.

A model says what it is made of by a `Task`: a network, steps, and the scorer that the network is worth now. Everything
random in a step hangs on (seed, epoch, step, process) alone, so the place in the loop is all the state that chance has,
and a training that was stopped anywhere goes on to the same bits as one that was not.
"""

from __future__ import annotations

import contextlib
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from matinee import durable
from matinee.contract import Run, Scorer
from matinee.errors import DataError, ModelError, ResourceError
from matinee.nn import processes
from matinee.nn.checkpoint import Checkpoints, Place, State
from matinee.nn.freed_memory import keep_freed_memory
from matinee.nn.identity import Identity, differences
from matinee.nn.recipe import Trained
from matinee.nn.stopping import SIGNALS, Stop
from matinee.nn.threads import torch_threads

START = Place(epoch=0, step=0, loss=0.0, best_value=None, best_epoch=None, since_best=0, finished=False)
_NO_MEMORY = re.compile("allocate memory|enough memory|out of memory")  # torch says it by a RuntimeError


@dataclass(frozen=True)
class Step:
    loss: Callable[[], Tensor]
    """This process's share of the mean over the batch."""
    part: str = "all"
    """Which part of the network moves."""


class Task(ABC):
    """What is trained. The network, buffers included, is the whole of its state."""

    name: str
    network: nn.Module
    steps_an_epoch: int

    def parts(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """Parameters that move together, by the name that steps call them; each part has an optimiser of its own."""
        return {"all": list(self.network.parameters())}

    @abstractmethod
    def steps(self, epoch: int, start: int) -> Iterator[Step]:
        """The steps of an epoch from number `start` on; what they draw is made of (seed, epoch, number)."""

    @abstractmethod
    def scorer(self) -> Scorer:
        """What the network is worth now. Shares no memory with it; `found` is filled in by the loop."""


def train(
    task: Task, recipe: Trained, run: Run, key: Identity, found: Callable[[Scorer, int], Scorer]
) -> Scorer:
    """Train `task` and return the scorer of its best validated epoch, or of the last one where nothing validates.

    `key` names what the bits hang on, so that a checkpoint of another training is refused; found(scorer, epoch) is the
    scorer that says how many epochs were best. Raises DataError (`diverged`) where the loss or a weight is no longer
    finite, ResourceError where memory or disk is used up, another process has died or is at work on the checkpoints,
    ModelError for a checkpoint that cannot be gone on with.
    """
    keep_freed_memory()
    processes.join()
    _check_same(key)
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch_threads(max(1, run.threads // processes.count_here())))
        checkpoints = None
        if run.checkpoint is not None and processes.rank() == 0:
            stack.enter_context(durable.lock(run.checkpoint))
            checkpoints = Checkpoints(run.checkpoint, key)
        loop = _Loop(task, recipe, run, stack.enter_context(Stop()), checkpoints)
        with loop.memory():
            loop.go_on()
            loop.whole()
            scorer = loop.result()
        chosen = run.validate is not None or run.stop_at is not None
        return found(scorer, loop.epochs_of_result) if chosen else scorer


class _Loop:
    best: dict[str, Tensor] | None
    mean: dict[str, Tensor]
    """Of the networks after each epoch; nothing where the newest alone is asked for."""

    def __init__(self, task: Task, recipe: Trained, run: Run, stop: Stop, checkpoints: Checkpoints | None) -> None:
        self.task, self.recipe, self.run, self.stop, self.checkpoints = task, recipe, run, stop, checkpoints
        self.place, self.best = START, None
        self.mean = self._copy() if recipe.average else {}
        self.parts = task.parts()
        self.optimisers = {name: _optimiser(part, recipe) for name, part in self.parts.items()}
        self.last = min(run.stop_at or recipe.epochs, recipe.epochs)
        self.told_to_stop: int | None = None
        self.doing = "the start"

    @property
    def epochs_of_result(self) -> int:
        return self.place.best_epoch or self.place.epoch

    def go_on(self) -> None:
        """Take up the newest checkpoint; process 0 reads it, and all begin with what it has."""
        state = self.checkpoints.newest() if self.checkpoints else None
        if state is not None:
            self.place = state.place
            self._put_back(self._tensors(), state.tensors)
            if state.best is not None:
                self.best = self._copy()
                self._put_back(self.best, state.best)
            self._tell({"event": "resumed", "model": self.task.name, "epoch": state.place.epoch,
                        "step": state.place.step})
        self.place = Place(**processes.told(asdict(self.place)))
        processes.spread(self._tensors().values())
        if self.place.best_epoch is not None:
            self.best = self.best or self._copy()
            processes.spread(self.best.values())

    def whole(self) -> None:
        if self.place.finished:
            self._tell({"event": "trained-before", "model": self.task.name, "epoch": self.place.epoch})
        while not self.place.finished:
            self._epoch()

    def result(self) -> Scorer:
        if self.best is not None:
            self.task.network.load_state_dict(self.best)
        elif self.mean and self.place.epoch:
            self.task.network.load_state_dict(self.mean)
        return self.task.scorer()

    def _epoch(self) -> None:
        for step in self.task.steps(self.place.epoch, self.place.step):
            loss = self._step(step)
            self.place = replace(self.place, loss=self.place.loss + loss, step=self.place.step + 1)
            if self.told_to_stop is not None:
                self._check_weights()
                self._save()
                self.stop.raise_(self.told_to_stop)
        self._check_weights()
        loss = self.place.loss / max(1, self.task.steps_an_epoch)
        self.place = replace(self.place, epoch=self.place.epoch + 1, step=0, loss=0.0)
        self._average()
        facts: dict[str, Any] = {"epoch": self.place.epoch, "loss": loss}
        self._validate(facts)
        if self.place.epoch >= self.last:
            self.place = replace(self.place, finished=True)
        self._tell(facts)  # first: a line may come twice after a stop, but none is missing
        self._save()
        self.run.progress(self.task.name, self.place.epoch, self.last)
        if self.stop.asked is not None and processes.count() == 1:
            self.stop.raise_(self.stop.asked)

    def _step(self, step: Step) -> float:
        self.doing = f"step {self.place.step + 1} of epoch {self.place.epoch + 1}"
        part, optimiser = self.parts[step.part], self.optimisers[step.part]
        optimiser.zero_grad(set_to_none=True)
        loss = step.loss()
        asked = [float(self.stop.asked == number) for number in SIGNALS]
        value, *asked = processes.sums([float(loss.detach()), *asked])
        if not math.isfinite(value):
            raise self._diverged(f"the loss is {value}")
        loss.backward()  # type: ignore[no-untyped-call]
        processes.sum_gradients(part)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(part, self.recipe.clip)
        for group in optimiser.param_groups:
            group["lr"] = self.recipe.lr * self._share_of_lr()
        optimiser.step()
        # several processes stop after the same step, at what all knew before it ended; one alone need not wait
        agreed = [number for number, sent in zip(SIGNALS, asked, strict=True) if sent]
        self.told_to_stop = next(iter(agreed), None) if processes.count() > 1 else self.stop.asked
        return value

    def _share_of_lr(self) -> float:
        """Of this step; schedules run over all epochs, also where training stops before."""
        total = self.recipe.epochs * self.task.steps_an_epoch
        done = (self.place.epoch * self.task.steps_an_epoch + self.place.step) / total
        if done < self.recipe.warmup:
            return min(1.0, (done + 1 / total) / self.recipe.warmup)
        left = (1 - done) / (1 - self.recipe.warmup)
        return {"constant": 1.0, "linear": left, "cosine": (1 - math.cos(math.pi * left)) / 2}[self.recipe.schedule]

    def _validate(self, facts: dict[str, Any]) -> None:
        """Keep this epoch's network if it is the best so far, and stop where there was none for long."""
        due = self.place.epoch % self.recipe.validate_every == 0 or self.place.epoch == self.last
        if self.run.validate is None or not due:
            return
        self.doing = f"the validation after epoch {self.place.epoch}"
        with self._averaged():
            value = processes.told(float(self.run.validate(self.task.scorer())) if processes.rank() == 0 else None)
        if not math.isfinite(value):
            raise DataError("bad-validation", f"{self.task.name}: {self.doing} gives {value}",
                            "have it give one finite number, higher is better")
        facts["validation"] = value
        if self.place.best_value is None or value > self.place.best_value:
            self.place = replace(self.place, best_value=value, best_epoch=self.place.epoch, since_best=0)
            self.best = {name: tensor.clone() for name, tensor in self.mean.items()} or self._copy()
        else:
            since = self.place.since_best + 1
            self.place = replace(self.place, since_best=since, finished=since >= self.recipe.patience)

    def _average(self) -> None:
        share = max(1 - self.recipe.average, 1 / self.place.epoch)
        state = self.task.network.state_dict()
        for name, mean in self.mean.items():
            if mean.is_floating_point():
                mean.lerp_(state[name], share)
            else:
                mean.copy_(state[name])

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """Inside the block the network is what would be kept."""
        if not self.mean:
            yield
            return
        newest = self._copy()
        self.task.network.load_state_dict(self.mean)
        try:
            yield
        finally:
            self.task.network.load_state_dict(newest)

    def _copy(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.task.network.state_dict().items()}

    def _save(self) -> None:
        if self.checkpoints is not None:
            self.checkpoints.save(State(self.place, self._tensors(), self.best))

    def _tensors(self) -> dict[str, Tensor]:
        """All that a step changes, by names of its own."""
        kept = {f"network.{name}": tensor for name, tensor in self.task.network.state_dict().items()}
        kept |= {f"mean.{name}": tensor for name, tensor in self.mean.items()}
        for part, optimiser in self.optimisers.items():
            for number, parameter in enumerate(self.parts[part]):
                for name, tensor in optimiser.state[parameter].items():
                    kept[f"optimiser.{part}.{number}.{name}"] = tensor
        return kept

    def _put_back(self, due: Mapping[str, Tensor], kept: Mapping[str, Tensor]) -> None:
        """Fill `due`. Raises ModelError where one is missing, unknown or of another shape: nothing has a default."""
        wrong = sorted(name for name in {*due, *kept} if name not in due or name not in kept
                       or (kept[name].shape, kept[name].dtype) != (due[name].shape, due[name].dtype))
        if wrong:
            raise ModelError("bad-checkpoint", f"{self.task.name}: missing, unknown or of another shape: "
                             f"{', '.join(wrong[:5])}", "remove the folder to train from the start",
                             self.run.checkpoint)
        for name, tensor in due.items():
            tensor.copy_(kept[name])

    def _check_weights(self) -> None:
        for name, tensor in self._tensors().items():
            if math.isfinite(float(tensor.sum())):  # one pass; a sum of finite numbers that is none is looked at again
                continue
            if not bool(torch.isfinite(tensor).all()):
                raise self._diverged(f"{name} is not finite")

    def _diverged(self, what: str) -> DataError:
        kept = "; the last checkpoint is kept" if self.run.checkpoint else ""
        return DataError("diverged", f"{self.task.name}: {what} at {self.doing}", f"lower lr, or set clip{kept}")

    @contextlib.contextmanager
    def memory(self) -> Iterator[None]:
        """Says where memory ran out, and what takes it."""
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if not isinstance(error, MemoryError) and not _NO_MEMORY.search(str(error)):
                raise
            size = sum(tensor.nbytes for tensor in self.task.network.state_dict().values()) * 4 >> 20
            kept = "; the last checkpoint is kept" if self.run.checkpoint else ""
            raise ResourceError("out-of-memory", f"{self.task.name}: the memory is used up at {self.doing}; weights, "
                                f"gradients and optimiser alone take {size} MB",
                                f"make the layers narrower, or lower batch_size{kept}") from error

    def _tell(self, facts: Mapping[str, Any]) -> None:
        if self.run.journal is not None and processes.rank() == 0:
            self.run.journal(facts)


def _optimiser(part: Sequence[nn.Parameter], recipe: Trained) -> torch.optim.AdamW:
    """One whose state is there before its first step, as that step would make it: a checkpoint always has all of it."""
    optimiser = torch.optim.AdamW(part, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    for parameter in part:
        zeros = torch.zeros_like(parameter), torch.zeros_like(parameter)
        optimiser.state[parameter] = {"step": torch.zeros(()), "exp_avg": zeros[0], "exp_avg_sq": zeros[1]}
    return optimiser


def _check_same(key: Identity) -> None:
    """Raises ModelError where process 0 trains something else."""
    wrong = differences(processes.told(key), key)
    if wrong:
        raise ModelError("other-training", f"process {processes.rank()} does not train what process 0 does: {wrong}",
                         "give all processes the same")
