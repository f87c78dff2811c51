"""The settings of every network that reads windows of histories, written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le, Lt

from matinee.nn.item_starts import Beginning
from matinee.nn.output import Precision
from matinee.nn.windows import Cut


@dataclass(frozen=True, kw_only=True)
class Windowed(Beginning):
    family: ClassVar[str] = "sequence"
    weighs_history: ClassVar[bool] = False

    batch_size: Annotated[int, Ge(1), Le(100_000)] = 128
    """Windows a step."""
    length: Annotated[int, Ge(1), Le(10_000)] = 200
    """Of a history so many newest events are read."""
    windows: Cut = "newest"
    """Of a longer history an epoch learns from the newest window alone, or from all, each read by itself."""
    dim: Annotated[int, Ge(1), Le(8192)] = 64
    """Length of an item's vector."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of all inner numbers that is hidden in a step, to 1/256."""
    precision: Precision = "float32"
    """Of the numbers that the last layer multiplies where all items are asked for; `bfloat16` is faster where the
    processor has AVX512-BF16 or AMX. Sums and all that is kept are float32."""
