"""Matinee's side of the stages on sequence models, one a process; prints JSON.

    python -m benchmarks.speed.next_item epochs FOLDER LISTS.npz EPOCHS PRECISION   SASRec: an epoch, and ten for all
    python -m benchmarks.speed.next_item levels FOLDER PRECISION NDCG ...           seconds until test has so much
    python -m benchmarks.speed.next_item rank FOLDER                                ten for everybody, after one epoch
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
from benchmarks.speed.held_out import held_out, in_raw_ids, next_item, now, seconds_of

import matinee
from matinee.contract import Scorer

SASREC = {"dim": 64, "blocks": 2, "heads": 1, "width": 64, "length": 200, "dropout": 0.1}
PEERS_STEP = {"batch_size": 128, "lr": 0.001}
"""What the peer takes; ours are the defaults where quality is asked for."""
FEW = "synthetic:600x300"
EVERY = 2
"""Epochs between looks at test, whose time is not counted."""


def epochs(folder: str, target: str, count: str, precision: str) -> dict[str, float]:
    """The first epoch holds all that is made before it."""
    stage, settings = next_item(folder, refit=True)["test"], {**SASREC, **PEERS_STEP, "precision": precision}
    few = next_item(FEW, refit=True)["test"]
    few.recommend(matinee.recipe("sasrec", {**settings, "epochs": 1}).fit(few.fit), 10)
    times = [now()]
    run = matinee.Run(journal=lambda facts: times.append(now()))
    scorer = matinee.recipe("sasrec", {**settings, "epochs": int(count)}).fit(stage.fit, run)
    each = [seconds_of("epoch", start, end) for start, end in pairwise(times)]
    start = now()
    lists = stage.recommend(scorer, 10)
    ranked = seconds_of("top10", start, now())
    users, items = in_raw_ids(stage, lists)
    np.savez(target, users=users, items=items)
    return {**{name: median(one[name] for one in each) for name in each[0]}, **ranked}


def levels(folder: str, precision: str, *wanted: str) -> dict[str, Any]:
    """Fitted on train alone. Seconds of training, and epochs, until ndcg@10 at test is so much; what was seen there."""
    stages = next_item(folder)
    test, seen, away = stages["test"], [], [0.0]

    def look(scorer: Scorer) -> float:
        begin = time.perf_counter()
        row = test.measure(test.recommend(scorer, 10), ["ndcg@10"])[0]
        seen.append({"epoch": EVERY * (len(seen) + 1), "seconds": begin - start - away[0], "ndcg@10": row.value})
        away[0] += time.perf_counter() - begin
        return row.value

    recipe = matinee.recipe("sasrec", {**SASREC, "precision": precision, "validate_every": EVERY})
    start = time.perf_counter()
    recipe.fit(stages["valid"].fit, matinee.Run(validate=look))
    reached = {level: next((one for one in seen if one["ndcg@10"] >= float(level)), None) for level in wanted}
    return {"curve": seen, "levels": reached}


def rank(folder: str) -> dict[str, float]:
    stage = held_out(folder)
    scorer = matinee.recipe("sasrec", {**SASREC, "loss": "sampled_softmax", "epochs": 1}).fit(stage.fit)
    start = now()
    stage.recommend(scorer, 10)
    return {**seconds_of("top10", start, now()), "users": len(stage.users)}


if __name__ == "__main__":
    what, *told = sys.argv[1:]
    stages: dict[str, Callable[..., dict[str, Any]]] = {"epochs": epochs, "levels": levels, "rank": rank}
    print(json.dumps(stages[what](*told)))
