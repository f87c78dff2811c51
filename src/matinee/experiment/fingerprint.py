"""What code, packages and machine a result came from."""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

import matinee

PACKAGE = Path(matinee.__path__[0])

COMPUTING = ("numpy", "scipy", "numba", "llvmlite", "torch", "lightgbm")
"""Packages whose version may change a fitted bit."""


def digest(content: Any) -> str:
    """SHA-256 of JSON-able content; paths count as their text."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def array_hash(array: NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def fields_hash(thing: Any) -> str:
    """SHA-256 of a dataclass of arrays and plain settings."""
    parts = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    return digest(
        [
            type(thing).__name__,
            {
                name: array_hash(value) if isinstance(value, np.ndarray) else repr(value)
                for name, value in parts.items()
            },
        ]
    )


@cache
def package_hash() -> str:
    """SHA-256 of every source and settings file of the package."""
    return _hash_files(_package_files(), PACKAGE)


@cache
def file_hashes() -> dict[str, str]:
    """The beginning of the SHA-256 of each of these files, by its path in the package."""
    return {str(path.relative_to(PACKAGE)): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            for path in _package_files()}


def source_hash(start: Path) -> str:
    """SHA-256 of a file and of every file of the package it imports, at any depth: no other file's edit changes it."""
    return _hash_files(sorted(_closure(start)), PACKAGE)


@cache
def versions() -> dict[str, str]:
    """Every installed distribution and its version."""
    return {dist.name.lower(): dist.version for dist in distributions() if dist.name}


def computing_versions() -> dict[str, str]:
    return {name: version for name, version in versions().items() if name in COMPUTING}


def code_state() -> dict[str, Any]:
    """Commit and uncommitted change of the checkout the package runs from, new files included, and a hash of each file;
    commit and change are null where it is not in one."""
    state = {"commit": None, "diff": None, "package": package_hash(), "files": file_hashes()}
    found = _git(PACKAGE, "rev-parse", "--show-toplevel")
    top = Path(found.rstrip("\n")) if found else None
    if top is None or not PACKAGE.is_relative_to(top) or not _git(PACKAGE, "ls-files", "--", str(PACKAGE)):
        return state
    commit, diff = _git(top, "rev-parse", "HEAD"), _git(top, "diff", "--binary", "HEAD", "--", str(PACKAGE))
    new = _git(top, "ls-files", "-z", "--others", "--exclude-standard", "--", str(PACKAGE)) or ""
    added = [_git(top, "diff", "--binary", "--no-index", "--", "/dev/null", name) for name in new.split("\0") if name]
    return {**state, "commit": commit and commit.strip(), "diff": (diff or "") + "".join(filter(None, added)) or None}


def checkout(folder: Path) -> dict[str, Any] | None:
    """Commit of the checkout that a folder stands in, and whether anything was not committed; None outside of one."""
    commit, changed = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain")
    return None if commit is None or changed is None else {"commit": commit.strip(), "changed": bool(changed)}


def machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
    }


def thread_pools() -> list[dict[str, Any]]:
    """BLAS and OpenMP pools as loaded now: another pool or another thread count may give other last bits."""
    return [
        {key: pool.get(key) for key in ("internal_api", "version", "num_threads", "architecture")}
        for pool in threadpool_info()
    ]


def _package_files() -> list[Path]:
    return sorted(path for pattern in ("*.py", "*.yaml", "*.html", "*.css") for path in PACKAGE.rglob(pattern))


def _hash_files(files: Iterable[Path], root: Path) -> str:
    total = hashlib.sha256()
    for path in files:
        name = str(path.relative_to(root)) if path.is_relative_to(root) else path.name
        total.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _closure(start: Path) -> set[Path]:
    found: set[Path] = set()
    todo = [start]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += _imports(path)
    return found


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = (_file_of(name) for name in names if name.split(".")[0] == "matinee")
    return tuple(file for file in files if file)


def _file_of(module: str) -> Path | None:
    inside = PACKAGE.joinpath(*module.split(".")[1:])
    for candidate in (inside.with_suffix(".py"), inside / "__init__.py"):
        if candidate.is_file() and inside != PACKAGE:
            return candidate
    return None


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False, timeout=30)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    differs = "--no-index" in words and done.returncode == 1  # what git says of two files that are not alike
    return done.stdout.decode(errors="surrogateescape") if done.returncode == 0 or differs else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except FileNotFoundError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
