"""The one file that speaks to MLflow: a dozen calls, each bounded in time, whose every failure is an `Outage`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from matinee.errors import UsageError
from matinee.tracking.address import Address, Outage
from matinee.tracking.content import Point

SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",  # we try again ourselves, later
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # what goes wrong is said once, by us
}
"""Of MLflow, where the environment does not say otherwise."""
METRICS, ENTITIES = 1000, 100
"""At most in one request."""
TOKEN = "matinee.token"
"""The tag by which a run folder finds its run: its name may stand in other places too."""


T = TypeVar("T")


@dataclass(frozen=True)
class Known:
    """What a run in MLflow has: parameters, tags, the names of its metrics, and how it is."""

    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    metrics: tuple[str, ...]
    status: str


class Store:
    """An MLflow store. Raises Outage whenever it does not do as it should; UsageError for files it wants elsewhere."""

    def __init__(self, address: Address) -> None:
        self.address = address
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        with _outages():
            address.probe()
            with _alone(address), _no_warnings():  # MLflow's migrations bear no company
                import alembic  # noqa: F401 - says that it is missing before a store is made
                import sqlalchemy  # noqa: F401
                from mlflow.tracking import MlflowClient

                self._client: Any = MlflowClient(address.uri)
            self._file = address.probe()

    def check(self) -> None:
        """Is the database still the file that was opened? One that was deleted would be written to in vain."""
        if self._file is not None and self.address.probe() != self._file:
            raise Outage(f"{self.address.file} was deleted or replaced")

    def run(self, experiment: str, token: str, name: str, started: int) -> tuple[str, bool]:
        """The run of a run folder, and whether it was there before; made where it is not."""
        with _outages():
            id_ = self._experiment(experiment)
            found = self._client.search_runs([id_], f"tags.`{TOKEN}` = '{token}'", max_results=1)
            if found:
                return str(found[0].info.run_id), True
            made = self._client.create_run(id_, start_time=started, tags={TOKEN: token}, run_name=name)
            return str(made.info.run_id), False

    def known(self, run: str) -> Known:
        with _outages():
            found = self._client.get_run(run)
            data = found.data
            return Known(dict(data.params), dict(data.tags), tuple(data.metrics), str(found.info.status))

    def steps(self, run: str, key: str) -> set[int]:
        with _outages():
            return {int(metric.step) for metric in self._client.get_metric_history(run, key)}

    def add_points(self, run: str, points: Sequence[Point]) -> None:
        from mlflow.entities import Metric

        with _outages():
            self.check()
            self._client.log_batch(run, metrics=[Metric(one.key, one.value, one.time, one.step) for one in points])

    def add_words(self, run: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
        from mlflow.entities import Param, RunTag

        with _outages():
            self.check()
            for some in batched(parameters.items(), ENTITIES):
                self._client.log_batch(run, params=[Param(*one) for one in some])
            for some in batched(tags.items(), ENTITIES):
                self._client.log_batch(run, tags=[RunTag(*one) for one in some])

    def add_file(self, run: str, path: Path, name: str) -> None:
        """A copy of the file, byte by byte: MLflow's own forms of models are never used."""
        folder = PurePosixPath(name).parent.as_posix()
        with _outages():
            self._client.log_artifact(run, str(path), None if folder == "." else folder)

    def check_artefacts(self, run: str) -> None:
        with _outages():
            place = str(self._client.get_run(run).info.artifact_uri)
        if not self.address.accepts(place):
            raise UsageError("artefacts-elsewhere", f"MLflow wants the run's files at {place!r}",
                             "start the server with --serve-artifacts and name a new experiment; "
                             "metrics and parameters are there")

    def set_status(self, run: str, status: str, ended: int | None) -> None:
        with _outages():
            self.check()
            if status == "RUNNING":
                self._client.update_run(run, status=status)
            else:
                self._client.set_terminated(run, status=status, end_time=ended)

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        if found := self._client.get_experiment_by_name(name):
            return str(found.experiment_id)
        folder = self.address.artefacts
        try:
            return str(self._client.create_experiment(name, folder and (folder / name).as_uri()))
        except MlflowException:
            if found := self._client.get_experiment_by_name(name):  # somebody else was quicker
                return str(found.experiment_id)
            raise


def batched(many: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(many)
    while some := list(islice(left, size)):
        yield some


@contextlib.contextmanager
def _outages() -> Iterator[None]:
    """Whatever goes wrong on the other side, as an Outage."""
    try:
        yield
    except Outage:
        raise
    except ImportError as error:
        raise Outage(f"{error}; pip install 'matinee[track]'") from error
    except _failures() as error:
        raise Outage(f"{type(error).__name__}: {error}") from error


def _failures() -> tuple[type[Exception], ...]:
    """What MLflow lets through where a server talks nonsense, a disk is full or a database is not its own."""
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError, CommandError, OSError, ValueError, LookupError, TypeError,
            AttributeError, RuntimeError)


@contextlib.contextmanager
def _alone(address: Address) -> Iterator[None]:
    """One process at a time opens an SQLite database, which may make or migrate it."""
    if address.file is None:
        yield
        return
    address.file.parent.mkdir(parents=True, exist_ok=True)
    with open(address.file.with_name(f".{address.file.name}.lock"), "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    """What MLflow finds outdated in its own dependencies is no news of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
