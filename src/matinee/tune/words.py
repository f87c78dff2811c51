"""What a search says of itself: its budget, its cost, each trial, and the comments of the file that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matinee.config import Budget
from matinee.tune.study import MOST, Outcome, Study, Trial


def of_budget(budget: Budget) -> str:
    """`10 minutes and at most 200 trials a model`"""
    trials = f"{budget.trials} trials" if budget.trials else f"at most {MOST} trials"
    memory = f", {budget.memory:g} GB" if budget.memory else ""
    return f"{f'{budget.minutes:g} minutes and ' if budget.minutes else ''}{trials} a model{memory}"


def of_cost(studies: Mapping[str, Study], budget: Budget) -> list[str]:
    """What the search will take, from the first trial of each model."""
    lines, total = [], 0.0
    for id_, study in studies.items():
        if not study.trials:
            lines.append(f"{id_}: {study.seconds:.0f} s were not enough for one trial as the model is written")
            continue
        first = study.trials[0].outcome
        most = min(budget.trials or MOST, study.size)
        seconds = most * first.seconds
        told = f"{most:.0f} of them take about {of_time(seconds)}"
        if budget.seconds is not None and seconds > budget.seconds:
            fitting, seconds = int(budget.seconds / max(first.seconds, 1e-3)), budget.seconds
            told = f"about {max(1, fitting)} of them in {budget.minutes:g} minutes"
        memory = f" and {first.peak_mb:.0f} MB" if first.peak_mb else ""
        lines.append(f"{id_}: a trial takes {first.seconds:.1f} s{memory} as the model is written; {told}")
        total += max(0.0, seconds - study.seconds)
    return [*lines, f"about {of_time(total)} to go, quicker where settings are cheaper or trials are stopped early"]


def of_trial(id_: str, number: int, metric: str, outcome: Outcome, best: Trial | None) -> str:
    what = f"{id_} {number}: "
    if outcome.state == "done":
        assert outcome.value is not None
        newest = "as written" if number == 0 else "the best so far" if not best or outcome.value > best.value else ""
        what += f"{metric} {outcome.value:.4f}" + (f", {newest}" if newest else "")
    else:
        what += f"{outcome.state}: {outcome.why}"
    memory = f", {outcome.peak_mb:.0f} MB" if outcome.peak_mb else ""
    return f"{what}; {outcome.seconds:.1f} s{memory}"


def of_time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def heading(found: Mapping[str, Any]) -> list[str]:
    """Of tuned.yaml."""
    coming = [f"Still to be searched: {', '.join(found['to_come'])}.", ""] if found["to_come"] else []
    return [
        f"Found by `matinee tune`: {found['search']}, {found['budget']['words']}, seed {found['seed']}.",
        f"The settings were chosen by {found['metric']} on the valid part. The best of many looks better there than it",
        "is; the test part was never looked at, and `matinee run` of this file gives its figure.",
        "",
        *coming,
    ]


def of_entry(row: Mapping[str, Any], metric: str) -> str:
    """Above a model of tuned.yaml: what was tried, and what came of it."""
    states = ", ".join(f"{row[state]} {state}" for state in ("pruned", "failed", "cut") if row[state])
    tried = f"{row['tried']} trials{f' ({states})' if states else ''} in {of_time(row['seconds'])}"
    best, first, gain = row["best"], row["first"], row["difference"]
    if best is None:
        return f"{tried}: none ended well; as it was"
    if best["number"] == 0:
        return f"{tried}: none was better than what was written, {metric} {best['value']:.4f}"
    line = f"trial {best['number']} of {tried}: {metric} {best['value']:.4f}"
    if first is None or gain is None:
        return f"{line}; what was written failed"
    return (f"{line}, {first:.4f} as written;\n"
            f"gain {gain['difference']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}], "
            f"of which {row['survives']:+.4f} survives where other users measure than choose")
