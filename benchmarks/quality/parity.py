"""One model of each family beside RecBole's, at equal settings on one split: how far apart are their lists?

    MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.parity --recbole PYTHON [--pair NAME ...] [--minutes 20]
    MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.parity --ours --pair NAME    # beside RecBole's that are kept
    MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.parity --page

Both sides learn from the same files and are asked with the same histories; both lists are measured by our evaluator and
compared, paired over users. A pair is a row of parity.json as soon as both have ended, its lists are in
peers/recbole/parity, and it is not measured again while both are there. Settings that one side alone has stand at what
leaves the other's model: `PAIRS` has them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from benchmarks.provenance import provenance, table
from benchmarks.quality.against_recbole import FOLDER, SEED, asked_with_train, from_file, plain, write_for_recbole
from benchmarks.quality.bench import protocols
from benchmarks.quality.measure import entry_of, fitted
from benchmarks.speed.held_out import in_raw_ids

import matinee
from matinee import durable
from matinee.data.dataset import Dataset
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.compare import paired
from matinee.experiment.stages import StageData
from matinee.ranking.lists import Lists

HERE, LISTS = Path(__file__).parent, FOLDER / "parity"
NEGATIVE = {"distribution": "uniform", "sample_num": 1, "alpha": 1.0, "dynamic": False, "candidate_num": 0}
ONCE = {"eval_step": 1}
"""Of models that are made in one pass: looked at after the fifth epoch they would never be."""
SAMPLE = {"sample_users": 0.2, "sample_events": 1}
ABOUT = """# One model of each family, ours and RecBole's, at equal settings

Made by `python -m benchmarks.quality.parity`. RecBole 1.2.1 and ours learn from the very same rows of MovieLens-1M and
are asked with the same histories; our evaluator measures both sides' ten, and compares them paired over users. Equal is
what both sides have; where an optimiser, its rate and decay, or the noise of a code are not the same, a line below says
so. Those that read the order are trained on a fifth of the users, for RecBole's take hours on all. Lists are in
peers/recbole/parity."""


@dataclass(frozen=True)
class Pair:
    family: str
    ours: str
    settings: Mapping[str, Any]
    theirs: str
    set: Mapping[str, Any]
    note: str = ""
    ordered: bool = False
    """The next item of some users instead of gap and tail; what came before is in RecBole's rows."""

    @property
    def protocol(self) -> str:
        return "next_item" if self.ordered else "gap_and_tail"


PAIRS = {
    "popularity": Pair("baseline", "popularity", {}, "Pop", ONCE,
                       "RecBole's counts an item once a batch of 2,048 events, however often it is there"),
    "item_knn": Pair("neighbours", "item_knn", {"similarity": "cosine", "neighbours": 100, "shrink": 0.0}, "ItemKNN",
                     {"k": 100, "shrink": 0.0, **ONCE}),
    "ease": Pair("linear", "ease", {"l2": 250.0}, "EASE", {"reg_weight": 250.0, **ONCE}),
    "bpr": Pair("factors", "bpr", {"dim": 64, "sampling": "uniform"}, "BPR",
                {"embedding_size": 64, "train_neg_sample_args": NEGATIVE},
                "plain steps of 0.15 and weight decay of 0.02 ours, Adam's of 0.001 without RecBole's"),
    "multi_vae": Pair("autoencoder", "multi_vae",
                      {"hidden": [600], "dim": 64, "dropout": 0.5, "batch_size": 2048, "lr": 0.001, "weight_decay": 0.0,
                       "beta": 0.0, "epochs": 400, "patience": 30},
                      "MultiVAE", {"anneal_cap": 0.0},
                      "its noise on a code is a hundredth of the distribution's, so no weight holds that to anything"),
    "fpmc": Pair("Markov", "fpmc",
                 {"dim": 64, "draws": 1, "window": 1, "query_length": 1, "lr": 0.2, "epochs": 100, "patience": 30},
                 "FPMC", {"embedding_size": 64, "train_neg_sample_args": NEGATIVE},
                 "plain steps of 0.2 that fall to 0 and weight decay of 0.01 ours, chosen on valid; Adam's of 0.001 "
                 "without RecBole's", True),
    "sasrec": Pair("sequence", "sasrec",
                   {"dim": 64, "blocks": 2, "heads": 2, "width": 256, "length": 20, "dropout": 0.5, "lr": 0.001,
                    "windows": "all", "batch_size": 102, "average": 0.0, "epochs": 200, "patience": 15},
                   "SASRec", {"hidden_size": 64, "n_layers": 2, "n_heads": 2, "inner_size": 256, "loss_type": "CE",
                              "hidden_dropout_prob": 0.5, "attn_dropout_prob": 0.5, "MAX_ITEM_LIST_LENGTH": 20},
                   "2,048 rows of one asked item and up to twenty before it a step there, 102 windows of twenty here, "
                   "each begun anew, so that a place has ten before it on average; not more than twenty, for with "
                   "fifty RecBole's epoch takes about five minutes", True),
}

Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recbole", default=os.environ.get("MATINEE_PEER_RECBOLE"), metavar="PYTHON")
    parser.add_argument("--pair", nargs="+", choices=PAIRS, default=tuple(PAIRS))
    parser.add_argument("--minutes", type=float, default=20.0, help="of RecBole's training, at most")
    parser.add_argument("--ours", action="store_true", help="measure ours anew, and keep RecBole's lists")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    asked = parser.parse_args()
    LISTS.mkdir(parents=True, exist_ok=True)
    for name in () if asked.page else asked.pair:
        kept = name in rows() and all((LISTS / f"{name}.{side}.csv.gz").is_file() for side in ("ours", "recbole"))
        if kept and not asked.ours:
            print(f"{name}: kept", flush=True)
            continue
        if asked.ours and not kept:
            parser.error(f"{name}: there are no lists of RecBole's")
        if asked.recbole is None and not asked.ours:
            parser.error("say which interpreter has RecBole: --recbole or MATINEE_PEER_RECBOLE")
        row = measured(name, PAIRS[name], asked)
        put(name, row)
        print(f"{name}: {told(row)}", flush=True)
    write_page()
    return 0


def measured(name: str, pair: Pair, asked: argparse.Namespace) -> Row:
    origin, block = provenance([SEED], matinee.Run().threads), protocols()[pair.protocol]
    about = {**block["data"], **(SAMPLE if pair.ordered else {})}
    dataset = matinee.load(Path(os.environ["MATINEE_TEST_DATA"]) / about.pop("path"), **about)
    stages = matinee.stages(dataset, {**block["split"], "seed": SEED})
    stage = stages["test"]
    entry, fitter = entry_of(pair.ours, pair.settings, block, SEED)
    start = time.perf_counter()
    scorer = fitted(entry, fitter, stages, stage)
    lists = {"ours": stage.recommend(scorer, 10) if pair.ordered else asked_with_train(scorer, stages)}
    seconds = {"ours": round(time.perf_counter() - start, 1)}
    keep(stage, lists["ours"], LISTS / f"{name}.ours.csv.gz")
    theirs = LISTS / f"{name}.recbole.csv.gz"
    found = before(rows()[name]) if asked.ours else of_recbole(pair, dataset, block, theirs, asked)
    lists["RecBole"] = from_file(theirs, stage)
    return {**compared(stage, lists), "seconds": {**seconds, "RecBole": found["seconds"]}, "epochs": found["epochs"],
            "stopped_by": found["stopped_by"],
            "best_epoch": {"ours": scorer.found.get("stop_at"), "RecBole": found["best_epoch"]}, "origin": origin}


def of_recbole(pair: Pair, dataset: Dataset, block: Mapping[str, Any], lists: Path, asked: argparse.Namespace) -> Row:
    """RecBole's training, its lists in the file `lists`: seconds, epochs, stopped_by and best_epoch."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work, pair.protocol)
        write_for_recbole(dataset, block["split"], folder)
        if pair.ordered:
            with_what_came_before(folder, pair.set.get("MAX_ITEM_LIST_LENGTH", 50))
        words = [f"{key}={json.dumps(value)}" for key, value in pair.set.items()]
        command = [asked.recbole, str(HERE / "peer_recbole.py"), str(folder), pair.theirs, str(Path(work, "found")),
                   "--minutes", str(asked.minutes), "--metric", "NDCG@10", *(["--set", *words] if words else [])]
        start = time.perf_counter()
        subprocess.run(command, check=True, cwd=work)
        seconds = round(time.perf_counter() - start, 1)
        shutil.copy(Path(work, "found.csv.gz"), lists)
        return {**json.loads(Path(work, "found.json").read_text()), "seconds": seconds}


def before(row: Row) -> Row:
    """What a row says of RecBole's training."""
    return {"seconds": row["seconds"]["RecBole"], "epochs": row["epochs"], "stopped_by": row["stopped_by"],
            "best_epoch": row["best_epoch"]["RecBole"]}


def keep(stage: StageData, lists: Lists, path: Path) -> None:
    users, items = in_raw_ids(stage, lists)
    frame = pl.DataFrame({"user": np.repeat(users, items.shape[1]), "item": items.ravel(),
                          "rank": np.tile(np.arange(items.shape[1]) + 1, len(users)), "score": lists.scores.ravel()})
    durable.write_bytes(path, gzip.compress(frame.write_csv(float_precision=4).encode(), mtime=0))
    path.chmod(0o644)


def with_what_came_before(folder: Path, most: int) -> None:
    """RecBole's rows for models that read the order: a user, the last `most` that came before, and the item that is
    asked for."""
    before: dict[str, list[str]] = {}
    for part in ("train", "valid", "test"):
        path, lines = folder / f"{folder.name}.{part}.inter", []
        if part == "test":
            seen = [f"{user}\t{item}" for user, items in before.items() for item in items]
            (folder / "seen.tsv").write_text("\n".join(seen) + "\n")
        for user, item in pl.read_csv(path, separator="\t", infer_schema=False).iter_rows():
            history = before.setdefault(user, [])
            if history:
                lines.append(f"{user}\t{' '.join(history[-most:])}\t{item}")
            history.append(item)
        path.write_text("\n".join(["user_id:token\titem_id_list:token_seq\titem_id:token", *lines]) + "\n")


def compared(stage: StageData, lists: Mapping[str, Any]) -> Row:
    assert stage.truth is not None
    values = {side: per_user(one, stage.truth, ("ndcg@10", "recall@10")) for side, one in lists.items()}
    found: Row = {"users": len(stage.truth), "metrics": {}}
    for metric in ("ndcg@10", "recall@10"):
        one, other = (values[side][metric] for side in ("ours", "RecBole"))
        result = paired(one, other, SEED)
        found["metrics"][metric] = {"ours": float(one.mean()), "RecBole": float(other.mean()),
                                    "difference": result.difference, "low": result.low, "high": result.high,
                                    "p": result.p, "verdict": result.verdict}
    same = [len(np.intersect1d(a, b)) for a, b in zip(lists["ours"].items, lists["RecBole"].items, strict=True)]
    found["overlap"] = float(np.mean(same))
    return found


def told(row: Row) -> str:
    number = row["metrics"]["ndcg@10"]
    return (f"ndcg@10 {number['ours']:.4f} ours, {number['RecBole']:.4f} RecBole's, {row['overlap']:.1f} of ten in "
            "common")


def rows() -> dict[str, Row]:
    path = LISTS / "parity.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def put(name: str, row: Row) -> None:
    every = {**rows(), name: row}
    lines = ",\n".join(f"{json.dumps(one)}: {json.dumps(every[one])}" for one in PAIRS if one in every)
    durable.write_text(LISTS / "parity.json", f"{{\n{lines}\n}}\n")
    (LISTS / "parity.json").chmod(0o644)


def write_page() -> None:
    durable.write_text(LISTS / "results.md", "\n".join(page(rows())) + "\n")
    (LISTS / "results.md").chmod(0o644)


def page(every: Mapping[str, Row]) -> Iterator[str]:
    yield from (ABOUT, "")
    head = ["family", "model", "protocol", "users", "ndcg@10, ours", "RecBole's", "difference", "95 % interval",
            "ours is", "of ten in common", "seconds, ours", "RecBole's", "best epoch, ours", "RecBole's"]
    yield from table(head, [_cells(PAIRS[name], row) for name, row in every.items()])
    yield ""
    for name, row in every.items():
        pair, origin = PAIRS[name], row["origin"]
        said = f"; {pair.note}" if pair.note else ""
        limit = "; RecBole's minutes were over" if row["stopped_by"] == "time" else ""
        yield (f"- {name}: {plain(pair.settings) or 'the defaults'}{said}{limit}. {origin['date'][:10]}, "
               f"commit {(origin['commit'] or 'unknown')[:8]}, {origin['machine']['processor']}.")


def _cells(pair: Pair, row: Row) -> Sequence[object]:
    number, seconds = row["metrics"]["ndcg@10"], row["seconds"]
    return (pair.family, f"{pair.ours}, {pair.theirs}", pair.protocol, f"{row['users']:,}", f"{number['ours']:.4f}",
            f"{number['RecBole']:.4f}", f"{number['difference']:+.4f}",
            f"{number['low']:+.4f} to {number['high']:+.4f}", number["verdict"], f"{row['overlap']:.1f}",
            seconds["ours"], seconds["RecBole"],
            row["best_epoch"]["ours"] or "", row["best_epoch"]["RecBole"])


if __name__ == "__main__":
    sys.exit(main())
