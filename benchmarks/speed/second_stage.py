"""Matinee's side of the stage on two stages, in a process of its own; prints JSON.

    python -m benchmarks.speed.second_stage FOLDER      EASE and transitions, 100 deep each, ordered by boosted trees
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.speed.held_out import held_out, now, seconds_of

import matinee
from matinee.config import CandidateSettings
from matinee.experiment.two_stage import candidates, inner_stage, recalls, second_stage
from matinee.features.fitted import with_features
from matinee.split.gap_and_tail import GapAndTail

SETTINGS = CandidateSettings(sources=("ease", "transitions"), depth=100)
FEATURES = ("item_count", "user_count", "release_year", "release_age", "era", "genre", "genre_affinity",
            "director_affinity", "writer_affinity", "oldest_year", "newest_year", "frequent_year")


def two_stages(folder: str) -> dict[str, Any]:
    """The order is taught by at most 20,000 users; ranking everybody asks both stages."""
    stage, run = held_out(folder), matinee.Run()
    recipes = [matinee.recipe(name, {}) for name in SETTINGS.sources]
    inner = inner_stage(GapAndTail(), "test", stage.fit)
    start = now()
    found = candidates([one.fit(inner.fit, run) for one in recipes], inner, SETTINGS, run.seed, run.progress)
    took = seconds_of("candidates", start, now())
    start = now()
    ranker = matinee.recipe("boosted_ranker", {})
    order = second_stage(found, inner, stage.fit, knowing=[one.fit(stage.fit, run) for one in recipes],
                         teach=lambda data: ranker.fit(with_features(data, FEATURES), run))
    took |= seconds_of("order", start, now())
    first = now()
    first_lists = stage.recommend(order.sources[0], 10)
    took |= seconds_of("top10_first", first, now())
    start = now()
    lists = stage.recommend(order, 10)
    took |= seconds_of("top10", start, now())
    of = [next(row.value for row in stage.measure(one, ["recall@10"])) for one in (first_lists, lists)]
    shares = recalls(order.sources, stage, SETTINGS)
    return {**took, "users": len(stage.users), "recall@10": of[1], "recall@10_first": of[0], "held": shares,
            "trees": order.found["stop_at"]}


if __name__ == "__main__":
    print(json.dumps(two_stages(*sys.argv[1:])))
