"""Boosted trees by LightGBM (Ke et al., NeurIPS 2017), loaded when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.errors import ConfigError

Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Rows:
    """Pairs of users and items, user by user."""

    table: Matrix  # (N, F)
    hidden: NDArray[np.bool_]  # (N,) what is to be on top
    groups: NDArray[np.int64]  # the number of rows of each user


@dataclass(frozen=True)
class Trees:
    text: str

    @cached_property
    def booster(self) -> Any:
        return _lightgbm().Booster(model_str=self.text)

    def sums(self, table: Matrix, threads: int | None = None) -> NDArray[np.float32]:
        """(N, F) -> (N,) of all trees; the same bits at any number of threads."""
        if len(table) == 0:
            return np.empty(0, np.float32)
        found = self.booster.predict(table, num_threads=threads or 0, raw_score=True)
        return np.asarray(found, np.float64).astype(np.float32)

    def parts(self, table: Matrix) -> NDArray[np.float64]:
        """(N, F + 1) what each column adds to a row's sum, the mean of all sums last (SHAP; Lundberg et al., 2020)."""
        return np.asarray(self.booster.predict(table, pred_contrib=True), np.float64)

    def gains(self, columns: Sequence[str]) -> dict[str, float]:
        """Of each column, by how much its splits brought the loss down: shares of 1."""
        gains = self.booster.feature_importance("gain")
        whole = gains.sum() or 1.0
        return {name: float(gain / whole) for name, gain in zip(columns, gains, strict=True)}


def grown(
    settings: Mapping[str, Any], train: Rows, held: Rows | None, columns: Sequence[str], named: Sequence[int],
    rounds: int, patience: int, watch: Callable[[int, float | None], None],
) -> tuple[Trees, int]:
    """The trees, and how many; with `held`, as many as have the best NDCG@10 there.

    named    columns of names, not of quantities
    watch    told the number of trees so far, and the NDCG@10 on `held`
    Raises ConfigError (`no-lightgbm`) where it is not installed.
    """
    lightgbm = _lightgbm()
    parameters = {"metric": "ndcg", "eval_at": [10], "verbosity": -1, "deterministic": True, "force_row_wise": True,
                  "label_gain": [0, 1], "feature_pre_filter": False, **settings}
    names = [f"{at}_{_plain(name)}" for at, name in enumerate(columns)]

    def told(state: Any) -> None:
        result = state.evaluation_result_list
        watch(state.iteration + 1, float(result[0][2]) if result else None)

    def data(rows: Rows, reference: Any = None) -> Any:
        return lightgbm.Dataset(rows.table, rows.hidden.astype(np.int8), group=rows.groups, feature_name=names,
                                categorical_feature=list(named), reference=reference, free_raw_data=True)

    learnt = data(train)
    calls: list[Any] = [told]
    if held is not None:
        calls.append(lightgbm.early_stopping(patience, verbose=False))
    booster = lightgbm.train(parameters, learnt, rounds, valid_sets=[data(held, learnt)] if held is not None else None,
                             callbacks=calls)
    best = booster.best_iteration if held is not None else booster.current_iteration()
    return Trees(booster.model_to_string(num_iteration=best)), int(best)


def _plain(name: str) -> str:
    """LightGBM keeps names in a text of its own, in which some characters mean something."""
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def _lightgbm() -> Any:
    try:
        import lightgbm
    except ImportError as error:
        raise ConfigError("no-lightgbm", "boosted trees need LightGBM, which is not installed",
                          "pip install 'matinee[rank]'") from error
    return lightgbm
