"""Files and functions are small, named for one subject, and free of habits that hide faults."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, PROJECT, files, imports, tree

BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core", "lib"}
MODEL_LINES, FILE_LINES, FUNCTION_LINES = 180, 350, 60

SOURCES = files()
TESTS = files(PROJECT / "tests")


def shown(paths: Iterator[Path] | list[Path]) -> list[str]:
    return [str(path.relative_to(PROJECT)) for path in paths]


def test_no_file_is_a_dumping_ground() -> None:
    assert shown([path for path in (*SOURCES, *TESTS) if {path.stem, path.parent.name} & BANNED_NAMES]) == []


def test_files_are_short() -> None:
    def most(path: Path) -> int:
        return MODEL_LINES if path.parent == PACKAGE / "models" else FILE_LINES

    lengths = {path: len(path.read_text().splitlines()) for path in (*SOURCES, *TESTS)}
    assert shown([path for path, length in lengths.items() if length > most(path)]) == []


def test_functions_are_short() -> None:
    too_long = [
        f"{path.relative_to(PACKAGE)}: {node.name}, {node.end_lineno - node.lineno + 1} lines"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and node.end_lineno and node.end_lineno - node.lineno >= FUNCTION_LINES
    ]
    assert too_long == []


def test_a_file_says_its_subject_in_its_first_line() -> None:
    silent = [
        path for path in SOURCES if tree(path).body and not (ast.get_docstring(tree(path)) or "").split("\n")[0].strip()
    ]
    assert shown(silent) == []


def catches_everything(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = [] if node.type is None else [name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)]
    reraises = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in node.body)
    return not reraises and (node.type is None or bool({"Exception", "BaseException"} & set(caught)))


def calls(*names: str) -> Callable[[ast.AST], bool]:
    return lambda node: isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def raises_not_implemented(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "NotImplementedError"


def passes_keywords_through(node: ast.AST) -> bool:
    """`def f(**kwargs): g(**kwargs)`: what may be given is then written nowhere. `replace` says it itself."""
    if not isinstance(node, ast.FunctionDef) or node.args.kwarg is None:
        return False
    handed_on = [call for call in ast.walk(node) if isinstance(call, ast.Call) and ast.unparse(call.func) != "replace"
                 and any(word.arg is None and ast.unparse(word.value) == node.args.kwarg.arg for word in call.keywords)]
    return bool(handed_on)


HABITS: dict[str, Callable[[ast.AST], bool]] = {
    "except Exception": catches_everything,
    "print": calls("print"),
    "hasattr": calls("hasattr"),
    "eval": calls("eval", "exec"),
    "NotImplementedError": raises_not_implemented,
    "**kwargs": passes_keywords_through,
}


@pytest.mark.parametrize("habit", HABITS)
def test_no_source_has_the_habit(habit: str) -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"  # type: ignore[attr-defined]
        for path in SOURCES
        for node in ast.walk(tree(path))
        if HABITS[habit](node)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("habit", "code"),
    [
        ("except Exception", "try:\n    f()\nexcept (OSError, Exception):\n    pass"),
        ("except Exception", "try:\n    f()\nexcept:\n    pass"),
        ("print", "def f():\n    print(1)"),
        ("hasattr", "hasattr(a, 'b')"),
        ("eval", "eval('1')"),
        ("NotImplementedError", "raise NotImplementedError"),
        ("**kwargs", "def f(**kwargs):\n    g(**kwargs)"),
    ],
)
def test_each_habit_is_recognised(habit: str, code: str) -> None:
    assert any(HABITS[habit](node) for node in ast.walk(ast.parse(code)))


def test_nothing_is_stored_by_pickle() -> None:
    banned = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert shown([path for path in SOURCES if banned & {name.split(".")[0] for name in imports(path)}]) == []


def test_nothing_is_left_to_do() -> None:
    marked = []
    for path in (*SOURCES, *TESTS):
        with path.open("rb") as file:
            marked += [
                f"{path.relative_to(PROJECT)}:{token.start[0]}"
                for token in tokenize.tokenize(file.readline)
                if token.type == tokenize.COMMENT and any(mark in token.string for mark in ("TODO", "FIXME", "XXX"))
            ]
    assert marked == []
