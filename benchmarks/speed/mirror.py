"""A run whose journal is mirrored in MLflow, in a file and by a server that is silent, against the same run without."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed.figures import alone, launched

from matinee.errors import Degraded

HERE = Path(__file__).parent
MOST = 1.05
"""Times the seconds of a run that nothing mirrors."""


def mirror(ml_1m: Path, work: Path, rounds: int) -> dict[str, Any]:
    """Three runs a round: without a mirror, with one in a file, with a server that never answers."""
    found = []
    with silent() as address:
        for at in range(rounds):
            took = {}
            for way, where in {"plain": "", "file": f"sqlite:///{work}/mlflow{at}.db", "silent": address}.items():
                command = ["env", f"MLFLOW_TRACKING_URI={where}", "MLFLOW_DISABLE_TELEMETRY=true",
                           sys.executable, "-m", "matinee", "run", str(HERE / "mirrored.yaml"),
                           "--runs", str(work / f"{way}{at}"), "--set", f"data.path={ml_1m}"]
                took[way] = launched(command, spoken=False, codes=(0, Degraded.exit_code))["seconds"]
            found.append(took)
            print(f"  round {at + 1}: " + ", ".join(f"{way} {took[way]:.1f} s" for way in took), flush=True)
    plain = median(took["plain"] for took in found)
    figures = [alone(found, "plain"), alone(found, "file", MOST * plain), alone(found, "silent", MOST * plain)]
    return {"figures": figures,
            "rounds": {"ours": found},
            "note": "Two autoencoders of 40 epochs and ALS on MovieLens-1M, in a process of its own; bounds are 5 % "
                    "above the run without a mirror. `silent` is told "
                    "to a server that takes connections and never answers."}


@contextmanager
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
