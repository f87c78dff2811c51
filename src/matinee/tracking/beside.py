"""The run's side of its mirror: start the process that follows, tell it how the run ended, wait a little."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from matinee.config import Experiment
from matinee.experiment.folder import RunFolder
from matinee.nn import processes
from matinee.tracking.address import VARIABLE, address
from matinee.tracking.mirror import behind, is_mirrored

SHARE, LEAST = 0.02, 1.0
"""How long a run waits at its end for a mirror that does nothing: 2 % of its own time, a second at least. To start the
other process costs a second or two more, and all of it is to stay below 5 % of a run of a minute."""
BUSY = ("R", "D")
"""States of Linux: running, or ready to; and waiting for a disk."""
MOST = 600.0
"""How long for one that is at work."""


def is_wanted(experiment: Experiment) -> bool:
    """As the experiment says; where it says nothing, as the environment does."""
    said = experiment.tracking.mlflow
    return bool(os.environ.get(VARIABLE)) if said is None else said


@contextlib.contextmanager
def mirrored(
    experiment: Experiment, runs: Path, say: Callable[[str], None] | None
) -> Iterator[Callable[[RunFolder], None]]:
    """Mirror what happens in the block, once the run's folder is given to what this yields.

    Raises UsageError, before anything is done, for a store that cannot be written to; later nothing.
    """
    if processes.rank() or not is_wanted(experiment):
        yield _nobody
        return
    address(runs)
    follower, word = Follower(say or _nobody), "FAILED"
    try:
        yield follower.start
        word = "FINISHED"
    except (KeyboardInterrupt, SystemExit):
        word = "KILLED"
        raise
    except BaseException as error:
        word = "FAILED" if isinstance(error, Exception) else "KILLED"
        raise
    finally:
        follower.end(word)


class Follower:
    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self, folder: RunFolder) -> None:
        if folder.is_done and is_mirrored(folder) and behind(folder) is None:
            return
        (folder.path / "tracking").mkdir(exist_ok=True)
        self._started = time.monotonic()
        with open(folder.path / "tracking" / "log.txt", "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "matinee.tracking.follow", str(folder.path.resolve())],
                stdin=subprocess.PIPE, stdout=log, stderr=log,
                start_new_session=True,  # Ctrl-C is for the run; it tells us by a word
            )

    def end(self, word: str) -> None:
        """Say how the run ended and wait while the other side is at work; one that only waits is stopped."""
        if self._process is None or self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(word.encode())
            self._process.stdin.close()
        patience = max(LEAST, SHARE * (time.monotonic() - self._started))
        asked = moved = time.monotonic()
        sign, told = None, False
        try:
            while self._process.poll() is None:
                now = time.monotonic()
                if now - asked > LEAST and not told:
                    self._say("MLflow: the rest is being written")
                    told = True
                if (seen := _work(self._process.pid)) != sign:
                    sign, moved = seen, now
                if now - moved > patience or now - asked > MOST:
                    break
                time.sleep(0.05)
        finally:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()


def _work(process: int) -> tuple[str, ...]:
    """A sign that changes while a process computes or reads: it stands still while one waits for an answer.

    Its state: a process that would compute if it were let is at work. Nothing where the kernel does not tell.
    """
    with contextlib.suppress(OSError):
        state, *fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        if state in BUSY:
            return (str(time.monotonic()),)
        return (*fields[10:12], Path(f"/proc/{process}/io").read_text().split("\n", 1)[0])
    return ()


def _nobody(what: object) -> None:
    """Nobody follows, nobody listens."""
