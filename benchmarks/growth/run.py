"""How seconds grow with users: every model fitted and asked for everybody's ten, on synthetic logs of growing size.

    python -m benchmarks.growth.run [--models ease als ...] [--users 10000 31360 100000 300000]

Each figure is of a process of its own. A model's curve stops at the size that takes longer than ten minutes. To each
curve of two points or more a power law is fitted: seconds = a x users^b, by least squares on logarithms. Every
figure is written to results.json as it comes; results.md and growth.svg are drawn from that file in the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from benchmarks.provenance import load, provenance, table
from benchmarks.speed import launch
from matplotlib.figure import Figure

import matinee
from matinee import catalog, durable
from matinee.report.pictures import INK, STYLE

HERE = Path(__file__).parent
USERS = (10_000, 31_360, 100_000, 300_000)
ITEMS = 6_807
MOST_SECONDS = 600
PARTS = {"fit": "fit", "score": "top ten for all"}

Points = dict[str, dict[str, Any]]
"""users, as text -> what one process said, or how it ended."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=catalog.names())
    parser.add_argument("--users", nargs="+", type=int, default=USERS)
    asked = parser.parse_args()
    stored = HERE / "results.json"
    results: dict[str, Any] = json.loads(stored.read_text()) if stored.is_file() else {"models": {}}
    for name in asked.models:
        curve = {"origin": provenance([0], matinee.Run().threads), "points": {}}
        results["models"][name] = curve
        for users in sorted(asked.users):
            point = measured(name, users)
            curve["points"][str(users)] = point
            print(f"{name} {users:,}: {point}", flush=True)
            durable.write_text(stored, json.dumps(results, indent=1) + "\n")
            if not within(point):
                break
    drawn(results)
    return 0


def measured(name: str, users: int) -> dict[str, Any]:
    """Seconds and memory of one process; `over` where it was stopped for taking too long."""
    command = [sys.executable, launch.__file__, sys.executable, "-m", "benchmarks.growth.one", name,
               f"synthetic:{users}x{ITEMS}"]
    before = load()[0]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=2 * MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return {"over": 2 * MOST_SECONDS, "load": before}
    took = json.loads(done.stdout)
    if took["code"]:
        raise SystemExit(f"{name} with {users} users ended with {took['code']}:\n{took['output']}")
    return {**json.loads(took["output"].strip().splitlines()[-1]), "peak_mb": took["peak_mb"], "load": before}


def within(point: Mapping[str, Any]) -> bool:
    return "over" not in point and point["fit"] + point["score"] <= MOST_SECONDS


def power(points: Points, part: str) -> tuple[float, float] | None:
    """a and b of seconds = a x users^b."""
    known = [(point["users"], point[part]) for point in points.values() if "over" not in point]
    if len(known) < 2:
        return None
    users, seconds = (np.log(np.maximum(column, 1e-3)) for column in zip(*known, strict=True))
    slope, level = np.polyfit(users, seconds, 1)
    return float(np.exp(level)), float(slope)


def lines(results: Mapping[str, Any]) -> Iterator[str]:
    models: Mapping[str, Any] = results["models"]
    sizes = sorted({int(users) for curve in models.values() for users in curve["points"]})
    yield "# Growth: seconds by the number of users"
    yield ""
    yield (f"Synthetic logs of {ITEMS:,} items and about 155 events a user, every model at its defaults, one process a "
           "figure, after the kernels were compiled. \"Power\" is b of seconds = a x users^b. A curve stops where fit "
           f"and top ten take over {MOST_SECONDS} s.")
    yield ""
    yield "![Seconds by users](growth.svg)"
    for part, called in PARTS.items():
        yield ""
        yield f"## {called}"
        yield ""
        head = ["model", *(f"{users:,} users" for users in sizes), "power"]
        yield from table(head, [[name, *(_cell(curve["points"].get(str(users)), part) for users in sizes),
                                 _power(curve["points"], part)] for name, curve in sorted(models.items())])
    yield ""
    yield "## Peak memory of the process, log included"
    yield ""
    yield from table(["model", *(f"{users:,} users" for users in sizes), "commit", "date"], [
        [name, *(_memory(curve["points"].get(str(users))) for users in sizes),
         (curve["origin"]["commit"] or "unknown")[:12], curve["origin"]["date"]]
        for name, curve in sorted(models.items())])
    machine = next(iter(models.values()))["origin"]["machine"]
    yield ""
    yield f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, Python {machine['python']}."


def _cell(point: Mapping[str, Any] | None, part: str) -> str:
    if point is None:
        return ""
    return f"over {point['over']} s in all" if "over" in point else f"{point[part]:.2f} s"


def _memory(point: Mapping[str, Any] | None) -> str:
    return "" if point is None or "over" in point else f"{point['peak_mb']:,.0f} MB"


def _power(points: Points, part: str) -> str:
    law = power(points, part)
    return "" if law is None else f"{law[1]:.2f}"


def drawn(results: Mapping[str, Any]) -> None:
    """results.md and growth.svg."""
    durable.write_text(HERE / "results.md", "\n".join(lines(results)) + "\n")
    models = sorted(results["models"].items())
    with mpl.rc_context({**STYLE, "axes.grid.axis": "both"}):
        figure = Figure(figsize=(11, 5.2), layout="constrained")
        colours = mpl.colormaps["tab20"](np.linspace(0, 1, 20))
        for place, (part, called) in enumerate(PARTS.items(), 1):
            axes = figure.add_subplot(1, 2, place)
            for at, (name, curve) in enumerate(models):
                _draw(axes, name, curve["points"], part, colours[at % 20], "o^s"[at // 20 % 3])
            axes.axhline(MOST_SECONDS, color=INK, lw=0.8, ls=":")
            axes.set(xscale="log", yscale="log", xlabel="users", ylabel="seconds", title=called)
            axes.grid(color="#e6eaee")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=8)
        figure.savefig(HERE / "growth.svg", format="svg", metadata={"Date": None}, facecolor="white")


def _draw(axes: Any, name: str, points: Points, part: str, colour: Sequence[float], mark: str) -> None:
    known = [point for point in points.values() if "over" not in point]
    law = power(points, part)
    axes.plot([point["users"] for point in known], [max(point[part], 1e-3) for point in known], mark, color=colour,
              ms=4.5, label=name)
    if law is not None:
        users = np.array([known[0]["users"], known[-1]["users"]])
        axes.plot(users, law[0] * users ** law[1], color=colour, lw=1)


if __name__ == "__main__":
    sys.exit(main())
