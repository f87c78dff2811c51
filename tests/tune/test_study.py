"""Which settings come next, and what a stop leaves: no model is fitted here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from matinee.config import Choices, Range, Space
from matinee.errors import ConfigError
from matinee.tune.storage import storage
from matinee.tune.study import BEFORE_PRUNING, WARMUP, Outcome, Settings, Study

SPACES: dict[str, Space] = {
    "l2": Range(1.0, 1000.0, log=True), "dim": Range(8, 64), "hidden": Choices(([], [600], None)),
}
WRITTEN: Settings = {"l2": 0.0, "dim": None, "hidden": [3]}


def study(path: Path, spaces: dict[str, Space] = SPACES, first: Settings = WRITTEN, seed: int = 0) -> Study:
    return Study(storage(path), "m", spaces, first, seed)


def value(settings: Settings) -> float:
    return -abs(settings["l2"] - 50) - (settings["dim"] or 0)


def searched(path: Path, most: int, killed_in: int | None = None, seed: int = 0) -> list[Settings]:
    """Trials up to `most`; or as far as one that never ends."""
    one = study(path, seed=seed)
    while len(one.trials) < most and (asked := one.ask()):
        number, settings = asked
        if len(one.trials) == killed_in:
            return []
        one.tell(number, Outcome("done", 1.0, value(settings)))
    return [trial.settings for trial in one.trials]


def test_the_first_trial_is_what_was_written_even_outside_the_space(tmp_path: Path) -> None:
    assert searched(tmp_path / "log", 2)[0] == WRITTEN


def test_every_trial_is_inside_the_space_and_new(tmp_path: Path) -> None:
    tried = searched(tmp_path / "log", 25)
    assert len({str(settings) for settings in tried}) == 25
    for settings in tried[1:]:
        assert 1 <= settings["l2"] <= 1000
        assert settings["l2"] == float(f"{settings['l2']:.3g}")
        assert isinstance(settings["dim"], int)
        assert settings["hidden"] in ([], [600], None, [3])


def test_the_same_seed_makes_the_same_trials_and_another_others(tmp_path: Path) -> None:
    first = searched(tmp_path / "a", 15)
    assert searched(tmp_path / "b", 15) == first
    assert searched(tmp_path / "c", 15, seed=1)[1:] != first[1:]


@pytest.mark.parametrize("torn", [False, True])
def test_a_search_killed_in_a_trial_goes_on_to_the_trials_that_it_would_have_made(tmp_path: Path, torn: bool) -> None:
    log = tmp_path / "log"
    for killed_in in (0, 0, 7, 13):
        searched(log, 20, killed_in)
        if torn:
            with log.open("ab") as file:
                file.write(b'{"op_code": 4, "work')
    assert searched(log, 20) == searched(tmp_path / "unbroken", 20)


def test_a_larger_budget_goes_on_where_a_smaller_one_ended(tmp_path: Path) -> None:
    searched(tmp_path / "log", 8)
    assert searched(tmp_path / "log", 14) == searched(tmp_path / "at once", 14)


def test_a_space_ends_when_all_of_it_was_tried(tmp_path: Path) -> None:
    one = study(tmp_path / "log", {"hidden": Choices((1, 2, 3))}, {"hidden": 2})
    while asked := one.ask():
        one.tell(asked[0], Outcome("done", 1.0, 1.0))
    assert one.size == 3
    assert sorted(trial.settings["hidden"] for trial in one.trials) == [1, 2, 3]


def test_a_trial_is_stopped_where_it_is_worse_than_the_median_but_the_first_never(tmp_path: Path) -> None:
    one, verdicts = study(tmp_path / "log"), []
    for trial in range(BEFORE_PRUNING + 2):
        asked = one.ask()
        assert asked is not None
        good = 1.0 if trial < BEFORE_PRUNING + 1 else 0.0
        verdicts.append([one.report(asked[0], step, good) for step in range(WARMUP + 2)])
        one.tell(asked[0], Outcome("done", 1.0, good))
    assert all(all(one) for one in verdicts[:-1])
    assert verdicts[-1] == [True] * WARMUP + [False] * 2
    assert one.trials[-1].reports == (0.0,) * (WARMUP + 2)


def test_importances_say_which_field_mattered_and_need_no_further_package(tmp_path: Path) -> None:
    searched(tmp_path / "log", 11)
    assert study(tmp_path / "log").importances() == {}
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from pathlib import Path\n"
        "from tests.tune.test_study import searched, study\n"
        f"log = Path({str(tmp_path / 'log')!r})\n"
        "searched(log, 30)\n"
        "print(max((found := study(log).importances()), key=found.get), len(found))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "l2 3\n", done.stderr


def test_optuna_itself_reads_the_journal(tmp_path: Path) -> None:
    import optuna

    searched(tmp_path / "log", 5)
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "log"))
    found = optuna.load_study(study_name="m", storage=optuna.storages.JournalStorage(backend))
    assert len(found.trials) == 5
    assert found.best_value == max(value(trial.user_attrs["settings"]) for trial in found.trials)


def test_without_optuna_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"not-installed: .* pip install 'matinee\[hpo\]'"):
        storage(tmp_path / "log")
