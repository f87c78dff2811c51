"""The ledger of submissions: figures, quotas, writers at once, and ensembles of its best."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from matinee import durable
from matinee.config import experiment_from
from matinee.errors import ConfigError, DataError, ModelError, ResourceError, UsageError
from matinee.experiment.folder import RunFolder
from matinee.experiment.handed_in import HandedIn, handed_in
from matinee.experiment.ledger import Ledger, Rules
from matinee.experiment.ledger_agreement import of_file, told
from matinee.experiment.ledger_members import best_of
from matinee.experiment.reproduce import reproduce
from matinee.experiment.run import run
from tests.small_run import settings

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def a_file(name: str, value: float | None = None, split: str = "s") -> HandedIn:
    row = {"value": value, "low": None, "high": None, "users": 3}
    return HandedIn(file=f"{name}.csv", sha256=name, data="d", split=split, offline={} if value is None else {"r": row})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl", now=lambda: NOON)


def test_figures_come_from_the_run_that_wrote_the_bytes_wherever_the_file_is(small: RunFolder, tmp_path: Path) -> None:
    runs = tmp_path / "runs"  # another run beside the shared one may have written the same bytes
    shutil.copytree(small.path, runs / small.id)
    shutil.copy(small.submission("blend"), tmp_path / "제출 (1).csv")
    found = [handed_in(what, runs) for what in (f"{small.id}/blend", str(tmp_path / "제출 (1).csv"))]
    for one in found:
        assert (one.run, one.entry, one.split) == (small.id, "blend", small.manifest["split"]["hash"])
        row = next(row for row in small.metrics if row["id"] == "blend" and row["metric"] == "ndcg@10"
                   and row["part"] == "test" and row["segment"] is None)
        assert one.offline["ndcg@10"] == {key: row[key] for key in ("value", "low", "high", "users")}
    assert found[0].sha256 == found[1].sha256
    (tmp_path / "edited.csv").write_bytes(small.submission("blend").read_bytes().replace(b"1", b"2"))
    stranger = handed_in(str(tmp_path / "edited.csv"), runs)
    assert (stranger.run, stranger.offline) == (None, {})
    with pytest.raises(UsageError, match=r"it has blend, nested"):
        handed_in(small.id, runs)
    with pytest.raises(DataError, match="has written no submission of 'als'"):
        handed_in(f"{small.id}/als", runs)
    with pytest.raises(DataError, match="there is no such file"):
        handed_in("nothing.csv", runs)


def test_beyond_the_quota_a_submission_is_refused_or_warned_of(ledger: Ledger) -> None:
    assert str(ledger.rule(quota=1, zone="Asia/Seoul", free_after="23:00")) == (
        "1 a member a day; a day begins at 00:00 Asia/Seoul; free from 23:00")
    ledger.add(a_file("a"), "kim")
    ledger.add(a_file("b"), "이")
    with pytest.raises(UsageError, match=r"kim has handed in 1 on 2026-11-26, and the quota is 1; 1 a member a day"):
        ledger.add(a_file("c"), "kim")
    ledger.add(a_file("c"), "kim", at=NOON + timedelta(hours=2))  # 23:00 there
    ledger.add(a_file("d"), "kim", at=NOON + timedelta(hours=3))  # the next day there
    assert ledger.book().left("kim", NOON) == 0
    assert ledger.book().left("kim", NOON + timedelta(hours=2)) is None
    ledger.rule(beyond="warn")
    _, warnings = ledger.add(a_file("e"), "kim")
    assert "kim has handed in 1" in warnings[0]
    ledger.correct(1, withdrawn=True)
    ledger.correct(5, at=NOON - timedelta(days=3))
    assert ledger.book().left("kim", NOON) == 1


def test_the_same_bytes_are_refused_unless_asked_for(ledger: Ledger) -> None:
    ledger.add(a_file("a"), "kim")
    with pytest.raises(UsageError, match="handed in before, as 1"):
        ledger.add(a_file("a"), "lee")
    assert ledger.add(a_file("a"), "lee", again=True)[0].number == 2


def test_a_name_written_otherwise_and_a_moment_to_come_are_warned_of(ledger: Ledger) -> None:
    ledger.rule(zone="Asia/Seoul")
    assert ledger.add(a_file("a"), "kim")[1] == []
    assert ledger.add(a_file("b"), "김철수")[1] == []
    (warning,) = ledger.add(a_file("c"), "Kim")[1]
    assert warning == ("Kim and kim are two members, each with a quota; "
                       "`matinee ledger correct 3 --member kim` makes them one")
    assert ledger.add(a_file("d"), "Kim")[1] == [], "it was said once"
    assert ledger.add(a_file("e"), unicodedata.normalize("NFD", "김철수"))[0].member == "김철수"
    (warning,) = ledger.add(a_file("f"), "kim", at=NOON + timedelta(days=365))[1]
    assert warning == ("2027-11-26 21:00 Asia/Seoul is still to come; "
                       "`matinee ledger correct 6 --at MOMENT` puts another in its place")
    assert ledger.correct(6, at=NOON - timedelta(days=1), note="typo") == []
    assert ledger.correct(2, member="김철수 ") == []
    assert [line.split(";")[0] for line in ledger.correct(6, member="KIM", at=NOON + timedelta(hours=1))] == [
        "KIM and kim are two members, each with a quota", "KIM and Kim are two members, each with a quota",
        "2026-11-26 22:00 Asia/Seoul is still to come"]


def test_a_member_who_is_written_otherwise_throughout_is_one(ledger: Ledger) -> None:
    ledger.add(a_file("a"), "kim")
    assert ledger.correct(1, member="Kim") == []


def test_what_is_no_rule_score_or_number_is_refused_and_leaves_no_line(ledger: Ledger) -> None:
    ledger.add(a_file("a"), "kim")
    before = ledger.path.read_bytes()
    for wrong, code in ((lambda: ledger.rule(zone="Asia/Nowhere"), "unknown-zone"),
                        (lambda: ledger.rule(begins="25:00"), "bad-time"),
                        (lambda: ledger.rule(beyond="perhaps"), "unknown-value"),
                        (lambda: ledger.rule(quota=-1), "bad-quota"),
                        (lambda: ledger.score(2, 0.1), "no-submission"),
                        (lambda: ledger.score(1, float("nan")), "bad-score"),
                        (lambda: ledger.correct(1, member=" "), "bad-member"),
                        (lambda: ledger.add(a_file("b"), ""), "bad-member")):
        with pytest.raises(UsageError) as caught:
            wrong()
        assert caught.value.code == code
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize("line", ["{", "[]", '{"event": "dance"}', '{"event": "score", "number": 7, "public": 1}',
                                  '{"event": "score", "number": 1, "public": NaN}',
                                  '{"event": "rules", "quota": "many"}', '{"event": "correction", "number": 1, "x": 2}',
                                  '{"event": "correction", "number": 1, "withdrawn": "yes"}'])
def test_a_line_that_is_none_of_a_ledger_is_named(line: str, ledger: Ledger) -> None:
    ledger.add(a_file("a"), "kim")
    with ledger.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=r"ledger\.jsonl:2: bad-ledger"):
        ledger.book()


def _hand_in(path: Path, writer: int) -> None:
    for number in range(10):
        Ledger(path).add(a_file(f"{writer}-{number}"), f"writer {writer}")


def test_writers_at_once_take_turns_and_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_hand_in, args=(path, writer)) for writer in range(3)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(60)
    assert [one.exitcode for one in writers] == [0, 0, 0]
    book = Ledger(path).book()
    assert [one.number for one in book.submissions] == list(range(1, 31))
    assert len({one.what.sha256 for one in book.submissions}) == 30


def _last_chance(path: Path, writer: int) -> None:
    try:
        Ledger(path).add(a_file(str(writer)), "kim")
    except UsageError:
        raise SystemExit(7) from None


def test_of_two_writers_one_gets_the_last_chance(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    Ledger(path).rule(quota=1)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_last_chance, args=(path, writer)) for writer in range(2)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(60)
    assert sorted(one.exitcode or 0 for one in writers) == [0, 7]


def test_a_writer_who_never_ends_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matinee.experiment.ledger.WAIT", 0.05)
    with durable.lock(ledger.path.parent, name=".ledger.jsonl.lock"), pytest.raises(ResourceError, match="in-use"):
        ledger.add(a_file("a"), "kim")


def test_offline_figures_of_other_splits_are_judged_apart(ledger: Ledger) -> None:
    for number in range(6):
        ledger.add(a_file(f"{number}", number / 10), "kim")
        ledger.score(number + 1, number / 100)
    ledger.add(a_file("other", 0.9, split="t"), "kim")
    ledger.score(7, 0.0)
    ledger.add(a_file("none"), "kim")
    ledger.score(8, 0.5)
    ledger.add(a_file("0", 0.0), "kim", again=True)  # the same bytes: once
    ledger.score(9, 0.015)
    one, other = told(ledger.book())
    assert (one.found.n, one.found.verdict) == (6, "predicts")
    assert one.found.spearman.value < 1, "the newest score of the same bytes counts"
    assert "predicts" in str(one)
    assert str(other) == "cannot tell: 1 with both figures, and 5 are needed at the least"
    assert told(ledger.book(), "another") [0].found.n == 0


def test_a_table_of_others_is_judged_alike(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name,offline,public\n" + "".join(f"모델{n},{n},{n * n}\n" for n in range(7)))
    found = of_file(tmp_path / "t.csv")
    assert (found.found.n, found.found.spearman.value, found.pairs[2].name) == (7, 1.0, "모델2")
    (tmp_path / "t.csv").write_text("name,public\na,1\n")
    with pytest.raises(DataError, match="there is no column 'offline'"):
        of_file(tmp_path / "t.csv")


def test_the_best_are_by_the_score_asked_for(ledger: Ledger) -> None:
    figures = [("a", 0.3, 0.1), ("b", 0.2, 0.3), ("c", 0.1, 0.3), ("d", None, 0.4), ("e", 0.9, None)]
    for name, offline, public in figures:
        number = ledger.add(a_file(name, offline), "kim")[0].number
        if public is not None:
            ledger.score(number, public)
    assert [one.what.sha256 for one in best_of(ledger.book(), "public", "r", "d", "s")] == ["d", "b", "c", "a"]
    assert [one.what.sha256 for one in best_of(ledger.book(), "offline", "r", "d", "s")] == ["e", "a", "b", "c"]
    assert best_of(ledger.book(), "offline", "r", "d", "another") == []
    ledger.correct(4, withdrawn=True)
    assert [one.number for one in best_of(ledger.book(), "public", "r", "d", "s")] == [2, 3, 1]


def test_an_ensemble_of_the_best_needs_no_ledger_afterwards(small: RunFolder, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    shutil.copytree(small.path, runs / small.id)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    for number, (id_, public) in enumerate((("blend", 0.1), ("nested", 0.2)), 1):
        ledger.add(handed_in(f"{small.id}/{id_}", runs), "kim")
        ledger.score(number, public)
    plain = settings(name="best", models=[{"model": "popularity"}],
                     output={"which": ["top"], "submission": "boostcamp"},
                     ensembles=[{"id": "top", "method": "weighted_vote", "members": {"from_ledger": "top:2"},
                                 "weights": [3, 1]}])
    folder = run(experiment_from(plain, tmp_path), runs)
    assert folder.manifest["config"]["ensembles"][0]["members"] == [
        {"run": f"{small.id}/nested"}, {"run": f"{small.id}/blend"}]
    (line,) = [line for line in durable.read_lines(folder.journal) if line["event"] == "from-ledger"]
    assert (line["submissions"], line["by"]) == ([2, 1], "public")
    ledger.path.unlink()
    shutil.rmtree(runs / small.id)
    verdict = reproduce(folder, tmp_path / "again", progress=lambda *_: None, say=lambda line: None)
    assert verdict.results == ()
    assert verdict.again.submission("top").read_bytes() == folder.submission("top").read_bytes()


def test_what_was_made_elsewhere_is_taken_from_its_file_or_missed(small: RunFolder, tmp_path: Path) -> None:
    ledger, runs = Ledger(tmp_path / "ledger.jsonl"), tmp_path / "runs"
    file = tmp_path / "old.csv"
    shutil.copy(small.submission("blend"), file)
    ledger.add(handed_in(str(file), runs), "kim")
    ledger.score(1, 0.3)
    assert json.loads(ledger.path.read_text().splitlines()[0])["file"] == "old.csv"

    def plain(top: int) -> dict[str, object]:
        return settings(name="old", models=[{"model": "popularity"}], output={"which": ["top"]}, ensembles=[
            {"id": "top", "method": "rank_sum", "members": {"from_ledger": f"top:{top}", "ledger": "ledger.jsonl"}},
            {"id": "both", "method": "rank_sum", "members": ["popularity", {"file": "old.csv"}]}])

    said: list[str] = []
    with pytest.raises(ConfigError, match="has only files as members"):
        run(experiment_from(plain(1), tmp_path), runs, say=said.append)
    assert "1 old.csv: from its file, so it counts in the final lists alone" in said
    with pytest.raises(ConfigError, match="asks for the best 2, and 1 in the ledger have a public score"):
        run(experiment_from(plain(2), tmp_path), runs)
    file.write_text("user,item\n")
    with pytest.raises(ModelError, match=r"submission 1 \(old.csv\) is gone"):
        run(experiment_from(plain(1), tmp_path), runs)


@pytest.mark.parametrize(("members", "method", "said"), [
    ({"from_ledger": "best:2"}, "rank_sum", "such as top:5"),
    ({"from_ledger": "top:0"}, "rank_sum", "must be"),
    ({"from_ledger": "top:2", "by": "luck"}, "rank_sum", "public"),
    ({"by": "public"}, "rank_sum", "from_ledger"),
    ({"from_ledger": "top:2"}, "score_blend", "no scores to blend"),
    ({"from_ledger": "top:3"}, "half_and_half", "it combines exactly 2"),
])
def test_members_from_a_ledger_that_cannot_be_meant_are_refused(
    members: dict[str, str], method: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        experiment_from(settings(ensembles=[{"id": "top", "method": method, "members": members}],
                                 output={"which": []}), tmp_path)


def test_members_from_a_ledger_stand_in_the_resolved_experiment(tmp_path: Path) -> None:
    members = {"from_ledger": "top:3", "by": "offline", "ledger": "../l.jsonl"}
    found = experiment_from(settings(ensembles=[{"method": "rank_sum", "members": members}], output={"which": []}),
                            tmp_path)
    assert found.resolved()["ensembles"][0]["members"] == members
    assert experiment_from(found.resolved(), tmp_path) == found


def test_rules_say_when_a_day_is_free() -> None:
    rules = Rules(zone="Asia/Seoul", begins="09:00", free_after="02:00")
    noon = datetime(2026, 11, 26, 3, tzinfo=UTC)
    assert not rules.is_free(noon)
    assert rules.is_free(noon + timedelta(hours=14))  # 02:00 of the next date, the same day
    assert rules.day(noon + timedelta(hours=14)) == rules.day(noon)
    assert not rules.is_free(noon + timedelta(hours=21))
    assert rules.day(noon + timedelta(hours=21)) > rules.day(noon)
