"""One training shared by several processes, as torchrun starts them: each sees its share of every batch.

Gradients are summed over the processes after each step, so all of them hold the same network all the time. Process 0
validates, writes and answers; the others compute along. Alone in the world, nothing here costs anything, torch's import
included.
"""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from matinee.errors import ResourceError

if TYPE_CHECKING:
    from torch import Tensor, nn

MEETING = timedelta(minutes=10)
"""All have started by then."""
WORKING = timedelta(days=30)
"""Others wait so long while process 0 reads, fits and validates: no clock ends a run. One that dies is noticed at once,
by its connections."""

_everybody: Any = None
_parted = False


def count() -> int:
    return int(os.environ.get("WORLD_SIZE", "1")) if "RANK" in os.environ else 1


def rank() -> int:
    return int(os.environ.get("RANK", "0")) if count() > 1 else 0


def count_here() -> int:
    """Processes on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if count() > 1 else 1


def share(n: int) -> slice:
    """Which of n rows are this process's."""
    return slice(rank(), n, count())


@contextmanager
def joined() -> Iterator[None]:
    """Meet the other processes, where there are any. If the block fails here, the others notice and fail as well."""
    join()
    try:
        yield
    except BaseException:
        _part()
        raise


def join() -> None:
    """Meet the other processes, where there are any and nobody has done so before."""
    global _everybody
    if count() > 1 and _parted:
        raise ResourceError("process-lost", "an error has parted this process from the others before",
                            "start all of them again")
    if count() > 1 and _everybody is None:
        from torch import distributed

        with _lost():
            if not distributed.is_initialized():
                distributed.init_process_group("gloo", timeout=MEETING)
            _everybody = distributed.new_group(backend="gloo", timeout=WORKING)
        atexit.register(_part)  # its threads may not outlive the interpreter: now and then that aborts the process


def told(content: Any = None) -> Any:
    """Process 0's content, JSON-able, in every process."""
    if count() == 1:
        return content
    import torch
    from torch import distributed

    text = torch.frombuffer(bytearray(json.dumps(content).encode()), dtype=torch.uint8)
    length = torch.tensor([len(text)])
    with _lost():
        distributed.broadcast(length, 0, group=_everybody)
        if rank():
            text = torch.empty(int(length), dtype=torch.uint8)
        distributed.broadcast(text, 0, group=_everybody)
    return json.loads(text.numpy().tobytes())


def spread(tensors: Iterable[Tensor]) -> None:
    """Fill tensors with those of process 0."""
    if count() > 1:
        from torch import distributed

        with _lost():
            for tensor in tensors:
                distributed.broadcast(tensor, 0, group=_everybody)


def sums(numbers: Sequence[float]) -> list[float]:
    """Everybody's numbers added up, the same bits in each process."""
    if count() == 1:
        return list(numbers)
    import torch

    total = torch.tensor(numbers, dtype=torch.float64)
    _add_up(total)
    return [float(number) for number in total]


def sum_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """A parameter that no process has a gradient for has none afterwards either."""
    if count() > 1:
        import torch

        owners = sums([float(parameter.grad is not None) for parameter in parameters])
        for parameter, any_ in zip(parameters, owners, strict=True):
            if any_:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                _add_up(parameter.grad)


def _add_up(tensor: Tensor) -> None:
    from torch import distributed

    with _lost():
        distributed.all_reduce(tensor, group=_everybody)


def _part() -> None:
    global _everybody, _parted
    if _everybody is not None:
        from torch import distributed

        _everybody, _parted = None, True
        distributed.destroy_process_group()


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ResourceError("process-lost", f"process {rank()} of {count()} has lost another one",
                            "start the same command again: it goes on from the last checkpoint") from error
