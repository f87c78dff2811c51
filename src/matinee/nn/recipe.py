"""The settings that every model trained by steps has, written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Lt

from matinee.contract import Recommender


@dataclass(frozen=True, kw_only=True)
class Trained(Recommender):
    validates: ClassVar[bool] = True

    epochs: Annotated[int, Ge(1), Le(10_000)] = 200
    """Passes over the training log, at most; schedules run over all of them, whenever training stops."""
    patience: Annotated[int, Ge(1), Le(10_000)] = 10
    """Training stops after so many validations without a better one, and the best one is what it yields."""
    validate_every: Annotated[int, Ge(1), Le(1000)] = 1
    """Epochs between validations."""
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 512
    """Users, or histories, a step."""
    lr: Annotated[float, Gt(0), Le(10)] = 1e-3
    """Length of Adam's steps (Kingma and Ba, ICLR 2015)."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How `lr` falls: not at all, in a straight line to 0, or along half a cosine to 0."""
    warmup: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Share of all steps over which `lr` first rises from 0."""
    weight_decay: Annotated[float, Ge(0), Le(10)] = 0.0
    """Shrinks all weights by lr x this a step, apart from the loss (Loshchilov and Hutter, ICLR 2019)."""
    clip: Annotated[float, Ge(0), Le(1e6)] = 0.0
    """The longest that a step's gradient may be, over all weights together; 0: any length."""
    average: Annotated[float, Ge(0), Lt(1)] = 0.0
    """Validated and kept is the mean of the networks after each epoch, an older one counting this much of the next and
    the first few alike; 0: the newest alone. A falling `lr` does the same, at an epoch that is fixed before (Polyak and
    Juditsky, SIAM Journal on Control and Optimization, 1992)."""
