"""Ctrl-C and SIGTERM in training: the step is finished and its state written; a second one stops at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """A context in which a first signal waits for `raise_`, at the latest for the end.

    A second one goes where it went before; one that was ignored stays ignored.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self.asked is not None and kind is None:
            signal.raise_signal(self.asked)

    def raise_(self, number: int) -> None:
        """Do what the signal did before: by default Ctrl-C is a KeyboardInterrupt, and SIGTERM ends the process."""
        self.asked = None
        if number not in self._before:  # another process was asked, and this one cannot be
            raise KeyboardInterrupt
        signal.signal(number, self._before[number])
        signal.raise_signal(number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            self.raise_(number)
        self.asked = number
