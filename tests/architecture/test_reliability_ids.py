"""Each hostile input of the reliability catalogue has its one test, which carries the row's id in its name.

Groups: D loading data, C configuration and command line, T training, K checkpoints, M stored models, I lists and
submissions, R the mirror in MLflow.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from tests.architecture.source import PROJECT, files, tree

ROWS = {"D": 30, "C": 12, "T": 13, "K": 12, "M": 15, "I": 14, "R": 11}

DUE = {
    "M10": "stored models have no versions yet, so two publishers of one name cannot both be kept",
    "M11": "there is no server yet that could be serving what is deleted",
}
"""Rows whose subject does not exist yet; a row leaves this list in the commit that brings its test."""


def ids_in(folder: Path) -> dict[str, list[str]]:
    """id -> the tests that carry it."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in files(folder):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for id_ in re.findall(r"_([DCTKMIR]\d+)(?=_)", node.name):
                    found[id_].append(f"{path.relative_to(folder)}::{node.name}")
    return found


def wanted() -> list[str]:
    return [f"{group}{number}" for group, rows in ROWS.items() for number in range(1, rows + 1)]


def test_every_row_has_its_test_or_is_due() -> None:
    found = ids_in(PROJECT / "tests")
    missing = [id_ for id_ in wanted() if id_ not in found]
    assert missing == list(DUE), f"without a test: {', '.join(sorted(set(missing) - set(DUE)))}"


def test_no_row_has_two_tests_and_no_test_an_unknown_row() -> None:
    found = ids_in(PROJECT / "tests")
    assert {id_: names for id_, names in found.items() if len(names) > 1} == {}
    assert set(found) <= set(wanted())


def test_ids_are_found_in_names(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "def test_D1_a(): ...\nclass A:\n    def test_C2_M3_b(self): ...\ndef D4_c(): ...\n"
    )
    assert sorted(ids_in(tmp_path)) == ["C2", "D1", "M3"]
