"""The speed figures as Markdown, each stage with where its figures come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.provenance import table, told

CALLED = {"dataset": "CSV to Dataset", "fit": "fit", "top10": "top 10 for all", "ten": "ten metrics, first call",
          "ten_again": "ten metrics, second call", "ten_in_segments": "the same, everybody and three segments",
          "epoch": "an epoch", "evaluation": "evaluation",
          "evaluation_of_many": "evaluation, the peer's of many at once", "both": "fit and top 10",
          "candidates": "first stage without the answers, and its lists", "order": "first stage, and the order taught",
          "top10_first": "top 10 for all, the first stage's first model alone",
          "to_level": "to equal recall", "an_epoch": "an epoch more", "seconds": "whole process",
          "peak_mb": "peak memory", "features": "features", "plain": "no mirror", "file": "a mirror in a file",
          "silent": "a mirror at a server that is silent"}


def lines(stages: Mapping[str, Any]) -> Iterator[str]:
    yield "# Speed and memory"
    yield ""
    yield ("Median (least to most) over the rounds; the sides take turns, each in a new process that did the same "
           "on a few rows before. \"Times faster\" is the peer's seconds by ours, round by round. CPU seconds are of "
           "all threads together: on a busy machine they say more than the clock.")
    for stage in stages.values():
        yield ""
        yield f"## {stage['title']}"
        yield ""
        yield from told(stage["origin"])
        loads = stage["rounds"].get("load")
        if loads:
            yield f"- load average before each round: {', '.join(map(str, loads))}"
        yield ""
        yield from (_added(stage) if "added_mb" in stage else _levels(stage) if "levels" in stage else _figures(stage))
        if "recall@10" in stage:
            sides = stage["recall@10"]
            yield ""
            yield f"recall@10 on what was hidden: ours {sides['ours']:.4f}, {stage['peer']} {sides['peer']:.4f}."
        if "note" in stage:
            yield ""
            yield stage["note"]
        if "recall_by_epochs" in stage:
            yield ""
            yield from _by_epochs(stage)


def _figures(stage: Mapping[str, Any]) -> list[str]:
    if "peer" not in stage:
        return table(["", "", "at most", "reached"], [
            [CALLED[one["name"]], _spread(one["ours"], one["unit"]),
             f"{one['wanted']:.4g}" if one["wanted"] else "", _answer(one)]
            for one in stage["figures"]])
    head = ["", "ours", stage["peer"], "times faster", "wanted", "reached", "CPU, ours", f"CPU, {stage['peer']}"]
    return table(head, [
        [CALLED[one["name"]], *(_spread(one[side], one["unit"]) for side in ("ours", "peer")),
         _spread(one["times_faster"], "x"), _wanted(one), _answer(one),
         *(_spread(one["cpu"][side], "s") if "cpu" in one else "" for side in ("ours", "peer"))]
        for one in stage["figures"]])


def _by_epochs(stage: Mapping[str, Any]) -> list[str]:
    sides = {"ours": "ours", "peer": stage["peer"]}
    counts = list(stage["recall_by_epochs"]["ours"])
    needed = stage["epochs_to_level"]
    rows = [[called, *(f"{stage['recall_by_epochs'][side][count]:.4f}" for count in counts), needed[side]]
            for side, called in sides.items()]
    return table(["recall@10 after epochs", *map(str, counts), f"reaches {stage['level']:.4f} after"], rows)


def _levels(stage: Mapping[str, Any]) -> list[str]:
    """Of training alone; test was looked at every other epoch."""
    rows = [[level, *(("not reached", "") if one is None else (f"{one['seconds']:.0f}", one["epoch"]))]
            for level, one in stage["levels"].items()]
    best = max(stage["rounds"]["ours"][0]["curve"], key=lambda one: one["ndcg@10"])
    rows.append([f"{best['ndcg@10']:.4f}, the best", f"{best['seconds']:.0f}", best["epoch"]])
    return table(["ndcg@10 at test", "seconds", "epochs"], rows)


def _added(stage: Mapping[str, Any]) -> list[str]:
    specs = list(stage["sizes"])
    about = [f"{stage['sizes'][spec]['users']:,} users, {stage['sizes'][spec]['events']:,} events "
             f"(log {stage['sizes'][spec]['log_mb']:.0f} MB)" for spec in specs]
    return table(["model", *about], [[model, *(_spread(by_size[spec], "MB") for spec in specs)]
                                     for model, by_size in stage["added_mb"].items()])


def _wanted(one: Mapping[str, Any]) -> str:
    if "at_most" in one:
        return f"{one['at_most']:.0f} {one['unit']} at most"
    return f"{one['wanted']:g}x" if one["wanted"] else ""


def _answer(one: Mapping[str, Any]) -> str:
    return {None: "", True: "yes", False: "**no**"}[one["reached"]]


def _spread(values: Mapping[str, float], unit: str) -> str:
    digits = 0 if unit == "MB" else 2
    low, middle, high = (f"{values[key]:.{digits}f}" for key in ("min", "median", "max"))
    return f"{middle}{'x' if unit == 'x' else ' ' + unit} ({low} to {high})"
