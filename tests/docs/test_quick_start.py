"""The notebook is one, and runs from top to bottom."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT

NOTEBOOK = ROOT / "docs/quick-start.py"


def cells() -> list[tuple[str, str]]:
    """Kind and content, as editors take a file in percent format apart."""
    found = re.split(r"^# %%(.*)\n", NOTEBOOK.read_text(), flags=re.M)
    assert found[0] == ""
    return list(zip((kind.strip() or "code" for kind in found[1::2]), found[2::2], strict=True))


def test_every_cell_is_words_or_code() -> None:
    assert {kind for kind, _ in cells()} == {"code", "[markdown]"}
    for kind, text in cells():
        lines = text.strip().splitlines()
        assert lines
        if kind == "code":
            compile(text, "cell", "exec")
        else:
            assert all(line.startswith("#") for line in lines)
            for target in re.findall(r"\]\(([^)]+)\)", text):
                assert (NOTEBOOK.parent / target).exists(), target


def test_the_notebook_runs_and_draws(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-W", "error", str(NOTEBOOK)], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "MPLBACKEND": "Agg"}, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0] == "3,084 users, 1,585 films, 73,508 events"
    for name in ("popularity", "item_knn", "ease", "transitions"):
        assert any(re.match(rf"{name} +all 0\.\d{{4}} \[0\.\d{{4}}, 0\.\d{{4}}\]  hidden_part=", line) for line in told)
    assert any(line.endswith("because of Toy Story (1995)") for line in told)
    assert "<svg" in (tmp_path / "quick-start.svg").read_text()
