"""Trials in a process of their own: what one takes of time and memory is watched, and it can be stopped."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from matinee.errors import ConfigError, ResourceError
from matinee.tune.study import Outcome
from matinee.tune.worker import WARM

TICK = 0.05
"""Seconds between two looks at the memory."""


class Overrun(Exception):
    """A trial that was stopped: over its memory, over its time, or dead by itself."""

    def __init__(self, why: str, *, memory: bool = False, time: bool = False) -> None:
        super().__init__(why)
        self.why, self.memory, self.time = why, memory, time


@dataclass(eq=False)
class Workshop:
    """At most one worker at a time, started when the first trial is due, and anew where one was stopped."""

    begin: Mapping[str, Any]
    """The worker's first line."""
    memory_mb: float
    tick: Callable[[float], None] = lambda seconds: None
    """Called now and then with the seconds that the trial has taken."""
    say: Callable[[str], None] = lambda line: None
    """Called with what takes long and is no part of a trial."""
    process: subprocess.Popen[bytes] | None = None
    known: set[str] = field(default_factory=set)
    """Models that the worker has fitted."""
    peak_mb: float = 0.0
    rest: bytes = b""
    errors: Any = None
    """What the worker writes beside its answers."""

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def trial(self, ask: Mapping[str, Any], seconds: float | None, report: Callable[[float], bool]) -> Outcome:
        """Have one trial done, in at most so many seconds. `report` takes each validation and says whether to go on.

        A worker may still hold memory of earlier trials; one that is over the limit is tried once more in a fresh one.
        """
        fresh = self._ready()
        outcome = self._one(ask, seconds, report)
        if outcome.why.startswith("memory") and not fresh:
            self._ready()
            return self._one(ask, seconds, lambda value: True)
        return outcome

    def _one(self, ask: Mapping[str, Any], seconds: float | None, report: Callable[[float], bool]) -> Outcome:
        start = time.monotonic()
        self.peak_mb, last = 0.0, None
        answer: dict[str, Any] = {}
        try:
            self._say(ask)
            allowed = seconds + WARM if seconds is not None and ask["id"] not in self.known else seconds
            limit = allowed
            while not answer.keys() & {"value", "pruned", "error"}:
                answer = self._answer(start, limit)
                if "first" in answer:
                    self.say(f"{ask['id']}: its first stage ({', '.join(answer['first'])}) comes first, and is no part "
                             "of the budget")
                    limit = None
                if "prepared" in answer:
                    start, limit = time.monotonic(), allowed
                if "again" in answer:
                    start, limit = time.monotonic(), seconds
                if "report" in answer:
                    last = answer["report"]
                    self._say({"go_on": report(last)})
            self.known.add(ask["id"])
            peak = max(self.peak_mb, answer["peak_mb"])
            if peak > self.memory_mb or answer.get("memory"):
                raise Overrun(f"memory: {peak:.0f} MB, where {self.memory_mb:.0f} are the most", memory=True)
        except Overrun as over:
            self._stop()
            spent = time.monotonic() - start
            return Outcome("cut" if over.time else "failed", round(spent, 3), None, round(self.peak_mb, 1), over.why)
        spent = round(time.monotonic() - start, 3)
        if "error" in answer:
            return Outcome("failed", spent, None, peak, answer["error"])
        if "pruned" in answer:
            return Outcome("pruned", spent, last, peak, "worse than the median of the others at this point")
        return Outcome("done", spent, answer["value"], peak)

    def _ready(self) -> bool:
        """Start a worker where there is none; has it fitted nothing yet?

        Raises ConfigError or ResourceError where none can begin.
        """
        if self.process is None:
            self.known, self.rest, self.errors = set(), b"", tempfile.TemporaryFile()  # noqa: SIM115 - closed by _stop
            self.process = subprocess.Popen(
                [sys.executable, "-m", "matinee.tune.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self.errors, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            try:
                self._say(self.begin)
                answer = self._answer(time.monotonic(), None)
            except Overrun as over:
                self._stop()
                raise ResourceError("no-trial", f"no trial can begin: {over.why}",
                                    "give the search more memory, or use less data") from None
            if "error" in answer:
                self._stop()
                raise ConfigError("no-trial", f"no trial can begin: {answer['error']}")
        return not self.known

    def _say(self, facts: Mapping[str, Any]) -> None:
        assert self.process is not None
        try:
            stream = cast(IO[bytes], self.process.stdin)
            stream.write(json.dumps(facts).encode() + b"\n")
            stream.flush()
        except BrokenPipeError:
            raise Overrun(self._last_words()) from None

    def _answer(self, start: float, seconds: float | None) -> dict[str, Any]:
        """The worker's next line. Raises Overrun where its limits come first, or its end."""
        assert self.process is not None
        stream = cast(IO[bytes], self.process.stdout).fileno()
        while b"\n" not in self.rest:
            spent = time.monotonic() - start
            self.tick(spent)
            if (now := resident_mb(self.process.pid)) is not None:
                self.peak_mb = max(self.peak_mb, now)
                if now > self.memory_mb:
                    raise Overrun(f"memory: over {self.memory_mb:.0f} MB", memory=True)
            if seconds is not None and spent > seconds:
                raise Overrun("the minutes were over", time=True)
            if select.select([stream], [], [], TICK)[0]:
                piece = os.read(stream, 1 << 16)
                if not piece:
                    raise Overrun(self._last_words())
                self.rest += piece
        line, _, self.rest = self.rest.partition(b"\n")
        return dict(json.loads(line))

    def _last_words(self) -> str:
        """Why a worker ended by itself, from what it wrote last."""
        assert self.process is not None
        code = self.process.wait()
        size = self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(0, size - 4096))
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        ended = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return f"the process ended {ended}" + (f": {lines[-1]}" if lines else "")

    def _stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                cast(IO[bytes], stream).close()
            self.errors.close()
            self.process = None


def resident_mb(process: int) -> float | None:
    """Memory that a process holds now; None where the system does not say."""
    try:
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def machine_mb() -> float:
    """Memory of the whole machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 20)
