"""The ledger of submissions: what was handed in, by whom, its offline figures, the public score, and who may hand in.

A file of JSON lines that only grows. A public score, a correction and other rules are lines of their own, so nothing
that was ever written is lost; what counts is the newest. Writers take turns by a lock; a line that a killed writer left
torn is not read, and is cut off by the next.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

from matinee import durable
from matinee.data.zones import zone_of
from matinee.errors import DataError, Place, UsageError, nearest
from matinee.experiment.handed_in import HandedIn

WAIT = 30.0  # seconds for another writer, who needs a few milliseconds


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How many submissions a member has a day, and when a day is another one."""

    quota: int | None = None
    """Of each member, a day; None: as many as they like."""
    zone: str = "UTC"
    begins: str = "00:00"
    """When the day begins there."""
    free_after: str | None = None
    """From this time to the end of the day submissions are free and do not count."""
    beyond: Literal["refuse", "warn"] = "refuse"

    def __post_init__(self) -> None:
        if self.quota is not None and not 0 <= self.quota <= 1_000_000:
            raise UsageError("bad-quota", f"{self.quota} is no number of submissions", "give 0 or more")
        if self.beyond not in ("refuse", "warn"):
            raise UsageError("unknown-value", f"{self.beyond!r} is not known", nearest(self.beyond, ("refuse", "warn")))
        for moment in (self.begins, self.free_after):
            if moment is not None:
                _clock(moment)
        zone_of(self.zone)

    def day(self, at: datetime) -> date:
        """The day that a moment belongs to."""
        return (self._local(at) - _clock(self.begins)).date()

    def is_free(self, at: datetime) -> bool:
        if self.free_after is None:
            return False
        into = self._local(at) - _clock(self.begins)  # a clock that begins with the day
        since = timedelta(hours=into.hour, minutes=into.minute, seconds=into.second, microseconds=into.microsecond)
        return since >= (_clock(self.free_after) - _clock(self.begins)) % timedelta(days=1)

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(zone_of(self.zone)).replace(tzinfo=None)

    def __str__(self) -> str:
        """`2 a member a day; a day begins at 00:00 Asia/Seoul; free from 23:00`"""
        quota = "no quota" if self.quota is None else f"{self.quota} a member a day"
        free = f"; free from {self.free_after}" if self.free_after else ""
        return f"{quota}; a day begins at {self.begins} {self.zone}{free}"


@dataclass(frozen=True, kw_only=True)
class Submission:
    number: int
    at: datetime
    member: str
    what: HandedIn
    note: str = ""
    public: float | None = None
    private: float | None = None
    withdrawn: bool = False
    """It was written here and never handed in: it counts for nothing."""

    def __post_init__(self) -> None:
        """Raises ValueError for what a file of lines may hold and a submission cannot."""
        scores = [score for score in (self.public, self.private) if score is not None]
        if not all(isinstance(score, float) and math.isfinite(score) for score in scores):
            raise ValueError(f"a score of {scores[0]!r}")
        if not (isinstance(self.note, str) and isinstance(self.withdrawn, bool) and isinstance(self.number, int)):
            raise ValueError("a number, note or withdrawal of another kind")


@dataclass(frozen=True)
class Book:
    """What the lines of a ledger come to."""

    rules: Rules = field(default_factory=Rules)
    submissions: tuple[Submission, ...] = ()

    @property
    def counted(self) -> tuple[Submission, ...]:
        return tuple(one for one in self.submissions if not one.withdrawn)

    def used(self, member: str, at: datetime) -> int:
        """Submissions of the member that count on the day of `at`."""
        day = self.rules.day(at)
        return sum(one.member == member and self.rules.day(one.at) == day and not self.rules.is_free(one.at)
                   for one in self.counted)

    def left(self, member: str, at: datetime) -> int | None:
        """How many more the member may hand in at `at`; None: any number."""
        if self.rules.quota is None or self.rules.is_free(at):
            return None
        return max(0, self.rules.quota - self.used(member, at))

    def numbered(self, number: int) -> Submission:
        for one in self.submissions:
            if one.number == number:
                return one
        last = len(self.submissions)
        raise UsageError("no-submission", f"there is no submission {number}", f"there are {last}; `matinee ledger` "
                         "shows their numbers")


def beside(runs: Path) -> Path:
    """The ledger of the runs in a folder, unless another is named: it outlives them."""
    return runs.parent / "ledger.jsonl"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Ledger:
    path: Path
    now: Callable[[], datetime] = _now

    def book(self) -> Book:
        """Raises DataError, with the line, for a file that is no ledger."""
        book = Book()
        content = self.path.read_bytes() if self.path.is_file() else b""
        for number, line in enumerate(content.split(b"\n")[:-1], 1):
            if line:
                try:
                    book = _with(book, json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
                    raise DataError("bad-ledger", f"this line is none of a ledger ({error})",
                                    "take it out, or take back an older copy of the file",
                                    Place(str(self.path), number)) from None
        return book

    def add(
        self, what: HandedIn, member: str, *, note: str = "", at: datetime | None = None, again: bool = False
    ) -> tuple[Submission, list[str]]:
        """Write a submission down. Returns it, and what there is to warn of.

        Raises UsageError beyond the quota where that is refused, and for a file that was handed in before, unless
        `again`.
        """
        member, moment = _member(member), at or self.now()
        what = replace(what, file=self._from_here(what.file))
        with self._alone():
            book, warnings = self.book(), []
            twin = next((one for one in book.counted if one.what.sha256 == what.sha256), None)
            if twin and not again:
                raise UsageError("same-file", f"these bytes were handed in before, as {twin.number}",
                                 "a second time would tell nothing; --again writes it down all the same")
            if book.left(member, moment) == 0:
                used, day = book.used(member, moment), book.rules.day(moment)
                said = f"{member} has handed in {used} on {day}, and the quota is {book.rules.quota}"
                if book.rules.beyond == "refuse":
                    raise UsageError("beyond-quota", said, str(book.rules))
                warnings.append(f"{said} ({book.rules})")
            number = max((one.number for one in book.submissions), default=0) + 1
            warnings += self._doubts(book, number, member, moment)
            one = Submission(number=number, at=moment, member=member, what=what, note=note)
            self._write("submission", number, at=moment.isoformat(), member=member, note=note, **asdict(what))
        return one, warnings

    def score(self, number: int, public: float, private: float | None = None) -> None:
        """The score that the leaderboard shows; given again it takes the place of the one before."""
        for score in (public, private):
            if score is not None and not math.isfinite(score):
                raise UsageError("bad-score", f"{score} is no score", "give the number that the leaderboard shows")
        with self._alone():
            self.book().numbered(number)
            told = {} if private is None else {"private": float(private)}
            self._write("score", number, public=float(public), **told)

    def correct(self, number: int, **changes: Any) -> list[str]:
        """Put other facts in place of `member`, `note`, `at` or `withdrawn`; what there is to warn of.

        A correction is held to no quota.
        """
        if "member" in changes:
            changes["member"] = _member(changes["member"])
        with self._alone():
            book = self.book()
            now = _corrected(book.numbered(number), changes)
            plain = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in changes.items()}
            self._write("correction", number, **plain)
        return list(self._doubts(book, number, now.member if "member" in changes else None,
                                 now.at if "at" in changes else None))

    def rule(self, **changes: Any) -> Rules:
        """Other rules from now on, for all that was handed in as well. Raises UsageError for what is no rule."""
        with self._alone():
            rules = replace(self.book().rules, **changes)
            self._write("rules", None, **asdict(rules))
        return rules

    def _doubts(self, book: Book, number: int, member: str | None, at: datetime | None) -> Iterator[str]:
        """Of what is written all the same: a member whose name another writes otherwise, a moment that is to come."""
        again = f"`matinee ledger correct {number}"
        known = dict.fromkeys(one.member for one in book.submissions if one.number != number)
        if member and member not in known:
            for twin in (name for name in known if name.casefold() == member.casefold()):
                yield f"{member} and {twin} are two members, each with a quota; {again} --member {twin}` makes them one"
        if at and at > self.now():
            shown = at.astimezone(zone_of(book.rules.zone)).strftime("%Y-%m-%d %H:%M")
            yield f"{shown} {book.rules.zone} is still to come; {again} --at MOMENT` puts another in its place"

    def _from_here(self, file: str) -> str:
        """A path as it counts from the ledger's folder, so that both may move together."""
        path, here = Path(file).resolve(), self.path.parent.resolve()
        return str(path.relative_to(here) if path.is_relative_to(here) else path)

    def _alone(self) -> Any:
        return durable.lock(self.path.parent, wait=WAIT, name=f".{self.path.name}.lock")

    def _write(self, event: str, number: int | None, **facts: Any) -> None:
        made = self.now().isoformat()
        of = {} if number is None else {"number": number}
        durable.append_line(self.path, {"event": event, **of, "made": made, **facts}, sync=True)


def _with(book: Book, line: Mapping[str, Any]) -> Book:
    """The book with one more line."""
    facts = {key: value for key, value in line.items() if key not in ("event", "made", "number")}
    if line["event"] == "rules":
        return replace(book, rules=Rules(**facts))
    number = line["number"]
    if line["event"] == "submission":
        own = {key: facts.pop(key) for key in ("at", "member", "note")}
        if any(one.number == number for one in book.submissions):
            raise ValueError(f"a second submission {number}")
        one = Submission(number=number, at=_moment(own["at"]), member=_member(own["member"]),
                         note=own["note"], what=HandedIn(**facts))
        return replace(book, submissions=(*book.submissions, one))
    changes: dict[str, Any] = facts
    if line["event"] == "score":
        changes = {key: float(facts[key]) for key in ("public", "private") if key in facts}
    elif line["event"] != "correction":
        raise ValueError(f"no event is called {line['event']!r}")
    changed = _corrected(book.numbered(number), changes)
    return replace(book, submissions=tuple(changed if one.number == number else one for one in book.submissions))


def _corrected(one: Submission, changes: Mapping[str, Any]) -> Submission:
    unknown = changes.keys() - {"member", "note", "at", "withdrawn", "public", "private"}
    if unknown:
        raise UsageError("unknown-key", f"{min(unknown)!r} cannot be corrected", "member, note, at, withdrawn can")
    at = {"at": _moment(changes["at"])} if "at" in changes else {}
    return replace(one, **{**changes, **at})


def _member(name: str) -> str:
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= 100:
        raise UsageError("bad-member", f"{name!r} is no name of a member", "give 1 to 100 letters")
    return name


def _moment(at: str | datetime) -> datetime:
    """Raises ValueError for what is no moment; one without a zone is in UTC."""
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _clock(text: str) -> timedelta:
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        raise UsageError("bad-time", f"{text!r} is no time of day", "such as 23:00") from None
    return timedelta(hours=clock.hour, minutes=clock.minute)
