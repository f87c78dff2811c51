"""What a search came to: the best of each model against the model as it is written, and the models against each other.

All of it is measured on the users by whom the best was chosen, and the best of many looks better there than it is.
`survives` says how much: the best is chosen by one half of the users and its gain measured on the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matinee.evaluation.compare import compare_all, paired
from matinee.tune.study import Study, Trial

HALVINGS = 50


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The best that ended well, the earlier of two alike; None where none did."""
    done = [trial for trial in trials if trial.done]
    return max(done, key=lambda trial: (trial.value, -trial.number), default=None)


def first_of(trials: Sequence[Trial]) -> Trial | None:
    """The model as it is written; None where it did not end well."""
    return next((trial for trial in trials if trial.number == 0 and trial.done), None)


def values_file(folder: Path, id_: str, number: int) -> Path:
    """Where each user's value of a trial stands."""
    return folder / "values" / id_ / f"{number}.npy"


def row_of(study: Study, model: str, ended: str, folder: Path, seed: int) -> dict[str, Any]:
    """One model's trials, its best, and the best against the first."""
    trials = study.trials
    best, first = best_of(trials), first_of(trials)
    states = [trial.outcome.state for trial in trials]
    row: dict[str, Any] = {
        "id": study.id,
        "model": model,
        "search": {name: space.plain() for name, space in study.spaces.items()},
        "trials": [
            {"number": trial.number, "settings": trial.settings, **vars(trial.outcome), "reports": list(trial.reports)}
            for trial in trials
        ],
        "tried": len(trials),
        **{state: states.count(state) for state in ("done", "pruned", "failed")},
        "cut": study.cut,
        "seconds": round(study.seconds, 3),
        "ended": ended,
        "first": first.value if first else None,
        "best": {"number": best.number, "value": best.value, "settings": best.settings} if best else None,
        "difference": None,
        "survives": None,
        "importances": study.importances(),
    }
    if best and first:
        values = np.stack([_values(folder, study.id, trial) for trial in trials if trial.done])
        done = [trial.number for trial in trials if trial.done]
        found = paired(values[done.index(best.number)], values[done.index(0)], seed)
        row["difference"] = vars(found)
        row["survives"] = survives(values, done.index(0), seed)
    return row


def survives(values: NDArray[np.float64], first: int, seed: int) -> float:
    """values (T, V): of the gain over trial `first`, what is left where half the users choose and the others measure.

    Mean over `HALVINGS` random halves.
    """
    rng, gains = np.random.default_rng([seed, 1]), []
    for _ in range(HALVINGS):
        order = rng.permutation(values.shape[1])
        choosing, measuring = np.array_split(order, 2)
        if not len(measuring):
            return 0.0
        best = int(values[:, choosing].mean(axis=1).argmax())
        gains.append(values[best, measuring].mean() - values[first, measuring].mean())
    return float(np.mean(gains))


def comparison(rows: Sequence[Mapping[str, Any]], folder: Path, seed: int) -> list[dict[str, Any]]:
    """The best of the leading model against that of each other one, corrected for all pairs."""
    best = {row["id"]: row["best"] for row in rows if row["best"]}
    order = sorted(best, key=lambda id_: -best[id_]["value"])
    values = {id_: np.load(values_file(folder, id_, best[id_]["number"])).astype(np.float64) for id_ in order}
    found = compare_all(values, seed) if len(values) > 1 else {}
    return [{"leader": leader, "other": other, **vars(one)}
            for (leader, other), one in found.items() if leader == order[0]]


def _values(folder: Path, id_: str, trial: Trial) -> NDArray[np.float64]:
    return np.load(values_file(folder, id_, trial.number)).astype(np.float64)  # type: ignore[no-any-return]
