"""Compiled kernels of other sources are never used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from matinee.numerics import STAMP, forget_stale_kernels


def test_kernels_go_when_any_source_changes_and_stay_otherwise(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "b.py").write_text("2")
    forget_stale_kernels(tmp_path)
    kernel = tmp_path / "__pycache__" / "a.f-1.py311.1.nbc"
    kernel.write_bytes(b"code")
    forget_stale_kernels(tmp_path)
    assert kernel.exists()
    (tmp_path / "b.py").write_text("3")
    forget_stale_kernels(tmp_path)
    assert not kernel.exists()
    assert (tmp_path / "__pycache__" / STAMP).is_file()


def test_a_routine_changed_in_another_file_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "kernels"
    package.mkdir()
    source = Path(__file__).parents[2] / "src/matinee/numerics/__init__.py"
    (package / "__init__.py").write_bytes(source.read_bytes())
    (package / "outer.py").write_text(
        "from numba import njit\nfrom kernels.inner import f\n\n\n@njit(cache=True)\ndef g(x):\n    return f(x)\n"
    )
    said = []
    for answer in (1, 2):
        (package / "inner.py").write_text(
            f"from numba import njit\n\n\n@njit(cache=True)\ndef f(x):\n    return x + {answer}\n"
        )
        environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"} | {"PYTHONPATH": str(tmp_path)}
        code = "from kernels.outer import g; print(g(0))"
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        said.append(done.stdout.strip())
    assert said == ["1", "2"]
