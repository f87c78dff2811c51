"""Imports go one way, and heavy libraries stay where they belong."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, files, imports

ORDER = """
errors < durable < data < split
data < contract < numerics < features < scoring < models < catalog < config
contract < ranking
numerics < ranking < evaluation < ensemble
split < evaluation
split < survey < report
scoring < nn < models
scoring < ensemble < config < experiment < tune < report < cli
experiment < tracking < report
config < testing
experiment < testing
"""
"""What stands left of a sign may be imported by what stands right of it, however far right; all else may not."""

HEAVY = {
    "pydantic": {"config/typed.py"},
    "polars": {"data", "split/export.py", "experiment", "report"},
    "numba": {"numerics", "evaluation"},
    "ruamel": {"config/yaml_file.py"},
    "typer": {"cli"},
    "rich": {"cli"},
    "jinja2": {"report"},
    "matplotlib": {"report"},
    "torch": {"nn"},
    "lightgbm": {"numerics/trees.py"},
    "mlflow": {"tracking/store.py"},
    "sqlalchemy": {"tracking/store.py"},
    "alembic": {"tracking/store.py"},
    "wordllama": {"data/sentences.py"},
    "optuna": {"tune"},
}
"""Folders or files that may import a library; nobody else may, not even inside a function."""


def allowed() -> dict[str, set[str]]:
    """unit -> the units it may import."""
    below: dict[str, set[str]] = {}
    for line in ORDER.strip().splitlines():
        units = line.split(" < ")
        for unit in units:
            below.setdefault(unit, set())
        for left, right in pairwise(units):
            below[right].add(left)
    for _ in below:
        for unit in below:
            below[unit] |= {deep for left in below[unit] for deep in below[left]}
    return below


def unit_of(path: Path) -> str:
    """`data` for data/ids.py, `errors` for errors.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def wrong_imports(path: Path, may: dict[str, set[str]]) -> list[str]:
    unit = unit_of(path)
    units = {name.split(".")[1] for name in imports(path) if name.startswith("matinee.")}
    return [f"{path.relative_to(PACKAGE)} imports {other}" for other in sorted(units - {unit} - may[unit])]


def test_the_order_has_no_circle_and_knows_every_part() -> None:
    may = allowed()
    assert not [unit for unit, below in may.items() if unit in below]
    parts = {unit_of(path) for path in files()} - {"__init__", "__main__"}
    assert parts == set(may), "write new parts into ORDER"


def test_imports_go_one_way() -> None:
    may = {**allowed(), "__main__": {"cli"}, "__init__": set(allowed())}
    assert [line for path in files() for line in wrong_imports(path, may)] == []


def test_the_test_of_the_order_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.architecture.test_imports.PACKAGE", tmp_path)
    (tmp_path / "data").mkdir()
    wrong = tmp_path / "data/early.py"
    wrong.write_text("def f():\n    from matinee.ranking.topk import top_k\n")
    assert wrong_imports(wrong, allowed()) == ["data/early.py imports ranking"]


@pytest.mark.parametrize("library", HEAVY)
def test_a_library_stays_in_its_place(library: str) -> None:
    users = {path.relative_to(PACKAGE) for path in files() if any(_is_of(name, library) for name in imports(path))}
    strangers = [str(path) for path in users if str(path) not in HEAVY[library] and path.parts[0] not in HEAVY[library]]
    assert strangers == []


def test_models_do_not_see_each_other() -> None:
    """A model file is read top to bottom; what two share belongs in `numerics` or `scoring`."""
    for path in files(PACKAGE / "models"):
        assert [name for name in imports(path) if name.startswith("matinee.models")] == [], path


@pytest.mark.parametrize(
    "code",
    [
        "import matinee",
        "import sys; sys.argv = ['matinee', '--help']; from matinee.cli.main import main; main()",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    heavy = [
        "numpy",
        "scipy",
        "numba",
        "polars",
        "pydantic",
        "ruamel",
        "rich",
        "jinja2",
        "matplotlib",
        "torch",
        "optuna",
        "asyncio",
    ]
    ask = f"{code}\nimport sys; sys.stderr.write(' '.join(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=20)
    assert done.stderr == ""


def _is_of(name: str, library: str) -> bool:
    return name == library or name.startswith(f"{library}.")
