"""One model on one log: seconds to fit and to rank everybody; prints JSON.

    python -m benchmarks.growth.one MODEL synthetic:31360x6807
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

import matinee
from matinee.experiment.stages import final_stage
from matinee.numerics.item_item import FEW
from matinee.ranking.recommend import recommend_blocks


def main() -> None:
    name, spec = sys.argv[1:]
    few = matinee.load(f"synthetic:{FEW + 500}x300")
    fitted(name, few)  # kernels are compiled or loaded before the clock runs
    print(json.dumps(fitted(name, matinee.load(spec))))


def fitted(name: str, dataset: matinee.Dataset) -> dict[str, float]:
    recipe = matinee.recipe(name, {})
    start = time.perf_counter()
    scorer = recipe.fit(dataset, matinee.Run())
    middle = time.perf_counter()
    stage = final_stage(dataset, np.arange(dataset.n_users), ())
    for _ in recommend_blocks(scorer, stage.ask, stage.users, 10, repeats=dataset.facts.repeats,
                              fallback=stage.fallback, personal=recipe.personal):
        pass
    return {"users": dataset.n_users, "events": len(dataset.log), "fit": middle - start,
            "score": time.perf_counter() - middle}


if __name__ == "__main__":
    main()
