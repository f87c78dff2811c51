"""What was computed before, found by the content it depends on.

Data sets and splits are kept in the cache's own folder; models and lists stay in the run that made them, and
the cache knows which run that is. A run that was deleted is simply not found any more.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from matinee import durable


@dataclass(frozen=True)
class Cache:
    root: Path  # runs/.cache

    def place(self, kind: str, key: str) -> Path:
        """Where the cache's own copy of a thing stands, or will stand."""
        return self.root / kind / key

    def note(self, kind: str, key: str, folder: Path) -> None:
        """Remember that the thing with this key stands in `folder`."""
        durable.write_json(self._note(kind, key), {"folder": str(folder.resolve())})

    def find(self, kind: str, key: str) -> Path | None:
        """The folder noted for this key, where it still exists."""
        note = self._note(kind, key)
        if not note.is_file():
            return None
        folder = Path(json.loads(note.read_text())["folder"])
        return folder if folder.is_dir() else None

    def _note(self, kind: str, key: str) -> Path:
        return self.root / "where" / f"{kind}-{key}.json"


def copy_whole(source: Path, target: Path) -> None:
    """Copy a folder so that `target` appears whole or not at all."""
    with durable.publishing(target) as fresh:
        shutil.copytree(source, fresh, dirs_exist_ok=True)
