"""An autoencoder that reads beside the history what is known of the user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from matinee.contract import Queries
from matinee.data.confidence import ViewCount
from matinee.data.interactions import Interactions
from matinee.errors import ModelError
from matinee.numerics import dense
from matinee.numerics.products import product
from matinee.numerics.topk import first_bad
from matinee.scoring import user_columns
from matinee.scoring.autoencoder import Autoencoder
from matinee.scoring.checks import check_catalogue


@dataclass(frozen=True, eq=False)
class ProfiledAutoencoder(Autoencoder):
    """As `Autoencoder`; beside the code stands activation(sum of `profile` over the user's columns + `profile_bias`).

    Who has no history is scored by the profile, and who has no profile either by the biases alone. 4 C P bytes more.
    """

    profile: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # (C, P)
    profile_bias: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))  # (P,)
    profile_activation: str = "tanh"
    columns: Mapping[str, Any] = field(default_factory=dict)
    """What the C inputs are, as `user_columns.learn` tells it."""
    views: bool = False
    """Is an item as much as ln(1 + how often the history has it)? Else each is 1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.profile.shape != (user_columns.width(self.columns), len(self.profile_bias)):
            raise ModelError("bad-form", f"a profile of shape {self.profile.shape} for {len(self.profile_bias)} biases "
                             f"and {user_columns.width(self.columns)} columns", "fit the model again")
        if self.profile_activation not in dense.ACTIVATIONS:
            raise ModelError("bad-form", f"profile_activation is {self.profile_activation!r}", "fit the model again")
        for name in ("profile", "profile_bias"):
            flat = getattr(self, name).reshape(-1)
            if len(flat) and first_bad(flat) >= 0:
                raise ModelError("bad-form", f"{name} is not finite", "fit the model again")

    @property
    def serves_empty(self) -> bool:  # type: ignore[override]
        return self.beside > 0

    @property
    def beside(self) -> int:
        return len(self.profile_bias)

    def shown(self, queries: Queries) -> csr_array:
        if not self.views:
            return super().shown(queries)
        check_catalogue(self, queries)
        return viewed(queries.history, self.scale)

    def known(self, queries: Queries) -> NDArray[np.float32]:
        people = user_columns.encode(self.columns, queries.attributes)
        return dense.activate(product(people, self.profile) + self.profile_bias, self.profile_activation)


def viewed(history: Interactions, scale: str) -> csr_array:
    """(B, I) ln(1 + n) for an item that a history has n times; with `l2` each row is made one long."""
    out = history.with_values(ViewCount().apply({}, history)).matrix()
    if scale != "l2":
        return out
    rows = np.repeat(np.arange(out.shape[0]), np.diff(out.indptr))
    lengths = np.sqrt(np.bincount(rows, out.data.astype(np.float64) ** 2, minlength=out.shape[0]))
    out.data /= lengths[rows].astype(np.float32)
    return out
