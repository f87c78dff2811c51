"""Trainings under faults; a test's name holds the id of the row of the catalogue it covers."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import matinee
from matinee.contract import Run
from matinee.errors import DataError, ModelError, ResourceError
from matinee.nn import identity, processes
from matinee.nn.train import _optimiser
from matinee.testing.toy import planted
from tests.reliability.tiny_training import STEPS, Tiny, at, bits, checkpoints, fit, stopped, whole

DISASTERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "the loss is nan": lambda loss: loss * float("nan"),
    "the loss is inf": lambda loss: loss * float("inf"),
    "network.1.weight is not finite": lambda loss: loss + (loss - loss.detach()).sqrt(),
    "optimiser.second.0.exp_avg_sq is not finite": lambda loss: loss.detach() + 1e25 * (loss - loss.detach()),
}


@pytest.mark.parametrize("what", DISASTERS)
def test_T1_a_training_that_leaves_the_numbers_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, what: str
) -> None:
    step = STEPS - 1  # the only one that moves the second part
    with pytest.raises(DataError, match=what) as caught:
        fit(tmp_path, Tiny(hook=at(2, step, DISASTERS[what])))
    assert (caught.value.exit_code, caught.value.code) == (3, "diverged")
    assert "at step 4 of epoch 3; lower lr, or set clip; the last checkpoint is kept" in str(caught.value)
    assert checkpoints(tmp_path) == ["00001-000000000", "00002-000000000"]
    assert bits(fit(tmp_path)) == whole()


def test_T5_a_second_trainer_on_one_folder_is_refused(tmp_path: Path) -> None:
    def second(loss: torch.Tensor) -> None:
        with pytest.raises(ResourceError, match="in-use: another process is at work") as caught:
            fit(tmp_path)
        assert caught.value.exit_code == 5

    assert bits(fit(tmp_path, Tiny(hook=at(1, 1, second)))) == whole()
    assert bits(fit(tmp_path)) == whole()


@pytest.mark.parametrize("greedy", [lambda: torch.empty(1 << 50), lambda: np.empty(1 << 50)])
@pytest.mark.parametrize("validating", [False, True])
def test_T6_out_of_memory_names_the_step_and_what_it_takes(tmp_path: Path, greedy: Any, validating: bool) -> None:
    recipe, judged = Tiny(hook=at(1, 2, lambda loss: greedy())), None
    if validating:
        recipe, judged = Tiny(), lambda scorer: greedy()
    with pytest.raises(ResourceError, match=r"weights, gradients and optimiser alone take 0 MB") as caught:
        fit(tmp_path, recipe, **({"validate": judged} if judged else {}))
    assert (caught.value.exit_code, caught.value.code) == (5, "out-of-memory")
    assert ("the validation after epoch 1" if validating else "at step 3 of epoch 2") in str(caught.value)
    if not validating:
        assert bits(fit(tmp_path)) == whole()


def test_another_error_that_speaks_of_memory_is_left_as_it_is(tmp_path: Path) -> None:
    def wrong(loss: torch.Tensor) -> None:
        raise RuntimeError("unsupported memory format")

    with pytest.raises(RuntimeError, match="memory format"):
        fit(tmp_path, Tiny(hook=at(0, 0, wrong)))


def other_log() -> Any:
    log = planted().data.log
    return planted().data.with_log(log.select(np.arange(len(log)) > 0))


CHANGES: dict[str, Callable[[pytest.MonkeyPatch, Path], Any]] = {
    "data was .* and is .*": lambda patch, folder: Tiny().fit(
        other_log(), Run(checkpoint=folder, threads=1, validate=lambda scorer: 0.0)),
    "recipe.lr was 0.05 and is 0.06": lambda patch, folder: fit(folder, Tiny(lr=0.06)),
    "recipe.epochs was 8 and is 9": lambda patch, folder: fit(folder, Tiny(epochs=9)),
    "seed was 0 and is 1": lambda patch, folder: fit(folder, seed=1),
    "threads was 1 and is 2": lambda patch, folder: fit(folder, threads=2),
    "stop_at was null and is 3; validates was true and is false": lambda patch, folder: fit(
        folder, stop_at=3, validate=None),
    "versions.torch was .* and is .*9.9": lambda patch, folder: (
        patch.setattr(identity, "version", lambda name: "9.9"), fit(folder)),
    "code was .* and is .*new": lambda patch, folder: (
        patch.setattr(identity, "_code", lambda file: "new"), fit(folder)),
    "processes was 1 and is 2": lambda patch, folder: (
        patch.setattr(processes, "count", lambda: 2), patch.setattr(identity.processes, "told", lambda x=None: x),
        patch.setattr(processes, "join", lambda: None), fit(folder)),
}


@pytest.mark.parametrize("said", CHANGES)
def test_T8_what_changed_between_start_and_resume_is_named_and_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        stopped(tmp_path, 1, 1, signal.SIGINT)
    with monkeypatch.context() as patch, pytest.raises(ModelError, match=f"other-training: .*{said}") as caught:
        CHANGES[said](patch, tmp_path)
    assert caught.value.exit_code == 4
    assert "train as it was, or remove the folder" in caught.value.way
    assert bits(fit(tmp_path)) == whole()


def test_T11_threads_change_no_bit_of_these_shapes(tmp_path: Path) -> None:
    """MKL splits products with 5 to 11 rows otherwise for two threads: then lists agree where scores are apart."""
    data = matinee.load("synthetic:256x700:3")
    settings = {"dim": 48, "epochs": 3, "batch_size": 128}
    recipe = matinee.recipe("multi_vae", settings | {"hidden": [64]})
    queries = matinee.stages(data, "leave_last")["test"].ask(np.arange(data.n_users))
    one, two = (recipe.fit(data, Run(threads=threads)).score(queries) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)
    odd = matinee.recipe("multi_vae", settings | {"hidden": [64], "batch_size": 125})  # 125, 125 and 6 users
    one, two = (odd.fit(data, Run(threads=threads)).score(queries) for threads in (1, 2))
    order = np.argsort(-one, axis=1)[:, :11]
    best = np.take_along_axis(one, order, axis=1)
    clear = -np.diff(best, axis=1) > 1e-5
    again = np.take_along_axis(two, order, axis=1)
    assert (np.diff(again, axis=1)[clear] < 0).all()


def test_an_optimiser_begins_with_the_state_that_its_first_step_would_make() -> None:
    one, two = (torch.nn.Parameter(torch.tensor([[1.0, -2.0]])) for _ in range(2))
    ours, theirs = _optimiser([one], Tiny()), torch.optim.AdamW([two], lr=Tiny().lr, weight_decay=0.0, fused=True)
    for _ in range(3):
        for parameter, optimiser in ((one, ours), (two, theirs)):
            parameter.grad = parameter.detach().square() + 0.1
            optimiser.step()
    assert torch.equal(one, two)
    assert ours.state[one].keys() == theirs.state[two].keys()
    for name, tensor in theirs.state[two].items():
        assert (ours.state[one][name].dtype, ours.state[one][name].shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(ours.state[one][name], tensor)
