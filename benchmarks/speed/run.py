"""Seconds and megabytes, each against a peer in one run where there is one.

    python -m benchmarks.speed.run --movierec FOLDER [--rectools PYTHON] [--implicit PYTHON] [--fastslim PYTHON]
        [--lenskit PYTHON] [--recbole PYTHON] [--ml-1m FOLDER] [--epochs 5] [--rounds 3] [--only csv ease]

FOLDER holds a log in the layout `boostcamp`, and after --ml-1m MovieLens-1M. The peers live in environments of their
own; PYTHON is the interpreter of one. Both sides get the same rows, the same users and settings of equal quality, and
take turns: A B A B A B, each time in a new process. Every stage is written to results.json and results.md as soon as it
is measured; stages that were not asked for, or whose peer is not given, keep what was there.

Environment: MATINEE_MOVIEREC, MATINEE_PEER_RECTOOLS, MATINEE_PEER_IMPLICIT and so on serve as defaults.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.provenance import load, provenance, write
from benchmarks.speed.figures import against, alone, launched, same, shown, spread
from benchmarks.speed.held_out import held_out, next_item, recall, write_benchmark, write_train
from benchmarks.speed.mirror import mirror
from benchmarks.speed.report import lines

import matinee
from matinee.experiment.stages import StageData

HERE = Path(__file__).parent
PEERS = {"rectools": "RecTools", "implicit": "implicit", "fastslim": "fastslim", "lenskit": "LensKit",
         "recbole": "RecBole"}
EVERY = 16
"""LensKit ranks a user at a time: the ten are asked for users alone whose id this divides, on both sides."""
EPOCHS = {"als": (2, 4, 8, 16), "bpr": (5, 10, 20, 40)}
TRANSPOSED = ("RecTools 0.19 ranks with the transpose of its weights, which divides by the diagonal of the item in the "
              "history and not of the item scored. Our weights, transposed, give its recall to the fourth digit; the "
              "work is the same.")
MULTI_VAE = (512, 600, 200)
"""Users a step, hidden units, numbers of the code, on both sides; dropout 0.5."""
MOST_MB = 1536.0
"""Of a whole process that trains and evaluates it."""
LEVELS = ("0.150", "0.165", "0.173")
SIZES = ("synthetic:31360x6807", "synthetic:200000x6807")


class Bench:
    """What every stage needs. The log is read when a stage first asks for it, and not kept while others run."""

    def __init__(self, asked: argparse.Namespace, work: Path) -> None:
        self.movierec, self.work = Path(asked.movierec).resolve(), work
        self.peers = {name: getattr(asked, name) for name in PEERS}
        self.rounds: int = asked.rounds
        self.epochs: int = asked.epochs
        self.ml_1m = None if asked.ml_1m is None else Path(asked.ml_1m).resolve()
        self.train = work / "train.npz"

    def prepared(self) -> tuple[StageData, dict[str, Path]]:
        """The stage that lists are measured at, with its rows written for a peer; and where each side puts lists."""
        stage = held_out(self.movierec)
        write_train(stage, self.train)
        return stage, {side: self.work / f"{side}.npz" for side in ("ours", "peer")}

    def ours(self, *words: object) -> dict[str, Any]:
        return launched([sys.executable, "-m", "benchmarks.speed.ours", *map(str, words)])

    def next_item(self, *words: object) -> dict[str, Any]:
        return launched([sys.executable, "-m", "benchmarks.speed.next_item", *map(str, words)])

    def peer(self, name: str, *words: object) -> dict[str, Any]:
        return launched([self.peers[name], str(HERE / f"peer_{name}.py"), *map(str, words)])

    def rounds_of(self, ours: Callable[[], dict[str, Any]], peer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A B A B A B; each round with the load average before it."""
        found: dict[str, list[Any]] = {"ours": [], "peer": [], "load": []}
        for at in range(self.rounds):
            found["load"].append(load()[0])
            for side, work in (("ours", ours), ("peer", peer)):
                found[side].append(work())
                print(f"  round {at + 1} {side}: {shown(found[side][-1])}", flush=True)
        return found


def csv(bench: Bench) -> dict[str, Any]:
    ratings = next((bench.movierec / "train").glob("train_ratings.csv"))
    found = bench.rounds_of(lambda: bench.ours("csv", bench.movierec), lambda: bench.peer("rectools", "csv", ratings))
    for key in ("users", "items", "events"):
        same(found, key)
    return {"peer": "RecTools", "figures": [against(found, "dataset", 3.0)], "rounds": found}


def ease(bench: Bench) -> dict[str, Any]:
    return model(bench, "rectools", "ease", (), {"fit": 3.0, "top10": 15.0}) | {"note": TRANSPOSED}


def ease_lenskit(bench: Bench) -> dict[str, Any]:
    return model(bench, "lenskit", "ease", (EVERY,), {"fit": 3.0, "top10": 15.0}, EVERY)


def slim(bench: Bench) -> dict[str, Any]:
    return model(bench, "fastslim", "slim", (50, 500), {"both": 2.0, "fit": 2.0, "top10": None})


def item_knn(bench: Bench, neighbours: int) -> dict[str, Any]:
    return model(bench, "implicit", "item_knn", (neighbours,), {"both": 2.0, "fit": None, "top10": None})


def model(
    bench: Bench, peer: str, name: str, more: tuple[int, ...], wanted: Mapping[str, float | None], every: int = 1
) -> dict[str, Any]:
    stage, lists = bench.prepared()
    found = bench.rounds_of(lambda: bench.ours(name, bench.movierec, lists["ours"], *more),
                            lambda: bench.peer(peer, name, bench.train, lists["peer"], *more))
    for run in (*found["ours"], *found["peer"]):
        run |= {"both": run["fit"] + run["top10"], "both_cpu": run["fit_cpu"] + run["top10_cpu"]}
    return {"peer": PEERS[peer], "figures": [against(found, figure, least) for figure, least in wanted.items()],
            "recall@10": {side: recall(stage, path, every=every) for side, path in lists.items()}, "rounds": found}


def to_equal_recall(bench: Bench, name: str, dim: int) -> dict[str, Any]:
    """Each side after so many epochs; then the seconds it takes to the lower of the two sides' best recalls."""
    stage, lists = bench.prepared()
    counts = EPOCHS[name]
    # The lists are the same in every round: the first makes them.
    targets: dict[str, list[Path | str]] = {side: ["-"] * (bench.rounds - 1) + [path] for side, path in lists.items()}

    def ours() -> dict[str, Any]:
        return bench.ours(name, bench.movierec, targets["ours"].pop(), dim, *counts)

    def peer() -> dict[str, Any]:
        return bench.peer("implicit", name, bench.train, targets["peer"].pop(), dim, *counts)

    found = bench.rounds_of(ours, peer)
    recalls = {side: {count: recall(stage, path, f"items_{count}") for count in counts} for side, path in lists.items()}
    level = min(max(by_epoch.values()) for by_epoch in recalls.values())
    needed = {side: next(count for count in counts if by_epoch[count] >= level) for side, by_epoch in recalls.items()}
    for side, count in needed.items():
        for run in found[side]:
            run |= {"to_level": run[f"fit_{count}"], "to_level_cpu": run[f"fit_{count}_cpu"],
                    "an_epoch": (run[f"fit_{counts[-1]}"] - run[f"fit_{counts[0]}"]) / (counts[-1] - counts[0])}
    return {"peer": PEERS["implicit"], "figures": [against(found, "to_level", 1.0), against(found, "an_epoch")],
            "level": level, "epochs_to_level": needed, "recall_by_epochs": recalls,
            "recall@10": {side: by_epoch[needed[side]] for side, by_epoch in recalls.items()}, "rounds": found}


def multi_vae(bench: Bench, where: str, precision: str = "float32") -> dict[str, Any]:
    folder = bench.movierec if where == "movierec" else of_ml_1m(bench)
    data = bench.work / f"{where}_{precision}"
    write_benchmark(held_out(folder), data)
    found = bench.rounds_of(lambda: bench.ours("multi_vae", folder, bench.epochs, *MULTI_VAE, precision),
                            lambda: bench.peer("recbole", data, bench.epochs, *MULTI_VAE))
    same(found, "users")
    wanted = {"epoch": 3.0, "evaluation": 20.0, "evaluation_of_many": None}
    reached = {side: spread([run["ndcg@10"] for run in found[side]])["median"] for side in ("ours", "peer")}
    return {"peer": PEERS["recbole"], "rounds": found, "epochs": bench.epochs,
            "figures": [*(against(found, name, least) for name, least in wanted.items()),
                        against(found, "peak_mb", most=MOST_MB if where == "movierec" else None)],
            "note": f"Multi-VAE of {MULTI_VAE[1]} hidden units and a code of {MULTI_VAE[2]}, {MULTI_VAE[0]} users a "
                    f"step, precision {precision} ours; the median of {bench.epochs} epochs, after which ndcg@10 is "
                    f"{reached['ours']:.4f} ours, {reached['peer']:.4f} RecBole's. An evaluation ranks all "
                    f"{found['ours'][0]['users']:,} users and computes five metrics. RecBole's own size of a batch "
                    "comes to one user at a time; the last line of evaluation is RecBole told to take 2,048."}


def sasrec(bench: Bench, precision: str) -> dict[str, Any]:
    stage, lists = next_item(of_ml_1m(bench), refit=True)["test"], bench.work / "lists.npz"
    write_train(stage, bench.train)
    found = bench.rounds_of(lambda: bench.next_item("epochs", bench.ml_1m, lists, bench.epochs, precision)
                            | {"ndcg@10": recall(stage, lists, metric="ndcg@10")},
                            lambda: bench.peer("rectools", "sasrec", bench.train, lists, bench.epochs)
                            | {"ndcg@10": recall(stage, lists, metric="ndcg@10")})
    reached = {side: spread([run["ndcg@10"] for run in found[side]])["median"] for side in ("ours", "peer")}
    return {"peer": PEERS["rectools"], "figures": [against(found, "epoch", 8.0), against(found, "top10")],
            "rounds": found, "epochs": bench.epochs,
            "note": f"64 dimensions, two blocks of one head, the last 200 events, 128 histories a step; cross-entropy "
                    f"over all items, whose products ours makes in {precision}. After {bench.epochs} epochs ndcg@10 is "
                    f"{reached['ours']:.4f} ours, {reached['peer']:.4f} RecTools'."}


def sasrec_levels(bench: Bench) -> dict[str, Any]:
    found = bench.next_item("levels", of_ml_1m(bench), "float32", *LEVELS)
    return {"levels": found["levels"], "rounds": {"ours": [found]}}


def sasrec_rank(bench: Bench) -> dict[str, Any]:
    found = [bench.next_item("rank", bench.movierec) for _ in range(bench.rounds)]
    return {"figures": [alone(found, "top10", 60.0)], "rounds": {"ours": found}}


def second_stage(bench: Bench) -> dict[str, Any]:
    found = [launched([sys.executable, "-m", "benchmarks.speed.second_stage", str(bench.movierec)])
             for _ in range(bench.rounds)]
    one = found[0]
    return {"figures": [alone(found, "candidates"), alone(found, "order"), alone(found, "top10_first"),
                        alone(found, "top10", 60.0), alone(found, "peak_mb")], "rounds": {"ours": found},
            "note": f"{one['users']:,} users; {one['held']['candidates a user']:.0f} candidates a user hold "
                    f"{one['held']['together']:.3f} of what is hidden; {one['trees']} trees; recall@10 "
                    f"{one['recall@10']:.4f} where EASE alone has {one['recall@10_first']:.4f}."}


def fm_features(bench: Bench) -> dict[str, Any]:
    found = {which: [launched([sys.executable, "-m", "benchmarks.speed.fm_features", str(bench.movierec), which])
                     for _ in range(bench.rounds)] for which in ("none", "all")}
    one = found["all"][0]
    peak, took = (spread([run[name] for run in found["none"]])["median"] for name in ("peak_mb", "top10"))
    return {"figures": [*(alone(found["all"], name) for name in ("features", "fit", "top10")),
                        alone(found["all"], "peak_mb", 2048.0)],
            "rounds": {"ours": found["all"], "without": found["none"]},
            "note": f"{one['users']:,} users, {one['items']:,} items, {one['features']} features of both, one "
                    f"epoch. Without any the peak is {peak:.0f} MB and the lists take {took:.1f} s."}


def of_ml_1m(bench: Bench) -> Path:
    if bench.ml_1m is None:
        raise SystemExit("say where MovieLens-1M is: --ml-1m")
    return bench.ml_1m


def metrics(bench: Bench) -> dict[str, Any]:
    found = [bench.ours("metrics", bench.movierec) for _ in range(bench.rounds)]
    names = ("ten", "ten_again", "ten_in_segments")
    return {"figures": [alone(found, name, 2.0 if name == "ten" else None) for name in names],
            "users": found[0]["users"], "rounds": {"ours": found}}


def whole_run(bench: Bench) -> dict[str, Any]:
    found = []
    for at in range(bench.rounds):
        folder = bench.work / f"runs{at}"
        command = [sys.executable, "-m", "matinee", "run", str(HERE / "five_models.yaml"), "--runs", str(folder),
                   "--set", f"data.path={bench.movierec}"]
        took = launched(command, spoken=False)
        took["steps"] = json.loads(next(folder.glob("*/timings.json")).read_text())
        found.append(took)
        print(f"  round {at + 1}: {took['seconds']:.1f} s, {took['peak_mb']:.0f} MB", flush=True)
    return {"figures": [alone(found, "seconds"), alone(found, "peak_mb", 2048.0)], "rounds": {"ours": found}}


def scoring(bench: Bench) -> dict[str, Any]:
    found = {spec: [bench.ours("scoring", spec) for _ in range(bench.rounds)] for spec in SIZES}
    models = [key for key, value in found[SIZES[0]][0].items() if key in ("item_knn", "ease", "als")]
    return {"sizes": {spec: {key: runs[0][key] for key in ("users", "items", "events", "log_mb")}
                      for spec, runs in found.items()},
            "added_mb": {model: {spec: spread([run[model] for run in runs]) for spec, runs in found.items()}
                         for model in models},
            "rounds": found}


STAGES: dict[str, tuple[Callable[[Bench], dict[str, Any]], str | None, str]] = {
    "csv": (csv, "rectools", "CSV to Dataset"),
    "ease": (ease, "rectools", "EASE, l2 500, float32: fit, then ten for everybody, seen left out"),
    "ease_lenskit": (ease_lenskit, "lenskit",
                     "EASE, l2 500, float32, against LensKit: fit, then ten for every sixteenth user, seen left out"),
    "slim": (slim, "fastslim", "SLIM, non-negative, l1 50, l2 500, the same objective: fit, then ten for everybody"),
    "als_64": (partial(to_equal_recall, name="als", dim=64), "implicit", "ALS, 64 factors: seconds to equal recall"),
    "als_128": (partial(to_equal_recall, name="als", dim=128), "implicit", "ALS, 128 factors: seconds to equal recall"),
    "bpr_64": (partial(to_equal_recall, name="bpr", dim=64), "implicit",
               "BPR, 64 factors: seconds to equal recall, ours with the best of eight negatives, the peer's at random"),
    "item_knn_20": (partial(item_knn, neighbours=20), "implicit",
                    "Item kNN, cosine, 20 neighbours (the peer's default, and its best): fit, then ten for everybody"),
    "item_knn_100": (partial(item_knn, neighbours=100), "implicit",
                     "Item kNN, cosine, 100 neighbours (our default): fit, then ten for everybody"),
    "multi_vae_ml1m": (partial(multi_vae, where="ml1m"), "recbole",
                       "Multi-VAE on MovieLens-1M: an epoch of training, and an evaluation of everybody"),
    "multi_vae_ml1m_short": (partial(multi_vae, where="ml1m", precision="bfloat16"), "recbole",
                             "The same, the last layer's products in bfloat16"),
    "multi_vae_movierec": (partial(multi_vae, where="movierec"), "recbole",
                           "Multi-VAE: an epoch of training, and an evaluation of everybody"),
    "multi_vae_movierec_short": (partial(multi_vae, where="movierec", precision="bfloat16"), "recbole",
                                 "The same, the last layer's products in bfloat16"),
    "sasrec": (partial(sasrec, precision="float32"), "rectools",
               "SASRec on MovieLens-1M: an epoch of training, and ten for everybody"),
    "sasrec_short": (partial(sasrec, precision="bfloat16"), "rectools",
                     "The same, the last layer's products in bfloat16"),
    "sasrec_levels": (sasrec_levels, None, "SASRec on MovieLens-1M: seconds of training to ndcg@10 of the next item"),
    "sasrec_rank": (sasrec_rank, None, "SASRec: ten for everybody"),
    "second_stage": (second_stage, None, "Two stages: EASE and transitions, 100 deep, ordered by boosted trees"),
    "fm_features": (fm_features, None, "FM with every feature of users and items: memory, and ten for everybody"),
    "metrics": (metrics, None, "Ten metrics with bootstrap intervals"),
    "run": (whole_run, None, "`matinee run` of five models, two ensembles, submission and report"),
    "mirror": (lambda bench: mirror(of_ml_1m(bench), bench.work, bench.rounds), None,
               "`matinee run` with its journal mirrored in MLflow"),
    "scoring": (scoring, None, "What ranking everybody adds to memory"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movierec", default=os.environ.get("MATINEE_MOVIEREC"))
    for peer in PEERS:
        parser.add_argument(f"--{peer}", default=os.environ.get(f"MATINEE_PEER_{peer.upper()}"))
    parser.add_argument("--ml-1m", default=os.environ.get("MATINEE_ML_1M"))
    parser.add_argument("--epochs", type=int, default=5, help="of a network that is trained")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=STAGES, default=list(STAGES))
    asked = parser.parse_args()
    if asked.movierec is None:
        parser.error("say where the log is: --movierec or MATINEE_MOVIEREC")
    stored = HERE / "results.json"
    results = json.loads(stored.read_text()) if stored.is_file() else {"stages": {}}
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(asked, Path(work))
        bench.ours("warm")
        for name in asked.only:
            stage, peer, title = STAGES[name]
            if peer is not None and bench.peers[peer] is None:
                print(f"{name}: left out, as no interpreter with {peer} is given", flush=True)
                continue
            print(f"{name}: {title}", flush=True)
            origin = provenance([0], matinee.Run().threads)
            results["stages"][name] = {"title": title, "origin": origin, **stage(bench), "load_at_the_end": load()[0]}
            results["stages"] = {key: results["stages"][key] for key in STAGES if key in results["stages"]}
            write(HERE, results, lines(results["stages"]))
    print((HERE / "results.md").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
