"""What every way of splitting shares: a frozen recipe with `split(dataset) -> Split`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le

from matinee.data.dataset import Dataset
from matinee.split.parts import Split


@dataclass(frozen=True, kw_only=True)
class Protocol(ABC):
    """One a file; the file name is the protocol's name."""

    seed: Annotated[int, Ge(0), Le(2**63 - 1)] = 0
    """Of every random draw. A draw hangs on the seed, the raw ids and the times of the user's own events, on nothing
    else: neither the order of the rows nor the presence of other users changes it."""
    refit: bool = False
    """Learn from train + valid before testing. What is hidden in test stays hidden either way."""

    @abstractmethod
    def split(self, dataset: Dataset) -> Split:
        """Raises DataError where a stage would hide nothing at all."""

    @property
    def settings(self) -> dict[str, Any]:
        """The protocol's name and its keys, JSON-able."""
        shown = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {"protocol": type(self).__module__.rpartition(".")[2], **shown}

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that are read beside the data set: whoever caches a split must look at their content."""
        return ()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value.isoformat() if isinstance(value, date) else value
