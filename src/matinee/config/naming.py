"""What an experiment may be called: letters of any alphabet, for its folders are called so and people read them."""

from __future__ import annotations

import unicodedata

from matinee.errors import UsageError

LONGEST, MOST_BYTES = 64, 200
"""A file system takes 255 bytes, and the folders of runs and searches have longer names than their experiment."""


def experiment_name(name: str) -> str:
    """`name` as it is composed (NFC), so that one name is one folder however it was typed. Raises UsageError."""
    name = unicodedata.normalize("NFC", name)
    kinds = [unicodedata.category(sign)[0] for sign in name]  # L letters, M marks on them, N digits
    good = all(kind in "LMN" or sign in "._-" for kind, sign in zip(kinds, name, strict=True))
    if not (good and 1 <= len(name) <= LONGEST and len(name.encode()) <= MOST_BYTES and name == name.lower()
            and kinds[0] in "LN" and name[-1] != "."):
        raise UsageError("bad-name", f"{name!r} is no name for an experiment",
                         f"use up to {LONGEST} ({MOST_BYTES} bytes) of small letters of any alphabet, digits, '.', '_' "
                         "and '-', a letter or digit first and no '.' last")
    return name


def derived(name: str, ending: str) -> str:
    """The name of an experiment that was made of one called `name`, which loses its end where both are too long."""
    while len(name + ending) > LONGEST or len((name + ending).encode()) > MOST_BYTES:
        name = name[:-1]
    return name + ending
