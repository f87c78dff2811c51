"""Our autoencoders' peer on our protocols: RecBole 1.2.1 trains on the split of ours, and its lists are measured.

    MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.against_recbole --recbole PYTHON
        [--protocol NAME ...] [--model NAME ...] [--minutes 60] [--epochs N] [--to FOLDER] [--page]
    MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.against_recbole --ours [--protocol NAME ...] [--model ...]

PYTHON is the interpreter of RecBole's environment (MATINEE_PEER_RECBOLE serves as default). Every model is a row of
peers/recbole/results.json as soon as it has ended, and is not trained again while its row and its lists are there;
delete its lists to have it trained anew. `--ours` fits ours on the same split and asks them in both ways.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from benchmarks.provenance import provenance, table
from benchmarks.quality.bench import HERE, cases, protocols
from benchmarks.quality.measure import entry_of, fitted, read

import matinee
from matinee import catalog, durable
from matinee.contract import Scorer
from matinee.data.dataset import Dataset
from matinee.ensemble.external import read_lists
from matinee.experiment.stages import StageData
from matinee.ranking.lists import Lists
from matinee.ranking.recommend import masks_of
from matinee.ranking.topk import top_k
from matinee.split import PROTOCOLS
from matinee.split.export import write as export

FOLDER = HERE / "peers" / "recbole"
PROTOCOL_NAMES = ("random_811", "gap_and_tail")
MODELS = {"MultiVAE": "multi_vae", "MultiDAE": "multi_dae", "RecVAE": "rec_vae"}
METRICS = ("ndcg@10", "recall@10")
STOPS = {"ndcg@10": "NDCG@10", "recall@10": "Recall@10"}
ASKED = {"train": "", "train + valid": "_asked_with_valid"}
"""What histories the network was asked with, and how the file of its lists ends."""
SEED, BLOCK = 0, 1024
ABOUT = """RecBole 1.2.1, trained on the very split that ours are trained on (seed 0) at RecBole's own settings; epochs
until early stopping on valid, looked at every five epochs, or until the minutes were over. Its lists are measured by
our evaluator against the same truth, what train and valid hold left out.

RecBole's autoencoders read a user's history from train, at test too; ours are asked with train and valid, which is
more. So each row is measured in both ways: "asked with train" is how RecBole ranks, "asked with train + valid" the same
network given what ours are given. Compare within a column.

What differs from the papers in RecBole's code, which is used as it is: `latent_dimension` counts mean and variance
together, so a Multi-VAE of 128 has a code of 64; the noise on a code has a standard deviation of 0.01 times the
distribution's; Multi-VAE's KL weight rises by 1/200,000 a step, and an epoch of these data has three steps."""

Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recbole", default=os.environ.get("MATINEE_PEER_RECBOLE"), metavar="PYTHON")
    parser.add_argument("--protocol", nargs="+", choices=PROTOCOL_NAMES, default=PROTOCOL_NAMES)
    parser.add_argument("--model", nargs="+", choices=MODELS, default=tuple(MODELS))
    parser.add_argument("--minutes", type=float, default=60.0, help="of training, at most")
    parser.add_argument("--epochs", type=int, default=10_000, help="at most")
    parser.add_argument("--to", type=Path, default=FOLDER)
    parser.add_argument("--ours", action="store_true", help="fit and measure ours")
    parser.add_argument("--page", action="store_true", help="run nothing, write the page")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    for protocol in () if asked.page else asked.protocol:
        block = protocols()[protocol]
        stages: dict[str, Any] = {}
        for model in asked.model:
            if not asked.ours and finished(asked.to, protocol, model):
                print(f"{protocol}: {model}: kept", flush=True)
                continue
            if not stages:
                dataset = read(block)
                stages = matinee.stages(dataset, {**block["split"], "seed": SEED})
            found = ours(protocol, model, block, stages) if asked.ours else [
                theirs(protocol, model, block, dataset, stages["test"], asked)]
            for row in found:
                put(asked.to, row)
                print(f"{protocol}: {told(row)}", flush=True)
    write_page(asked.to)
    return 0


def theirs(
    protocol: str, model: str, block: Mapping[str, Any], dataset: Dataset, stage: StageData, asked: argparse.Namespace
) -> Row:
    if asked.recbole is None:
        raise SystemExit("say which interpreter has RecBole: --recbole or MATINEE_PEER_RECBOLE")
    origin = provenance([SEED], matinee.Run().threads)
    with tempfile.TemporaryDirectory() as work:
        data = Path(work) / protocol
        write_for_recbole(dataset, block["split"], data)
        command = [asked.recbole, str(HERE / "peer_recbole.py"), str(data), model, str(Path(work, model)), "--metric",
                   STOPS[block["main"]], "--minutes", str(asked.minutes), "--epochs", str(asked.epochs)]
        subprocess.run(command, check=True, cwd=work)  # it leaves logs where it runs
        measured = {how: figures(stage, from_file(Path(work, f"{model}{end}.csv.gz"), stage))
                    for how, end in ASKED.items()}
        about = json.loads(Path(work, f"{model}.json").read_text())
        (asked.to / protocol).mkdir(exist_ok=True)
        for end in ASKED.values():
            name = f"{model}{end}.csv.gz"
            shutil.copy(Path(work, name), asked.to / protocol / name)
    return {"protocol": protocol, "side": "RecBole", "model": model, "asked": measured, **about, "origin": origin}


def ours(protocol: str, model: str, block: Mapping[str, Any], stages: Mapping[str, StageData]) -> Iterator[Row]:
    """A row for each setting of ours; none for a model that we do not have."""
    if MODELS[model] not in catalog.names():
        return
    for case in cases(MODELS[model], protocol):
        origin = provenance([SEED], matinee.Run().threads)
        entry, fitter = entry_of(case.model, case.settings, block, SEED)
        scorer = fitted(entry, fitter, stages, stages["test"])
        measured = {"train": figures(stages["test"], asked_with_train(scorer, stages)),
                    "train + valid": figures(stages["test"], stages["test"].recommend(scorer, 10))}
        yield {"protocol": protocol, "side": "ours", "model": case.name, "asked": measured, "settings": case.recipe,
               "best_epoch": scorer.found.get("stop_at"), "origin": origin}


def write_for_recbole(dataset: Dataset, split: Mapping[str, Any], folder: Path) -> None:
    """The three benchmark files of a split, NAME.train.inter and so on in the folder NAME."""
    keys = {key: value for key, value in split.items() if key != "protocol"}
    made = PROTOCOLS[split["protocol"]](**keys, seed=SEED).split(dataset)
    with tempfile.TemporaryDirectory() as work:
        files = export(made, dataset, Path(work, "split"))
        if {path.name for path in files} != {"train.csv", "valid.csv", "test.csv", "split.json"}:
            raise SystemExit("this split asks with other histories than train, and train and valid: RecBole cannot")
        folder.mkdir(parents=True)
        for part in ("train", "valid", "test"):
            frame = pl.read_csv(Path(work, "split", f"{part}.csv"), infer_schema=False)
            frame.select(pl.col("user").alias("user_id:token"), pl.col("item").alias("item_id:token")).write_csv(
                folder / f"{folder.name}.{part}.inter", separator="\t", quote_style="never")


def from_file(path: Path, stage: StageData) -> Lists:
    """Raises SystemExit where the lists are not ten known, unseen, distinct items for everybody."""
    lists, counts = read_lists(path, stage.fit.users, stage.fit.items, seen=stage.given)
    wrong = {name: count for name, count in counts.items() if count and name != "rows"}
    if wrong or not np.array_equal(lists.users, stage.users) or lists.depth != 10 or (lists.items < 0).any():
        raise SystemExit(f"{path.name}: not ten unseen items for each of {len(stage.users)} users: {wrong or counts}")
    return lists


def asked_with_train(scorer: Scorer, stages: Mapping[str, StageData]) -> Lists:
    """As RecBole does it: the histories are those of train, and what train and valid hold is left out."""
    test, items, scores = stages["test"], [], []
    for start in range(0, len(test.users), BLOCK):
        users = test.users[start : start + BLOCK]
        masks = masks_of(test.ask(users), False, ())
        best, values = top_k(scorer.score(stages["valid"].ask(users)), 10, masks)
        items.append(best)
        scores.append(values)
    found = np.concatenate(items)
    return Lists(test.users, found, np.concatenate(scores), np.zeros(found.shape, bool))


def figures(stage: StageData, lists: Lists) -> dict[str, list[float]]:
    """Of each metric the value and the ends of its 95 % interval."""
    return {row.metric: [round(float(number), 6) for number in (row.value, row.low, row.high)]
            for row in stage.measure(lists, METRICS, seed=SEED)}


def finished(folder: Path, protocol: str, model: str) -> bool:
    files = [folder / protocol / f"{model}{end}.csv.gz" for end in ASKED.values()]
    return all(file.is_file() for file in files) and any(
        (row["protocol"], row["side"], row["model"]) == (protocol, "RecBole", model) for row in rows_in(folder))


def rows_in(folder: Path) -> list[Row]:
    path = folder / "results.json"
    return list(json.loads(path.read_text())["rows"]) if path.is_file() else []


def put(folder: Path, row: Row) -> None:
    names = ("protocol", "side", "model")
    rows = [old for old in rows_in(folder) if any(old[name] != row[name] for name in names)] + [row]
    rows.sort(key=lambda one: (PROTOCOL_NAMES.index(one["protocol"]), one["side"] != "RecBole", one["model"]))
    lines = ",\n".join(json.dumps(one) for one in rows)
    durable.write_text(folder / "results.json", f'{{"rows": [\n{lines}\n]}}\n')
    (folder / "results.json").chmod(0o644)


def write_page(folder: Path) -> None:
    durable.write_text(folder / "results.md", "\n".join(page(rows_in(folder))) + "\n")
    (folder / "results.md").chmod(0o644)


def page(rows: Sequence[Row]) -> Iterator[str]:
    yield "# RecBole's autoencoders and ours on the same splits"
    yield ""
    yield ABOUT
    head = ["", "model", *(f"{metric}, asked with {how}" for metric in METRICS for how in ASKED), "best epoch",
            "epochs", "minutes", "an epoch, s", "an evaluation, s", "stopped by", "date, commit", "machine"]
    for protocol in PROTOCOL_NAMES:
        own = [row for row in rows if row["protocol"] == protocol]
        if not own:
            continue
        yield from ("", f"## {protocol}", "")
        yield from table(head, [[
            row["side"], row["model"],
            *(_figure(row["asked"][how][metric]) for metric in METRICS for how in ASKED), row["best_epoch"] or "",
            row.get("epochs", ""), f"{row['seconds'] / 60:.1f}" if "seconds" in row else "",
            row.get("seconds_an_epoch", ""), row.get("seconds_an_evaluation", ""), row.get("stopped_by", ""),
            f"{row['origin']['date'][:10]}, {(row['origin']['commit'] or 'unknown')[:8]}",
            f"{row['origin']['machine']['processor']}, {row['origin']['machine']['cores']} cores"] for row in own])
        yield ""
        for row in own:
            if row["side"] == "RecBole":
                own = row["own_figures_at_test"]["ndcg@10"]
                yield (f"- {row['model']}: {plain(row['settings'])}; {plain(row['versions'])}. Its own evaluator "
                       f"says ndcg@10 {own:.4f} of the lists asked with train.")


def told(row: Row) -> str:
    return f"{row['side']} {row['model']}: " + "; ".join(
        f"asked with {how}: " + ", ".join(f"{metric} {_figure(numbers)}" for metric, numbers in found.items())
        for how, found in row["asked"].items())


def _figure(numbers: Sequence[float]) -> str:
    return "{:.4f} ({:.4f} to {:.4f})".format(*numbers)


def plain(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


if __name__ == "__main__":
    sys.exit(main())
