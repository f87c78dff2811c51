"""Matinee's side of the stage on features and memory, in a process of its own; prints JSON.

    python -m benchmarks.speed.fm_features FOLDER none|all      FM: an epoch, then ten for everybody
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.speed.held_out import held_out, now, seconds_of

import matinee
from matinee.features.fitted import with_features
from matinee.features.registry import feature, names

NOT_THERE = {"age", "gender", "occupation"}
"""The log has no demographics."""


def features_of(which: str) -> list[str]:
    """All that FM can read of users and items."""
    there = [name for name in names() if feature(name).scope != "pair" and name not in NOT_THERE]
    return there if which == "all" else []


def fm(folder: str, which: str) -> dict[str, Any]:
    stage, run = held_out(folder), matinee.Run()
    start = now()
    data = with_features(stage.fit, features_of(which))
    took = seconds_of("features", start, now())
    start = now()
    scorer = matinee.recipe("fm", {"epochs": 1}).fit(data, run)
    took |= seconds_of("fit", start, now())
    start = now()
    stage.recommend(scorer, 10)
    took |= seconds_of("top10", start, now())
    return {**took, "users": len(stage.users), "items": data.n_items, "features": len(features_of(which))}


if __name__ == "__main__":
    print(json.dumps(fm(*sys.argv[1:])))
