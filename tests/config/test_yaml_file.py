"""YAML 1.2 to plain values with their places; everything beyond plain values is refused."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.config.yaml_file import MOST_BYTES, parse, read
from matinee.errors import ConfigError, Place


def refusal(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, "x.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0o17", 15),
        ("010", 10),
        ("-3", -3),
        ("+2.5", 2.5),
        ("1.", 1.0),
        ("-.inf", -math.inf),
        (".5", 0.5),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2015-01-31", "2015-01-31"),
        ("'10'", "10"),
        ('"1e4"', "1e4"),
        ("!!str 007", "007"),
        ("영화", "영화"),
        ("[1, [a]]", [1, ["a"]]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
    ],
)
def test_values_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    assert parse(f"key: {text}\n", "x.yaml").content == {"key": value}


def test_not_a_number_is_read_and_left_to_the_field() -> None:
    assert math.isnan(parse("key: .nan\n", "x.yaml").content["key"])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029\x85\ufeff")
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcä한", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_json_means_the_same(value: Any) -> None:
    document = parse(json.dumps({"key": value}, indent=1, ensure_ascii=False), "x.yaml")
    assert document.content == {"key": value}
    assert json.dumps(document.content) == json.dumps({"key": value})  # 1 and 1.0 and true are not the same


def test_each_key_and_value_has_its_place() -> None:
    document = parse("a: 1\nlist:\n  - x: 한글\n    y: 2\n", "x.yaml")
    assert document.place(("list", 0, "y")) == Place("x.yaml", 4, 8)
    assert document.place(("list", 0, "y"), of_key=True) == Place("x.yaml", 4, 5)
    assert document.place(("list", 0, "missing")) == Place("x.yaml", 3, 5), "what would hold it"
    assert document.place(()) == Place("x.yaml", 1, 1)


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: [1\nb: 2\n", "x.yaml:2:2", "expected ',' or ']'"),
        ("a: b: c\n", "x.yaml:1:5", "mapping values are not allowed here"),
        ("a:\n\t- b\n", "x.yaml:2:1", "cannot start any token"),
        ("a: 'open\n", "x.yaml:2:1", "end of stream"),
        ("a: *nobody\n", "x.yaml:1:4", "undefined alias"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1", "another document"),
        ("a: 1\nb: \x07\n", "x.yaml:2:4", "may not stand in YAML"),
        ("%YAML 1.1\n---\na: yes\n", "x.yaml:3:4", "'yes' is not a value of YAML 1.2"),
        (f"a: 1{'0' * 5000}\n", "x.yaml:1:4", "is not a value"),
    ],
)
def test_a_syntax_error_names_line_and_column(text: str, place: str, what: str) -> None:
    error = refusal(text)
    assert (error.code, str(error.place)) == ("bad-yaml", place)
    assert what in error.what


def test_a_key_given_twice_is_refused_with_both_lines() -> None:
    error = refusal("seed: 1\ndata:\n  path: a\n  layout: b\n  path: c\n")
    assert str(error) == "x.yaml:5:3: duplicate-key: 'path' is given twice, first in line 3; keep one of them"


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a: !!python/object/apply:os.system [echo]\n", 4),
        ("a: !mine 1\n", 4),
        ("a: !!binary aGk=\n", 4),
        ("a: !!set {x}\n", 4),
        ("!!python/name:os.system a: 1\n", 1),
    ],
)
def test_a_tag_is_refused(text: str, column: int) -> None:
    error = refusal(text)
    assert (error.code, str(error.place)) == ("tag-refused", f"x.yaml:1:{column}")


def test_a_key_that_is_a_list_is_refused() -> None:
    assert str(refusal("? [1, 2]\n: 3\n")).startswith("x.yaml:1:3: bad-key: a key must be plain text")


def test_an_alias_is_the_value_again() -> None:
    assert parse("a: &x {b: 1}\nc: *x\n", "x.yaml").content == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize("text", ["a: &x [*x]\n", "a: &x {b: {c: *x}}\n"])
def test_an_alias_inside_its_own_value_is_refused(text: str) -> None:
    assert refusal(text).code == "too-large"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[" * 200_000, "more than 100 brackets are open at once"),
        ("{a: " * 101, "more than 100 brackets are open at once"),
        ("- " * 3_000, "nested too deeply"),
    ],
)
def test_depth_is_limited(text: str, what: str) -> None:
    assert str(refusal(text)) == f"x.yaml: bad-yaml: {what}; nest less"


def test_a_byte_order_mark_is_dropped_and_line_ends_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes("\ufeffname: 한글\r\nseed: 1\r\n".encode())
    assert read(file).content == {"name": "한글", "seed": 1}


def test_other_encodings_are_named_by_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes("name: a\nquestion: 한글\n".encode("cp949"))
    with pytest.raises(ConfigError) as caught:
        read(file)
    assert str(caught.value) == f"{file}:2:11: not-utf-8: byte 0xc7 is not UTF-8; save the file as UTF-8"


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, what in (
        (tmp_path / "gone.yaml", "there is no such file"),
        (tmp_path, "not a file"),
        (pipe, "not a file"),
    ):
        with pytest.raises(ConfigError, match=what) as caught:
            read(path)
        assert (caught.value.code, str(caught.value.place)) == ("no-file", str(path))


def test_a_file_of_megabytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("#" * (MOST_BYTES + 1))
    with pytest.raises(ConfigError, match="too-large: more than"):
        read(file)
