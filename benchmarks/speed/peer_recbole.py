"""RecBole's side. Run by its own interpreter; prints JSON.

    PYTHON peer_recbole.py FOLDER EPOCHS BATCH HIDDEN CODE

FOLDER holds FOLDER.train.inter and so on; what `valid` hides is what is ranked against. An evaluation is RecBole's own:
everybody, the whole catalogue, seen left out, five metrics of the ten best. It is taken at RecBole's own
`eval_batch_size`, which comes to one user at a time, and at as many users at a time as we rank together.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

warnings.simplefilter("ignore")
for alias, now in {"float": float, "int": int, "bool": bool, "object": object}.items():
    setattr(np, alias, now)  # gone since numpy 1.24
sys.modules.setdefault("ray", types.ModuleType("ray"))  # used by its parameter search alone

from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset, data_preparation  # noqa: E402
from recbole.data.dataloader import FullSortEvalDataLoader  # noqa: E402
from recbole.utils import get_model, get_trainer, init_seed  # noqa: E402

AT_ONCE = 2048


def main() -> None:
    folder, (epochs, batch, hidden, code) = Path(sys.argv[1]).resolve(), map(int, sys.argv[2:])
    sys.argv = sys.argv[:1]  # Config reads it
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)  # it leaves logs where it runs
        config = Config("MultiVAE", folder.name, config_dict={
            "data_path": str(folder.parent), "benchmark_filename": ["train", "valid", "test"],
            "load_col": {"inter": ["user_id", "item_id"]}, "train_neg_sample_args": None, "train_batch_size": batch,
            "mlp_hidden_size": [hidden], "latent_dimension": 2 * code, "dropout_prob": 0.5, "epochs": epochs,
            "eval_step": 0, "show_progress": False, "state": "ERROR", "checkpoint_dir": work, "seed": 0})
        init_seed(0, reproducibility=True)
        train, valid, _ = data_preparation(config, create_dataset(config))
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(
            config, get_model("MultiVAE")(config, train._dataset))
        plain, took = trainer._train_epoch, []

        def epoch(*args: Any, **named: Any) -> Any:
            out: list[Any] = []
            took.append(timed(lambda: out.append(plain(*args, **named))))
            return out[0]

        trainer._train_epoch = epoch
        trainer.fit(train, saved=False, verbose=False)
        out = {name: median(one[at] for one in took) for at, name in enumerate(("epoch", "epoch_cpu"))}
        found: list[Any] = []
        out |= evaluation("evaluation", lambda: found.append(trainer.evaluate(valid, load_best_model=False)))
        config["eval_batch_size"] = AT_ONCE * train._dataset.item_num
        many = FullSortEvalDataLoader(config, valid._dataset, valid._sampler)
        out |= evaluation("evaluation_of_many", lambda: found.append(trainer.evaluate(many, load_best_model=False)))
        assert abs(found[0]["ndcg@10"] - found[1]["ndcg@10"]) < 1e-3, found
        print(json.dumps({**out, "users": valid.sample_size, "ndcg@10": float(found[0]["ndcg@10"])}))


def evaluation(name: str, work: Callable[[], None]) -> dict[str, float]:
    return dict(zip((name, f"{name}_cpu"), timed(work), strict=True))


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds by the clock, and of all threads together."""
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


if __name__ == "__main__":
    main()
