"""Figures of a stage: two sides round by round, or one alone, and a command measured as a whole process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent


def against(
    found: dict[str, Any], name: str, wanted: float | None = None, *, most: float | None = None
) -> dict[str, Any]:
    """Both sides, and how many times faster: the median over rounds of peer / ours, and its ends. `most` is of ours."""
    ratios = [b[name] / a[name] for a, b in zip(found["ours"], found["peer"], strict=True)]
    out = {"name": name, "unit": _unit(name), "ours": spread([run[name] for run in found["ours"]]),
           "peer": spread([run[name] for run in found["peer"]]), "times_faster": spread(ratios), "wanted": wanted,
           "reached": None if wanted is None else median(ratios) >= wanted}
    if most is not None:
        out |= {"at_most": most, "reached": out["ours"]["median"] <= most}
    cpu = f"{name}_cpu"
    if cpu in found["ours"][0]:
        out["cpu"] = {side: spread([run[cpu] for run in found[side]]) for side in ("ours", "peer")}
    return out


def alone(found: Sequence[dict[str, Any]], name: str, most: float | None = None) -> dict[str, Any]:
    values = spread([run[name] for run in found])
    return {"name": name, "unit": _unit(name), "ours": values, "wanted": most,
            "reached": None if most is None else values["median"] <= most}


def _unit(name: str) -> str:
    return "MB" if name.endswith("_mb") else "s"


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": median(values), "min": min(values), "max": max(values)}


def same(found: dict[str, Any], key: str) -> None:
    """Raises SystemExit where the sides did not work on the same."""
    seen = {run[key] for side in ("ours", "peer") for run in found[side]}
    if len(seen) > 1:
        raise SystemExit(f"the sides see other {key}: {seen}")


def launched(command: list[str], *, spoken: bool = True, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """What a command says of itself in its last line, with the seconds and the peak memory of its whole process."""
    done = subprocess.run([sys.executable, str(HERE / "launch.py"), *command], stdout=subprocess.PIPE, check=True)
    took = json.loads(done.stdout)
    if took.pop("code") not in codes:
        raise SystemExit(f"{' '.join(command)} failed:\n{took['output']}")
    output = took.pop("output")
    own: dict[str, Any] = json.loads(output.strip().splitlines()[-1]) if spoken else {}
    return {**took, **own}


def shown(run: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value:.2f}" for key, value in run.items() if isinstance(value, float))
