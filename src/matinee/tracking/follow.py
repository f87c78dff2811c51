"""The process beside a run: it tails the journal into MLflow, and no trouble of its own reaches the run.

    python -m matinee.tracking.follow RUN

How the run ended comes as a word on standard input (FINISHED, FAILED, KILLED). Where nothing comes and the input ends,
the run's process was killed: then it says so to MLflow and goes, within `GRACE` seconds.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path

from matinee.errors import MatineeError, ModelError, ResourceError, UsageError
from matinee.experiment.folder import RunFolder
from matinee.tracking.address import Outage, address, without_credentials
from matinee.tracking.mirror import Mirror, State, is_mirrored, locked, settle
from matinee.tracking.store import Store

POLL, LONGEST = 1.0, 30.0
"""Seconds between two looks at the journal; at most, while MLflow is away."""
NICE = 2
"""The run comes first; but where other programs crowd the machine, the mirror must not starve."""
GRACE = 120.0
WORDS = ("FINISHED", "FAILED", "KILLED")


class Ending:
    """How the run ended, as soon as it has."""

    def __init__(self) -> None:
        self._known = threading.Event()
        self._word = "KILLED"
        threading.Thread(target=self._listen, daemon=True).start()

    def is_known(self) -> bool:
        return self._known.is_set()

    @property
    def word(self) -> str:
        return self._word

    def wait(self, seconds: float) -> None:
        self._known.wait(seconds)

    def _listen(self) -> None:
        word = os.read(0, 100).decode().strip()
        if word in WORDS:
            self._word = word
        else:  # nobody waits for us any more, so nobody would stop us
            limit = threading.Timer(GRACE, os._exit, (1,))
            limit.daemon = True
            limit.start()
        self._known.set()


def main(path: str) -> int:
    """Exit code 0: MLflow has all; 6: it has not."""
    os.nice(NICE)
    folder, ending = RunFolder(Path(path)), Ending()
    try:
        with locked(folder):
            return follow(folder, ending)
    except MatineeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def follow(folder: RunFolder, ending: Ending) -> int:
    """Until the run has ended and MLflow has it all, or cannot be reached then."""
    mirror, wait = None, POLL
    while True:
        last = ending.is_known()
        try:
            if mirror is None:
                mirror = Mirror(folder, Store(address(folder.path.parent)))
                settle_others(folder, mirror.store)
                mirror.end("RUNNING")
            mirror.catch_up(ended=last, stop=_never if last else ending.is_known)
            if last:
                mirror.end(ending.word)
                return 0
            wait = POLL
        except (Outage, UsageError) as error:
            if last:
                return _given_up(folder, mirror, ending.word, error)
            if mirror is None:
                _note(folder, error)
            wait = min(2 * wait, LONGEST)
        ending.wait(wait)


def settle_others(folder: RunFolder, store: Store) -> None:
    """Runs beside this one that were killed are not left RUNNING. Raises Outage."""
    own = without_credentials(store.address.uri)
    for path in sorted(folder.path.parent.iterdir()):
        other = RunFolder(path)
        if path == folder.path or not is_mirrored(other):
            continue
        state = State.of(other)
        if state.status == "RUNNING" and state.address == own:
            with contextlib.suppress(ResourceError, ModelError), locked(other):  # another does it, or it is no run
                settle(other, Mirror(other, store))


def _given_up(folder: RunFolder, mirror: Mirror | None, word: str, error: MatineeError) -> int:
    """Keep for later how the run ended. Where only its files could not be copied, MLflow learns it now."""
    if mirror is None:
        _note(folder, error, word)
    else:
        with contextlib.suppress(Outage):
            mirror.end(word)
    return error.exit_code


def _note(folder: RunFolder, error: MatineeError, status: str = "RUNNING") -> None:
    state = State.of(folder)
    state.trouble, state.status = error.what, status
    state.write(folder)


def _never() -> bool:
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
