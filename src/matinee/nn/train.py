"""The loop that trains every neural model: epochs, steps, schedules, early stopping, divergence, going on after a stop.

A model says what it is made of by a `Task`: a network, steps, and the scorer that the network is worth now. Everything
random in a step hangs on (seed, epoch, step) alone, so the place in the loop is all the state that chance has, and a
training that was stopped anywhere goes on to the same bits as one that was not.
"""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from matinee import durable
from matinee.contract import Run, Scorer
from matinee.errors import DataError, ResourceError
from matinee.nn import processes
from matinee.nn.checkpoint import Checkpoints, Place, State
from matinee.nn.recipe import Trained
from matinee.nn.stopping import Stop
from matinee.nn.threads import torch_threads

START = Place(epoch=0, step=0, loss=0.0, best_value=None, best_epoch=None, since_best=0, finished=False)


@dataclass(frozen=True)
class Step:
    loss: Callable[[], Tensor]
    """This process's share of the mean over the batch."""
    part: str = "all"
    """Which part of the network moves."""


class Task(ABC):
    """What is trained. The network is the whole of its state."""

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


def train(task: Task, recipe: Trained, run: Run, key: str, found: Callable[[Scorer, int], Scorer]) -> Scorer:
    """Train `task` and return the scorer of its best validated epoch, or of the last one where nothing validates.

    `key` names what the bits hang on, so that a checkpoint of another training is refused; found(scorer, epoch) is the
    scorer that says how many epochs were best. Raises DataError (`diverged`) where the loss or a weight is no longer
    finite, ResourceError where the memory is used up, ModelError for a checkpoint that cannot be gone on with.
    """
    processes.join()
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch_threads(run.threads))
        if run.checkpoint is not None and processes.rank() == 0:
            stack.enter_context(durable.lock(run.checkpoint))
            durable.sweep(run.checkpoint)
        loop = _Loop(task, recipe, run, stack.enter_context(Stop()), key)
        loop.go_on()
        loop.whole()
        scorer = loop.result()
        chosen = run.validate is not None or run.stop_at is not None
        return found(scorer, loop.epochs_of_result) if chosen else scorer


class _Loop:
    def __init__(self, task: Task, recipe: Trained, run: Run, stop: Stop, key: str) -> None:
        self.task, self.recipe, self.run, self.stop = task, recipe, run, stop
        self.place, self.best = START, None
        self.checkpoints = Checkpoints(run.checkpoint, key) if run.checkpoint else None
        self.parts = task.parts()
        self.optimisers = {
            name: torch.optim.AdamW(part, lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
            for name, part in self.parts.items()
        }
        self.last = min(run.stop_at or recipe.epochs, recipe.epochs)

    best: dict[str, Tensor] | None

    @property
    def epochs_of_result(self) -> int:
        return self.place.best_epoch or self.place.epoch

    def go_on(self) -> None:
        """Take up the newest checkpoint; each process reads the same one."""
        state = self.checkpoints.newest() if self.checkpoints else None
        if state is not None:
            self.place, self.best = state.place, state.best
            self._put_back(state.tensors)
        processes.meet()

    def whole(self) -> None:
        if self.place.epoch >= self.last or self.place.finished:
            self._tell({"event": "trained-before", "epochs": self.place.epoch})
            return
        while self.place.epoch < self.last and not self.place.finished:
            self._epoch()

    def result(self) -> Scorer:
        if self.best is not None:
            self.task.network.load_state_dict(self.best)
        return self.task.scorer()

    def _epoch(self) -> None:
        place = self.place
        for step in self.task.steps(place.epoch, place.step):
            self.place = replace(self.place, loss=self.place.loss + self._step(step), step=self.place.step + 1)
            if self.stop.asked is not None:
                self._save(best_changed=False)
                self.stop.raise_()
        loss = self.place.loss / max(1, self.task.steps_an_epoch)
        self._check_weights()
        self.place = replace(self.place, epoch=self.place.epoch + 1, step=0, loss=0.0)
        facts: dict[str, Any] = {"epoch": self.place.epoch, "loss": loss}
        improved = self._validate(facts)
        if self.place.epoch == self.last:
            self.place = replace(self.place, finished=True)
        self._save(best_changed=improved)
        self._tell(facts)
        self.run.progress(self.task.name, self.place.epoch, self.last)

    def _step(self, step: Step) -> float:
        part, optimiser = self.parts[step.part], self.optimisers[step.part]
        optimiser.zero_grad(set_to_none=True)
        try:
            loss = step.loss()
            value = processes.summed(float(loss.detach()))
            if not math.isfinite(value):
                raise self._diverged(f"the loss is {value}")
            loss.backward()  # type: ignore[no-untyped-call]
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or "memory" in str(error):
                raise self._out_of_memory() from error
            raise
        processes.sum_gradients(part)
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(part, self.recipe.clip)
        for group in optimiser.param_groups:
            group["lr"] = self.recipe.lr * self._share_of_lr()
        optimiser.step()
        return value

    def _share_of_lr(self) -> float:
        """Of this step; schedules run over all epochs, also where training stops before."""
        total = self.recipe.epochs * self.task.steps_an_epoch
        done = (self.place.epoch * self.task.steps_an_epoch + self.place.step) / total
        if done < self.recipe.warmup:
            return (done + 1 / total) / self.recipe.warmup
        left = (1 - done) / (1 - self.recipe.warmup)
        return {"constant": 1.0, "linear": left, "cosine": (1 - math.cos(math.pi * left)) / 2}[self.recipe.schedule]

    def _validate(self, facts: dict[str, Any]) -> bool:
        """Whether this epoch's network is the best so far."""
        due = self.place.epoch % self.recipe.validate_every == 0 or self.place.epoch == self.last
        if self.run.validate is None or not due:
            return False
        value = processes.first(self.run.validate(self.task.scorer()) if processes.rank() == 0 else 0.0)
        facts["validation"] = value
        better = self.place.best_value is None or value > self.place.best_value
        if better:
            self.place = replace(self.place, best_value=value, best_epoch=self.place.epoch, since_best=0)
            self.best = {name: tensor.clone() for name, tensor in self.task.network.state_dict().items()}
        else:
            since = self.place.since_best + 1
            self.place = replace(self.place, since_best=since, finished=since >= self.recipe.patience)
        return better

    def _save(self, *, best_changed: bool) -> None:
        if self.checkpoints is not None and processes.rank() == 0:
            self.checkpoints.save(State(self.place, self._tensors(), self.best), best_changed=best_changed)

    def _tensors(self) -> dict[str, Tensor]:
        kept = {f"network.{name}": tensor for name, tensor in self.task.network.state_dict().items()}
        for part, optimiser in self.optimisers.items():
            for number, parameter in enumerate(self.parts[part]):
                for name, tensor in optimiser.state[parameter].items():
                    kept[f"optimiser.{part}.{number}.{name}"] = tensor.reshape(-1) if tensor.ndim == 0 else tensor
        return kept

    def _put_back(self, kept: Mapping[str, Tensor]) -> None:
        self.task.network.load_state_dict(_below("network.", kept))
        for part, optimiser in self.optimisers.items():
            for number, parameter in enumerate(self.parts[part]):
                state = _below(f"optimiser.{part}.{number}.", kept)
                if state:  # a part that has not moved yet has none
                    optimiser.state[parameter] = {**state, "step": state["step"].reshape(())}

    def _check_weights(self) -> None:
        for name, tensor in self.task.network.state_dict().items():
            if not bool(torch.isfinite(tensor).all()):
                raise self._diverged(f"{name} is not finite")

    def _diverged(self, what: str) -> DataError:
        where = f"step {self.place.step + 1} of epoch {self.place.epoch + 1}"
        kept = "; the last checkpoint is kept" if self.checkpoints else ""
        return DataError("diverged", f"{self.task.name}: {what} at {where}", f"lower lr, or set clip{kept}")

    def _out_of_memory(self) -> ResourceError:
        size = sum(tensor.nbytes for tensor in self.task.network.state_dict().values()) * 4 >> 20
        where = f"step {self.place.step + 1} of epoch {self.place.epoch + 1}"
        return ResourceError("out-of-memory", f"{self.task.name}: the memory is used up at {where}; weights, gradients "
                             f"and optimiser take {size} MB", "lower dim, hidden or batch_size; what was done is kept")

    def _tell(self, facts: Mapping[str, Any]) -> None:
        if self.run.journal is not None and processes.rank() == 0:
            self.run.journal(facts)


def _below(prefix: str, kept: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in kept.items() if name.startswith(prefix)}
