"""Runs that MLflow lacks, wholly or in part, told to it after the fact."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from matinee.errors import ResourceError
from matinee.experiment.folder import RunFolder, runs_in
from matinee.tracking.address import address
from matinee.tracking.mirror import Mirror, State, behind, is_at_work, is_mirrored, locked, settle
from matinee.tracking.store import Store

PATIENCE = 60.0
"""Seconds to wait for another process that mirrors the same run."""


def mirrored_runs(runs: Path) -> list[RunFolder]:
    """Those below `runs` that were mirrored, or asked to be."""
    return [folder for folder in runs_in(runs)
            if is_mirrored(folder) or folder.manifest["config"].get("tracking", {}).get("mlflow")]


def sync(folders: Sequence[RunFolder], runs: Path, say: Callable[[str], None]) -> None:
    """Bring MLflow up to the folders. Raises Outage at the first that cannot be; what was told before stays told."""
    stores: dict[str, Store] = {}
    for folder in folders:
        known = State.of(folder).address if is_mirrored(folder) else None
        place = address(runs, known)
        if place.uri not in stores:
            stores[place.uri] = Store(place)
        if not _synced(folder, stores[place.uri]):
            say(f"{folder.id}: another process carries it out and mirrors it")
        else:
            missing = behind(folder) if not is_at_work(folder) else None
            say(f"{folder.id}: {missing or 'up to date'}")


def _synced(folder: RunFolder, store: Store) -> bool:
    """False where a run that is being carried out is mirrored by its own process."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with locked(folder):
                mirror = Mirror(folder, store)
                mirror.catch_up(ended=not is_at_work(folder))
                settle(folder, mirror)
                return True
        except ResourceError as error:
            if error.code != "in-use" or time.monotonic() > deadline:
                raise
            if is_at_work(folder):
                return False
            time.sleep(0.2)
