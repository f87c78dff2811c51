"""Where the mirror is: a file beside the runs, a database, or a server."""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from matinee.errors import Degraded, UsageError, printable

VARIABLE = "MLFLOW_TRACKING_URI"
SERVERS = ("http", "https")
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")

_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]*@")


class Outage(Degraded):
    """The mirror could not be brought up to date. Nothing is lost: the run folder has it all."""

    def __init__(self, what: str) -> None:
        super().__init__("not-mirrored", f"MLflow: {printable(without_credentials(' '.join(what.split())))}",
                         "nothing is lost; `matinee track sync` brings it up to date")


@dataclass(frozen=True)
class Address:
    uri: str
    runs: Path
    """Where runs stand, and beside a database the copies of their files."""

    @property
    def is_server(self) -> bool:
        return self.uri.split(":")[0] in SERVERS

    @property
    def file(self) -> Path | None:
        """Of an SQLite database."""
        return Path(self.uri.removeprefix("sqlite:///")) if self.uri.startswith("sqlite:") else None

    @property
    def artefacts(self) -> Path | None:
        """The folder of the files; None where a server keeps them."""
        if self.is_server:
            return None
        return (self.file.parent if self.file else self.runs.resolve() / "mlflow") / "artifacts"

    def probe(self) -> int | None:
        """Which file the database is now; None where it is none, or not there yet.

        Raises Outage where it cannot be written: MLflow itself would try again for minutes.
        """
        if self.file is None or not self.file.exists():
            return None
        try:
            inode = self.file.stat().st_ino
            database = sqlite3.connect(f"file:{quote(str(self.file))}?mode=rw", uri=True, timeout=1)
            try:
                database.execute("BEGIN IMMEDIATE")
                database.rollback()
            finally:
                database.close()
        except (sqlite3.Error, OSError) as error:
            raise Outage(f"{self.file}: {error}") from error
        return inode

    def accepts(self, artefacts: str) -> bool:
        """May files be copied to where a store says? A server only takes them itself; it names no place of ours."""
        there = urlsplit(artefacts)
        if self.artefacts is None:
            return there.scheme == "mlflow-artifacts" and there.netloc in ("", urlsplit(self.uri).netloc)
        path = there.path if there.scheme == "file" else artefacts
        return there.scheme in ("", "file") and Path(path).resolve().is_relative_to(self.artefacts.resolve())


def address(runs: Path, known: str | None = None) -> Address:
    """From the environment; else where a run was mirrored before (`known`); else a file in `runs`.

    Raises UsageError for what MLflow does not write to.
    """
    uri = os.environ.get(VARIABLE) or known or f"sqlite:///{(runs / 'mlflow' / 'mlflow.db').resolve()}"
    scheme = urlsplit(uri).scheme
    known_kind = scheme in SERVERS or scheme.split("+")[0] in DATABASES
    if not known_kind or uri in ("sqlite://", "sqlite:///", "sqlite:///:memory:"):
        raise UsageError("unknown-store", f"{without_credentials(uri)!r} is nothing that runs can be mirrored to",
                         "give http://HOST:PORT of a server, or sqlite:///FILE; MLflow gave up folders (file:)")
    if scheme == "sqlite":
        uri = f"sqlite:///{Path(uri.removeprefix('sqlite:///')).resolve()}"
    return Address(uri, runs)


def without_credentials(text: str) -> str:
    return _CREDENTIALS.sub("", text)
