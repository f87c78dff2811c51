"""Group C: experiment files and command lines that are wrong, hostile, or read by an awkward terminal."""

from __future__ import annotations

import json
import math
import resource
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest

from matinee import catalog
from matinee.config.typed import At, convert
from matinee.config.yaml_file import Document
from matinee.data.confidence import CONFIDENCES
from matinee.ensemble import METHODS
from matinee.errors import ConfigError
from matinee.ranking.filters import FILTERS
from matinee.split import PROTOCOLS
from tests.cli.commands import Said, matinee, process
from tests.config.experiments import BASE, made, refused, write

__all__ = ["matinee"]

Matinee = Callable[..., Said]

GOOD = "name: toy\ndata: {path: log.csv}\nmodels:\n  - {id: toy, model: ./toy_model.py, l2: 3}\n"


@pytest.mark.parametrize(
    ("broken", "place", "what"),
    [
        (GOOD.replace("l2: 3}", "l2: 3"), "5:1", "expected ',' or '}'"),
        (GOOD.replace("name: toy", "name: toy: b"), "1:10", "mapping values are not allowed here"),
        (GOOD.replace("  - {", "\t- {"), "4:1", "cannot start any token"),
    ],
)
def test_C1_a_syntax_error_names_file_line_and_column(
    matinee: Matinee, tmp_path: Path, broken: str, place: str, what: str
) -> None:
    file = write(tmp_path, broken)
    said = matinee("run", file)
    assert (said.code, said.out) == (2, "")
    assert said.error.startswith(f"{file}:{place}: bad-yaml: ")
    assert what in said.error
    line, column = map(int, place.split(":"))
    as_json = json.loads(matinee("run", file, "--errors", "json").error)
    assert (as_json["file"], as_json["line"], as_json["column"], as_json["exit"]) == (str(file), line, column, 2)


@pytest.mark.parametrize(
    ("old", "new", "place", "what"),
    [
        ("data:", "dta:", "2:1", "dta: there is no such key; did you mean data?"),
        ("l2: 3", "lable: 3", "4:38", "models[0].lable: there is no such key; did you mean label?"),
        (
            "path: log.csv",
            "path: log.csv, laoyut: table",
            "2:23",
            "data.laoyut: there is no such key; did you mean layout?",
        ),
        ("model: ", "modle: ", "4:5", "models[0]: the key 'model' is missing; add it"),
    ],
)
def test_C2_an_unknown_key_is_refused_with_the_nearest(
    matinee: Matinee, tmp_path: Path, old: str, new: str, place: str, what: str
) -> None:
    file = write(tmp_path, GOOD.replace(old, new))
    said = matinee("run", file)
    code = "missing-key" if "missing" in what else "unknown-key"
    assert (said.code, said.error) == (2, f"{file}:{place}: {code}: {what}")


def recipes() -> Iterator[tuple[str, type]]:
    """Every dataclass whose fields an experiment can set."""
    for name in catalog.names():
        yield name, catalog.load(name)
    for registry in (PROTOCOLS, FILTERS, CONFIDENCES, METHODS):
        yield from registry.items()


def numbers(cls: type) -> Iterator[tuple[str, Any]]:
    """The fields that take a number, and their types."""
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        if field.init and {int, float} & set(_leaves(hints[field.name])):
            yield field.name, hints[field.name]


def _refusal(hint: Any, value: Any, at: At) -> str:
    try:
        convert(hint, value, at)
    except ConfigError as error:
        return str(error)
    return "was taken"


def _leaves(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Annotated:
        yield from _leaves(get_args(hint)[0])
    elif get_origin(hint) in (Union, types.UnionType):
        for branch in get_args(hint):
            yield from _leaves(branch)
    else:
        yield hint


def test_C3_a_number_out_of_range_is_refused_with_field_value_and_range() -> None:
    """For k, seeds and every number of every model, protocol, filter, confidence and method: none is without bounds."""
    for wrong in (0, -1, 10**9, "10", True, 1.5):
        error = refused(output={"k": wrong})
        assert f"output.k: {json.dumps(wrong)} is refused; must be a whole number >= 1 and <= 100" in str(error)
    unbounded = []
    for name, cls in recipes():
        for field, hint in numbers(cls):
            for wrong in (math.nan, math.inf, -math.inf, "10", True, -(10**19), 10**19, -1e300, 1e300):
                said = _refusal(hint, wrong, At(Document({}), Path()) / name / field)
                if f": {name}.{field}: " not in said or "; must be " not in said:
                    unbounded.append(f"{name}.{field}={wrong} {said}")
    assert unbounded == []


def test_C4_tags_make_no_object_and_aliases_no_flood(matinee: Matinee, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    said = matinee("run", write(tmp_path, GOOD + f"question: !!python/object/apply:os.mkdir ['{canary}']\n"))
    assert said.code == 2
    assert "tag-refused" in said.error
    assert not canary.exists()
    levels = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]  # 10^10 values
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    said = matinee("run", write(tmp_path, "\n".join(levels)))
    assert said.code == 2
    assert "aliases expand this to more than 10000 values" in said.error
    assert time.process_time() - start < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kilobytes"


def test_C5_a_key_given_twice_is_refused(matinee: Matinee, tmp_path: Path) -> None:
    file = write(tmp_path, GOOD + "seed: 1\nname: again\n")
    said = matinee("run", file)
    assert said.code == 2
    assert said.error == f"{file}:6:1: duplicate-key: 'name' is given twice, first in line 1; keep one of them"
    assert matinee("run", write(tmp_path, GOOD.replace("l2: 3", "l2: 3, l2: 4"))).code == 2


def test_C7_a_seed_is_a_whole_number_below_two_to_the_63_and_zero_where_absent() -> None:
    assert made().resolved()["seed"] == 0, "stored, also where nobody gave one"
    assert made(seed=2**63 - 1).seed == 2**63 - 1
    for wrong in (2**63, 2**64, -1, "1", "abc", 1.0, True, [1]):
        assert str(refused(seed=wrong)).split(": ")[1] == "seed"
        assert "split.seed" in str(refused(split={"protocol": "gap_and_tail", "seed": wrong}))


def test_C11_a_secret_in_a_configuration_is_never_repeated(
    matinee: Matinee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "hunter2canary"
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", canary)
    assert canary not in json.dumps(made().resolved())
    for secret in (
        f"password: {canary}",
        f"tracking: {{mlflow: 'https://me:{canary}@host'}}",
        f"data: {{path: x, token: {canary}}}",
        f"output: {{api_key: {canary}}}",
        f"tracking: {{password: {canary}}}",
    ):
        file = write(
            tmp_path,
            GOOD.replace("data: {path: log.csv}\n", "" if secret.startswith("data") else "data: {path: log.csv}\n")
            + secret
            + "\n",
        )
        for words in (["run", file], ["run", file, "--errors", "json"], ["run", file, "--debug"]):
            said = matinee(*words)
            assert said.code == 2
            assert canary not in said.out + said.err, secret
    said = matinee("run", write(tmp_path, GOOD), "--set", f"data.password={canary}")
    assert said.code == 2
    assert canary not in said.err


@pytest.mark.slow
def test_C12_awkward_readers_get_the_same_bytes_and_no_traceback() -> None:
    for words, environments in (
        (
            ["--help"],
            [{"LC_ALL": "C", "TERM": "dumb"}, {"LANG": "ko_KR.EUC-KR", "PYTHONHASHSEED": "1"}],
        ),
        (
            ["models", str(BASE / "toy_unweighted.py")],
            [{"LC_ALL": "C", "COLUMNS": "1", "PYTHONIOENCODING": "ascii", "PYTHONHASHSEED": "2"}],
        ),
    ):
        usual = process(*words)
        assert (usual.returncode, usual.stderr) == (0, b"")
        for environment in environments:
            other = process(*words, environment=environment)
            assert (other.returncode, other.stdout, other.stderr) == (0, usual.stdout, b""), environment
    cut = process(*words, shell="| head -c 1")
    assert (cut.returncode, cut.stdout, cut.stderr) == (0, usual.stdout[:1], b"")
    narrow = process("--help", environment={"COLUMNS": "1"})
    assert (narrow.returncode, narrow.stderr) == (0, b"")
    assert process("--help", shell=">&-").stderr == b""
