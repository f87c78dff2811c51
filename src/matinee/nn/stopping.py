"""Ctrl-C and SIGTERM in training: the step is finished and its state written; a second one stops at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """A context in which a first signal waits for `check`; a second goes where it went before."""

    def __init__(self) -> None:
        self.asked: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def raise_(self) -> None:
        """Do what the signal did before: by default Ctrl-C is a KeyboardInterrupt, and SIGTERM ends the process."""
        assert self.asked is not None
        handler = self._before[self.asked]
        signal.signal(self.asked, handler)
        signal.raise_signal(self.asked)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            self.raise_()
        self.asked = number
