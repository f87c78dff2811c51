"""RecBole 1.2.1 on a split of ours. Run by its own interpreter, in an environment of its own:

    PYTHON peer_recbole.py FOLDER MODEL OUT [--metric NDCG@10] [--minutes 60] [--epochs 10000] [--set KEY=VALUE ...]

FOLDER holds FOLDER.train.inter, FOLDER.valid.inter and FOLDER.test.inter, RecBole's benchmark files, and for a model
that reads the order (its rows hold what came before) seen.tsv, user and item. Trained at RecBole's own settings, but
for epochs: early stopping ends it, or the minutes. Writes OUT.csv.gz, ten a user (user,item,rank,score, raw ids, what
train and valid hold left out), and OUT.json, last.

RecBole's autoencoders always read a user's history from train. They write OUT_asked_with_valid.csv.gz as well, made by
the same network, asked with train and valid together.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import platform
import sys
import time
import types
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

warnings.simplefilter("ignore")
for alias, now in {"float": float, "int": int, "bool": bool, "object": object}.items():
    setattr(np, alias, now)  # gone since numpy 1.24
sys.modules.setdefault("ray", types.ModuleType("ray"))  # used by its parameter search alone

import recbole  # noqa: E402
from recbole.config import Config  # noqa: E402
from recbole.data import create_dataset, data_preparation  # noqa: E402
from recbole.utils import get_model, get_trainer, init_seed  # noqa: E402

PREFIX = "item_id_list"
K, EVERY, PATIENCE, ASKED_AT_ONCE = 10, 5, 10, 512
TOLD = ("mlp_hidden_size", "hidden_dimension", "latent_dimension", "dropout_prob", "anneal_cap", "total_anneal_steps",
        "beta", "gamma", "mixture_weights", "n_enc_epochs", "n_dec_epochs", "learner", "learning_rate", "weight_decay",
        "train_batch_size", "eval_step", "stopping_step", "valid_metric", "seed")


class OutOfTime(Exception):
    """Raised after a validation."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("--metric", default="NDCG@10")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--epochs", type=int, default=10_000)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="a setting other than RecBole's own")
    asked = parser.parse_args()
    config, parts, loaders = loaded(asked)
    init_seed(config["seed"], config["reproducibility"])
    model = get_model(config["model"])(config, loaders[0]._dataset).to(config["device"])
    found = trained(config, model, loaders, asked.minutes)
    made = lists if PREFIX not in parts[0].inter_feat else partial(lists_of_rows, seen=asked.folder / "seen.tsv")
    write(asked.out.with_name(f"{asked.out.name}.csv.gz"), made(model, parts))
    if hasattr(model, "history_item_id"):
        ask_with(model, parts[:2])
        write(asked.out.with_name(f"{asked.out.name}_asked_with_valid.csv.gz"), made(model, parts))
    about = {**found, "settings": {key: config[key] for key in TOLD if config[key] is not None},
             "versions": {"recbole": recbole.__version__, "torch": torch.__version__, "numpy": np.__version__,
                          "python": platform.python_version()},
             "threads": torch.get_num_threads()}
    asked.out.with_name(f"{asked.out.name}.json").write_text(json.dumps(about, indent=1) + "\n")


def loaded(asked: argparse.Namespace) -> tuple[Config, list[Any], list[Any]]:
    """The settings, the three parts as (users, items) in RecBole's ids with their data set, and the three loaders."""
    columns = columns_of(asked.folder)
    settings = {
        "data_path": str(asked.folder.resolve().parent), "benchmark_filename": ["train", "valid", "test"],
        "load_col": {"inter": columns}, **({"alias_of_item_id": [PREFIX]} if PREFIX in columns else {}),
        "epochs": asked.epochs, "eval_step": EVERY,
        "stopping_step": PATIENCE, "valid_metric": asked.metric, "metrics": ["Recall", "NDCG"], "topk": [K],
        "eval_batch_size": ASKED_AT_ONCE * items_in(asked.folder), "show_progress": False, "state": "ERROR",
        "metric_decimal_place": 6,
        "checkpoint_dir": str(asked.out.resolve().parent), "train_neg_sample_args": None,
        **{key: json.loads(value) for key, _, value in (word.partition("=") for word in asked.set)},
    }
    sys.argv = sys.argv[:1]  # Config reads it
    config = Config(model=asked.model, dataset=asked.folder.name, config_dict=settings)
    loaders = list(data_preparation(config, create_dataset(config)))
    return config, [loader._dataset for loader in loaders], loaders


def columns_of(folder: Path) -> list[str]:
    with (folder / f"{folder.name}.test.inter").open() as file:
        return [word.partition(":")[0] for word in file.readline().strip().split("\t")]


def items_in(folder: Path) -> int:
    """Distinct items, and the padding: RecBole counts a batch of an evaluation in users x items."""
    names: set[str] = set()
    for path in folder.glob("*.inter"):
        names |= {line.split("\t")[1] for line in path.read_text().splitlines()[1:]}
    return len(names) + 1


def trained(config: Config, model: Any, loaders: list[Any], minutes: float) -> dict[str, Any]:
    """The best validated network in `model`; what it took."""
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    took: dict[str, list[float]] = {"_train_epoch": [], "_valid_epoch": []}
    for name in took:
        setattr(trainer, name, timed(getattr(trainer, name), took[name]))
    values: list[float] = []
    start = time.perf_counter()

    def after(epoch: int, value: float) -> None:
        values.append(float(value))
        seconds = time.perf_counter() - start
        print(f"{config['model']}: epoch {epoch + 1}: {value:.4f}, {seconds:.0f} s", file=sys.stderr)
        if seconds > 60 * minutes:
            raise OutOfTime

    try:
        trainer.fit(loaders[0], loaders[1], saved=True, callback_fn=after)
        stopped = "early stopping" if len(took["_train_epoch"]) < config["epochs"] else "epochs"
    except OutOfTime:
        stopped = "time"
    seconds = time.perf_counter() - start
    best = Path(trainer.saved_model_file)
    kept = torch.load(best, weights_only=False)  # written by this process
    model.load_state_dict(kept["state_dict"])
    best.unlink()
    own = trainer.evaluate(loaders[2], load_best_model=False)
    return {"epochs": len(took["_train_epoch"]), "best_epoch": kept["epoch"] + 1, "best_valid": max(values),
            "stopped_by": stopped, "seconds": round(seconds, 1),
            "seconds_an_epoch": round(float(np.mean(took["_train_epoch"])), 3),
            "seconds_an_evaluation": round(float(np.mean(took["_valid_epoch"])), 3), "valid": values,
            "own_figures_at_test": {name: float(value) for name, value in own.items()}}


def timed(work: Any, seconds: list[float]) -> Any:
    def run(*args: Any, **named: Any) -> Any:
        start = time.perf_counter()
        out = work(*args, **named)
        seconds.append(time.perf_counter() - start)
        return out

    return run


def pairs(part: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return part.inter_feat[part.uid_field], part.inter_feat[part.iid_field]


def ask_with(model: Any, parts: list[Any]) -> None:
    """Let the network read everybody's history from all these parts."""
    users, items = (torch.cat(found) for found in zip(*map(pairs, parts), strict=True))
    order = torch.argsort(users, stable=True)
    users, items = users[order], items[order]
    counts = torch.bincount(users, minlength=parts[0].user_num)
    place = torch.arange(len(users)) - (counts.cumsum(0) - counts)[users]
    model.history_item_id = torch.zeros(parts[0].user_num, int(counts.max()), dtype=torch.int64)
    model.history_item_value = torch.zeros(model.history_item_id.shape)
    model.history_item_id[users, place] = items
    model.history_item_value[users, place] = 1.0


@torch.no_grad()
def lists(model: Any, parts: list[Any]) -> Any:
    """Rows (user, item, rank, score) for everybody with something hidden at test."""
    data = parts[0]
    seen = torch.zeros(data.user_num, data.item_num, dtype=torch.bool)
    for part in parts[:2]:
        seen[pairs(part)] = True
    seen[:, 0] = True  # the padding
    for users in torch.unique(pairs(parts[2])[0]).split(ASKED_AT_ONCE):
        scores = model.full_sort_predict({data.uid_field: users}).view(len(users), -1)
        yield from best(data, users, scores.masked_fill(seen[users], -torch.inf))


@torch.no_grad()
def lists_of_rows(model: Any, parts: list[Any], seen: Path) -> Any:
    """The same of a model that reads the order: each row of test is a user, with what came before."""
    data, rows = parts[2], parts[2].inter_feat
    known = torch.zeros(data.user_num, data.item_num, dtype=torch.bool)
    known[:, 0] = True
    for line in seen.read_text().splitlines():
        user, item = line.split("\t")
        known[data.token2id(data.uid_field, user), data.token2id(data.iid_field, item)] = True
    for start in range(0, len(rows), ASKED_AT_ONCE):
        some = rows[start : start + ASKED_AT_ONCE]
        scores = model.full_sort_predict(some).view(len(some), -1)
        yield from best(data, some[data.uid_field], scores.masked_fill(known[some[data.uid_field]], -torch.inf))


def best(data: Any, users: torch.Tensor, scores: torch.Tensor) -> Any:
    found = torch.topk(scores, K)
    names = data.id2token(data.iid_field, found.indices.numpy().ravel()).reshape(-1, K)
    for user, row, values in zip(data.id2token(data.uid_field, users.numpy()), names, found.values, strict=True):
        yield from ((user, item, rank + 1, f"{value:.4g}")
                    for rank, (item, value) in enumerate(zip(row, values.tolist(), strict=True)))


def write(path: Path, rows: Any) -> None:
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        lines = csv.writer(LineWriter(packed), lineterminator="\n")
        lines.writerow(("user", "item", "rank", "score"))
        lines.writerows(rows)


class LineWriter:
    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, text: str) -> None:
        self.file.write(text.encode())


if __name__ == "__main__":
    main()
