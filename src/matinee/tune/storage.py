"""Where a search keeps its trials: Optuna's journal, written so that a kill at any moment loses no whole line.

The file is the one that Optuna's own `JournalFileBackend` writes and reads, one JSON object a line. That one leaves a
lock file behind when it is killed, and writes on behind half a line; here the folder's lock, which dies with its
process, keeps others away, and half a line is cut off before the next.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matinee import durable
from matinee.errors import ConfigError


def require_optuna() -> Any:
    """The package, quiet. Raises ConfigError where it is not installed."""
    try:
        import optuna
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise ConfigError("not-installed", "tuning needs optuna, which is not installed",
                          "pip install 'matinee[hpo]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


@contextmanager
def calmly() -> Iterator[None]:
    """Without Optuna's remarks on parts of itself that may change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def storage(path: Path) -> Any:
    """An Optuna storage in this file. The folder's lock is held by the caller."""
    optuna = require_optuna()
    from optuna.storages.journal import BaseJournalBackend

    class Lines(BaseJournalBackend):
        """Whole lines alone, kept in memory as well, as nobody else writes."""

        def __init__(self) -> None:
            self.known = durable.read_lines(path)

        def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
            return self.known[log_number_from:]

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            path.parent.mkdir(parents=True, exist_ok=True)
            for log in logs:
                durable.append_line(path, log)
            self.known.extend(logs)

    with calmly():
        return optuna.storages.JournalStorage(Lines())
