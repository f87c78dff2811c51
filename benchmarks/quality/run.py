"""Do the models reach their figures on real data? Exit status 1 where one does not.

    MATINEE_TEST_DATA=FOLDER python -m benchmarks.quality.run [--model NAME] [--protocol NAME] [--again] [--page]

Each row is measured in a process of its own and written as it ends, so that a run that was stopped goes on where it
was. Rows whose model, protocol and code have not changed since are kept; `--again` measures them anew, `--page`
measures nothing. Writes results.json, results.md and hits/ beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.provenance import provenance
from benchmarks.quality import store
from benchmarks.quality.bench import HERE, METRICS, Case, cases, protocols
from benchmarks.quality.report import page
from benchmarks.speed import launch

import matinee
from matinee import durable


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="one model; the rows of the others are kept")
    parser.add_argument("--protocol", help="one of protocols.yaml")
    parser.add_argument("--again", action="store_true", help="measure what has not changed too")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    asked = parser.parse_args()
    if "MATINEE_TEST_DATA" not in os.environ and not asked.page:
        parser.error("say where the data sets are: MATINEE_TEST_DATA")
    blocks, all_cases = protocols(), cases()
    rows, failed = store.read_rows(), []
    for case in cases(asked.model or None, asked.protocol or None) if not asked.page else []:
        key, old = store.key(case, blocks[case.protocol]), store.row_of(case, rows)
        if old is not None and old["key"] == key and not asked.again:
            print(f"{case.protocol}: {case.name}: kept", flush=True)
            continue
        row = measured(case, blocks[case.protocol], key)
        if row is None:
            failed.append(f"{case.protocol}: {case.name} could not be measured")
            continue
        rows = store.put(rows, row, all_cases)
        store.write_rows(rows)
        write_page(all_cases, rows)
        print(f"{case.protocol}: {case.name}: {told(row, blocks[case.protocol])}", flush=True)
    write_page(all_cases, rows)
    bad = failed + [f"MISSED {line}" for line in store.missed(all_cases, rows)]
    print("\n".join(bad), file=sys.stderr)
    return 1 if bad else 0


def measured(case: Case, block: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """One row; None where the process failed, which has then said why."""
    seeds = case.seeds or block["seeds"]
    origin = provenance(seeds, matinee.Run().threads)
    words = [sys.executable, "-m", "benchmarks.quality.measure", case.protocol, case.model, json.dumps(case.settings),
             "--seeds", *map(str, seeds)]
    hits = ["--hits", str(store.hits_file(case))] if block.get("ordered") else []
    done = subprocess.run([sys.executable, launch.__file__, *words, *hits], stdout=subprocess.PIPE, check=True)
    took = json.loads(done.stdout)
    if took["code"]:
        return None
    runs = json.loads(took["output"].splitlines()[-1])["runs"]
    return {
        "protocol": case.protocol, "model": case.model, "settings": dict(case.settings), "recipe": case.recipe,
        "key": key,
        "figures": {metric: round(float(np.mean([run["figures"][metric] for run in runs])), 6) for metric in METRICS},
        "runs": runs, "seconds": round(took["seconds"], 1), "peak_mb": round(took["peak_mb"]), "origin": origin,
    }


def told(row: Mapping[str, Any], block: Mapping[str, Any]) -> str:
    figures = ", ".join(f"{metric} {row['figures'][metric]:.4f}" for metric in block["shown"])
    return f"{figures} ({row['seconds']} s, {row['peak_mb']} MB)"


def write_page(all_cases: Sequence[Case], rows: Sequence[Mapping[str, Any]], path: Path = HERE / "results.md") -> None:
    durable.write_text(path, "\n".join(page(protocols(), all_cases, rows)) + "\n")
    path.chmod(0o644)


if __name__ == "__main__":
    sys.exit(main())
