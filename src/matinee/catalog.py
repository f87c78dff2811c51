"""Find a model by name. The file name is the name; there is no list to keep.

Three places, in this order: a path such as `./my_model.py`, the files of `matinee/models/`, and
entry points in the group `matinee.models` of other installed packages.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import importlib.util
import pkgutil
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import matinee.models
from matinee.contract import Recommender
from matinee.errors import ConfigError, Place

OUTSIDE: set[str] = set()
"""Model files from outside that were loaded, or failed to: whose fault an error is."""
EXTRAS = {"torch": "torch"}
"""Packages that some models need, and the extra that brings each."""
_FOLDER = Path(matinee.models.__path__[0])


def names() -> list[str]:
    """Every built-in model's name, without importing one (listing models never imports torch)."""
    return sorted(module.name for module in pkgutil.iter_modules(matinee.models.__path__))


def load(name: str, beside: Path | None = None) -> type[Recommender]:
    """The recipe class called `name`; a path counts from the folder `beside`.

    Raises ConfigError for none, and where it needs a package that is not installed.
    """
    try:
        return _loaded(name, beside)
    except ModuleNotFoundError as error:
        needed = (error.name or "").partition(".")[0]
        if needed not in EXTRAS:
            raise
        raise ConfigError("not-installed", f"{name} needs {needed}, which is not installed",
                          f"pip install 'matinee[{EXTRAS[needed]}]'") from error


def _loaded(name: str, beside: Path | None) -> type[Recommender]:
    if is_path(name):
        return _only_recipe(_outside_module(_outside_file(name, beside)))
    if name in names():
        return _only_recipe(import_module(f"matinee.models.{name}"))
    plugins = entry_points(group="matinee.models")
    if name in plugins.names:
        loaded = plugins[name].load()
        return _only_recipe(loaded) if isinstance(loaded, ModuleType) else loaded
    known = [*names(), *sorted(plugins.names)]
    near = difflib.get_close_matches(name, known, n=3)
    way = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}; your own: ./my_model.py"
    raise ConfigError("unknown-model", f"no model is called {name!r}", way)


def name_of(kind: type[Recommender]) -> str | Path:
    """The name that `load` finds this recipe class by; of a model from outside, its file."""
    module = sys.modules[kind.__module__]
    if kind.__module__.startswith("matinee_outside_"):
        return Path(str(module.__file__))
    if module.__package__ == matinee.models.__name__:
        return kind.__module__.rpartition(".")[2]
    for plugin in entry_points(group="matinee.models"):
        if plugin.load() in (module, kind):
            return plugin.name
    raise ConfigError("unknown-model", f"{kind.__name__} is in no model file", "keep it in a file of its own")


def is_path(name: str) -> bool:
    return name.endswith(".py") or "/" in name


def settings_file(name: str, beside: Path | None = None) -> Path:
    """The YAML beside a model's file: `tiny`, `search`, `bench`, `unchanged`."""
    if is_path(name):
        return _outside_file(name, beside).with_suffix(".yaml")
    return _FOLDER / f"{name}.yaml"


def source_file(name: str, beside: Path | None = None) -> Path:
    """The Python file a model lives in."""
    if is_path(name):
        return _outside_file(name, beside)
    if name in names():
        return _FOLDER / f"{name}.py"
    module = sys.modules[load(name).__module__]
    return Path(str(module.__file__))


def summaries() -> dict[str, str]:
    """First line of each model file, read as text: nothing is imported."""
    return {name: (ast.get_docstring(ast.parse((_FOLDER / f"{name}.py").read_text())) or "").split("\n")[0]
            for name in names()}


def _outside_file(name: str, beside: Path | None) -> Path:
    path = (beside or Path.cwd()) / name
    if not path.is_file():
        raise ConfigError("unknown-model", f"there is no model file {name!r}", "a path counts from the experiment file",
                          Place(str(path)))
    return path.resolve()


def _outside_module(path: Path) -> ModuleType:
    """A file from outside under a module name of its own content, so that an edited file is another module."""
    digest = hashlib.sha256(str(path).encode() + path.read_bytes()).hexdigest()[:16]
    name = f"matinee_outside_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    OUTSIDE.add(str(path))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _only_recipe(module: ModuleType) -> type[Recommender]:
    found = [thing for thing in vars(module).values()
             if isinstance(thing, type) and issubclass(thing, Recommender) and thing.__module__ == module.__name__]
    if len(found) != 1:
        raise ConfigError("bad-model", f"a model file holds exactly one Recommender; this one holds {len(found)}",
                          "keep one class a file", Place(str(module.__file__)))
    return found[0]
