"""The quality figures as Markdown: bands first, then the order of models where no band is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.provenance import table


def lines(protocols: Mapping[str, Any]) -> Iterator[str]:
    for name, block in protocols.items():
        counts, split = block["counts"], ", ".join(f"{key} {value}" for key, value in block["split"].items())
        yield f"## {name}"
        yield ""
        yield (f"{block['data']['path']}: {counts['users']:,} users, {counts['items']:,} items, "
               f"{counts['events']:,} events; {split}; {block['tested_users']:,} users tested; "
               f"seeds {', '.join(map(str, block['seeds']))}, mean.")
        yield ""
        yield from (_order(block) if "order" in block else _bands(block))
        yield ""


def _bands(block: Mapping[str, Any]) -> list[str]:
    head = ["model", "recipe", "metric", "wanted", "figure", "each seed", "95 % interval of the first", "reached"]
    rows = []
    for name, model in block["models"].items():
        for bound in model["bounds"]:
            metric, runs = bound["metric"], model["runs"]
            wanted = f"{bound['wanted']} ± {bound['within']}" if bound["within"] else f"≥ {bound['wanted']}"
            each = " ".join(f"{run['figures'][metric]:.4f}" for run in runs)
            rows.append([name, _recipe(model), metric, wanted, f"{bound['figure']:.4f}", each,
                         _interval(*runs[0]["intervals"][metric]), "yes" if bound["reached"] else "**no**"])
    return table(head, rows)


def _order(block: Mapping[str, Any]) -> list[str]:
    models, out = block["models"], []
    for metric, found in block["order"].items():
        out += [f"Order by {metric}:", ""]
        parts = sorted({part for name in models for part in models[name]["runs"][0]["parts"]})
        rows = []
        for at, name in enumerate(found["models"], 1):
            run = models[name]["runs"][0]
            recalls = [run["parts"][part]["recall"] for part in parts]
            rows.append([at, name, f"{run['figures'][metric]:.4f}", _interval(*run["intervals"][metric]),
                         *(f"{recall:.4f}" for recall in recalls)])
        shown = [f"recall@10, {part.split('=')[1]}" for part in parts]
        out += [*table(["", "model", metric, "95 % interval", *shown], rows), ""]
        pairs = [[f"{pair['first']} against {pair['second']}", f"{pair['difference']:+.4f}",
                  _interval(pair["low"], pair["high"]), _p(pair["p"]), pair["verdict"]]
                 for pair in found["pairs"]]
        out += [*table(["pair", "difference", "95 % interval", "p (Holm)", "the first is"], pairs), ""]
    return out[:-1]


def _recipe(model: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in model["recipe"].items()) or "defaults"


def _p(p: float) -> str:
    return f"{p:.2g}" if p > 1e-300 else "< 1e-300"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4f} to {high:.4f}"
