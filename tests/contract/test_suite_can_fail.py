"""Each check of the contract suite turns red on a model that is spoilt in the way it looks for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from matinee import config
from matinee.contract import Queries, Scorer
from matinee.data import interactions
from matinee.errors import ConfigError
from matinee.scoring.forms import FORMS
from matinee.testing import CHECKS, Subject
from tests.contract.outside_model import SETTINGS, write

RETURN = "        return scores\n"
JITTER = "    jitter: Annotated[float, Ge(0), Le(1)] = 0.0"
DRAWS = (JITTER, "    jitter: Annotated[float, Ge(0), Le(1)] = 1e-6")
FUSED = "        return select(self.score(queries), k, masks)\n"
FITTED = "        return TogetherScorer(weights.astype(np.float32))\n"
FAMILY = '    family: ClassVar[str] = "neighbours"\n'
BY_TIME = (FAMILY, FAMILY + "    by_time_alone: ClassVar[bool] = True\n")
GLOBAL = "        np.random.seed(1)\n        weights += 0 * np.random.random()\n" + FITTED

FAULTS = {
    # what is spoilt: (the check that sees it, (old text, new text), ...)
    "positional": ("the_recipe_is_frozen_and_survives_json", ("(frozen=True, kw_only=True)", "(frozen=True)")),
    "not itself after JSON": ("the_recipe_is_frozen_and_survives_json", (
        "    def fit(self", "    def __eq__(self, other):\n        return self is other\n\n    def fit(self")),
    "called like a key": ("an_experiment_can_ask_for_every_setting", (
        JITTER, "    features: Annotated[int, Ge(1), Le(9)] | None = None")),
    "called like another key": ("an_experiment_can_ask_for_every_setting", (
        JITTER, "    candidates: Annotated[int, Ge(1), Le(9)] = 3")),
    "no text": ("every_setting_says_what_it_is", ('    """Rows at a time."""\n', "")),
    "no family": ("every_setting_says_what_it_is", ('= "neighbours"', '= ""')),
    "64 bits": ("scores_are_finite_float32_for_every_item", (RETURN, "        return scores.astype(float)\n")),
    "NaN": ("scores_are_finite_float32_for_every_item", (RETURN, "        scores[:, 7] = np.nan\n" + RETURN)),
    "an item too few": ("scores_are_finite_float32_for_every_item", (RETURN, "        return scores[:, 1:]\n")),
    "unseeded": ("the_same_seed_gives_the_same_bits", DRAWS, ("default_rng(run.seed)", "default_rng()")),
    "seed ignored": ("another_seed_gives_other_draws", DRAWS, ("default_rng(run.seed)", "default_rng(0)")),
    "input edited": ("fitting_and_scoring_leave_input_and_global_state_alone", (
        FITTED, "        train.log.values.setflags(write=True)\n        train.log.values[0] = 2\n" + FITTED)),
    "query edited": ("fitting_and_scoring_leave_input_and_global_state_alone", (
        RETURN, "        values = queries.history.values\n        values.setflags(write=True)\n        values[:] = 2\n"
                + RETURN)),
    "global generator": ("fitting_and_scoring_leave_input_and_global_state_alone", (FITTED, GLOBAL)),
    "global random": ("fitting_and_scoring_leave_input_and_global_state_alone", (
        FITTED, "        __import__('random').random()\n" + FITTED)),
    "centred in its batch": ("a_batch_scores_like_its_users_one_by_one", (
        RETURN, "        return scores - scores[:1].mean()\n")),
    "the products of BLAS": ("a_batch_scores_like_its_users_one_by_one", (
        "queries.history.matrix() @ self.weights", "queries.history.matrix().toarray() @ self.weights")),
    "sorted users": ("the_company_and_its_order_do_not_matter", (
        RETURN, "        return scores[np.argsort(queries.rows)]\n")),
    "divided by nothing": ("nobody_and_nothing_are_scored", (
        RETURN, "        with np.errstate(all='ignore'):\n            return scores / "
                "queries.history.counts[:, None].astype(np.float32)\n")),
    "no block of none": ("nobody_and_nothing_are_scored", (RETURN, "        scores[0]\n" + RETURN)),
    "parts of another item": ("the_parts_of_a_score_sum_to_it", (
        "np.ix_(history.indices, items)", "np.ix_(items[:1], items)")),
    "parts of nobody's": ("the_parts_of_a_score_sum_to_it", (
        "return history.indices, history", "return history.indices[1:], history")),
    "threads count": ("threads_do_not_change_a_bit", (FITTED, "        weights *= run.threads\n" + FITTED)),
    "seen items": ("no_list_holds_a_seen_item", (FUSED, FUSED.replace("masks)", "type(masks).none(len(queries)))"))),
    "another list for another k": ("a_shorter_list_is_the_start_of_a_longer_one", (
        FUSED, FUSED.replace("self.score(queries)", "self.score(queries) * np.float32(-1) ** k"))),
    "unfiltered": ("a_fused_ranking_is_score_and_top_k", (
        FUSED, FUSED.replace("masks)", "type(masks)(masks.indptr, masks.items))"))),
    "rounded": ("a_fused_ranking_is_score_and_top_k", (
        FUSED, FUSED.replace("self.score(queries)", "self.score(queries).round(1)"))),
    "by place in the catalogue": ("a_permuted_catalogue_gives_the_same_lists", (
        FITTED, "        weights += 0.01 * np.arange(len(weights))\n" + FITTED)),
    "by the first user": ("other_ids_rename_the_lists", (
        FITTED, "        weights += 0.01 * matrix[[0]].toarray()\n" + FITTED)),
    "by the first two items, and drawn": ("other_ids_rename_the_lists", DRAWS, (
        FITTED, "        weights *= np.sign(gram[0, 0] - gram[1, 1])\n" + FITTED)),
    "by the size of the catalogue": ("bystanders_change_nobody_else", (
        FITTED, "        weights[train.n_items % 7 :] *= 0.5\n" + FITTED)),
    "by the number of users": ("bystanders_change_nobody_else", (
        FITTED, "        if train.n_users % 2:\n            weights *= -1\n" + FITTED)),
    "popularity for all": ("planted_tastes_are_found", (
        FITTED, "        weights[:] = np.diag(gram)\n" + FITTED)),
    "items read by one of time alone": ("what_goes_by_time_alone_reads_no_items", BY_TIME),
    "everybody alike by one of time alone": ("what_goes_by_time_alone_reads_no_items", BY_TIME, (
        RETURN, "        return scores[:1].repeat(len(scores), axis=0) * 0\n")),
    "hidden items known": ("noise_is_not_believed", (
        RETURN, "        from matinee.testing import noise\n        for user, row in zip(queries.rows, scores):\n"
                "            row[noise().held[user]] = 9\n" + RETURN)),
    "nothing for somebody new": ("somebody_new_gets_what_he_would_have_got", (
        RETURN, "        scores[queries.rows < 0] = 0\n" + RETURN)),
    "nothing for somebody left out": ("somebody_left_out_of_training_is_served_as_well", (
        RETURN, "        scores[queries.rows < 0] = 0\n" + RETURN)),
    "setting ignored": ("every_setting_changes_scores_or_says_why_not", ("+ self.shrink", "+ 3.0")),
    "setting not ignored": ("every_setting_changes_scores_or_says_why_not", (
        "+ self.shrink", "+ self.shrink + self.block")),
    "confidence ignored in the fit": ("every_confidence_changes_scores_or_is_refused", (
        "train.log.matrix()", "train.log.matrix().sign()")),
    "confidence ignored in the fit, by bare places": ("every_confidence_changes_scores_or_is_refused", (
        "train.log.matrix()", "train.log.matrix().sign()"), (
        RETURN, "        return (scores.argsort(axis=1).argsort(axis=1) + 1).astype(np.float32)\n")),
    "confidence ignored in the history": ("every_confidence_changes_scores_or_is_refused", (
        "queries.history.matrix()", "queries.history.matrix().sign()")),
}


def test_a_sound_model_from_outside_passes_every_check(tmp_path):
    write(tmp_path)
    subject = Subject("./my_model.py", tmp_path)
    for check in CHECKS.values():
        check(subject)


def test_a_sound_model_that_draws_passes_every_check(tmp_path):
    write(tmp_path, DRAWS)
    subject = Subject("./my_model.py", tmp_path)
    assert subject.draws
    for check in CHECKS.values():
        check(subject)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_spoilt_model_is_seen_by_its_check(tmp_path, fault):
    check, *changes = FAULTS[fault]
    write(tmp_path, *changes)
    with pytest.raises((AssertionError, IndexError)) as caught:
        CHECKS[check](Subject("./my_model.py", tmp_path))
    assert str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SETTINGS + "tuning: {}\n", "unknown parts: tuning"),
        (SETTINGS.replace("tiny: {shrink", "tiny: {shrimp"), "tiny names shrimp"),
        (SETTINGS.replace("  shrink: {low", "  shrimp: {low"), "search names shrimp"),
        (SETTINGS.replace("only how much is done at a time", "''"), r"gives no reason for \['block'\]"),
    ],
)
def test_a_settings_file_that_speaks_of_nothing_is_seen(tmp_path, settings, said):
    write(tmp_path, settings=settings)
    with pytest.raises(AssertionError, match=said):
        CHECKS["the_settings_file_speaks_of_fields_that_there_are"](Subject("./my_model.py", tmp_path))


@pytest.mark.parametrize(
    ("bench", "said"),
    [
        ("{recipe: {shrink: 5.0}}", "`bench` has settings and no source"),
        ("{next_item: 0.3}", "next_item: 0.3 stands where keys belong"),
        ("{next_item: [{recipe: {}}, best]}", "stands where keys belong"),
        ("{next_item: {ndcg@10: high, within: 0.1}}", "no figures: .*high"),
        ("{next_item: {ndcg@10: 0.3}}", "say either `within` or `at_least: true`"),
        ("{next_item: [{recipe: {shrink: 3}, ndcg@10: 0.3, within: 0.1, at_least: true}]}", "say either `within`"),
    ],
)
def test_a_bench_that_says_nothing_is_seen(tmp_path, bench, said):
    write(tmp_path, settings=f"{SETTINGS}bench: {bench}\n")
    with pytest.raises(AssertionError, match=said):
        CHECKS["the_bench_says_where_good_settings_come_from"](Subject("./my_model.py", tmp_path))


def test_a_bench_of_settings_that_there_are_not_is_seen(tmp_path):
    write(tmp_path, settings=f"{SETTINGS}bench: {{next_item: [{{recipe: {{shrimp: 3}}}}]}}\n")
    with pytest.raises(ConfigError, match="shrimp: there is no such key"):
        CHECKS["the_bench_says_where_good_settings_come_from"](Subject("./my_model.py", tmp_path))


def test_a_config_that_takes_typos_is_seen(tmp_path, monkeypatch):
    strict = config.recipe
    monkeypatch.setattr(config, "recipe", lambda name, params, beside: strict(
        name, {key: value for key, value in params.items() if key != "lerning_rate"}, beside))
    write(tmp_path)
    with pytest.raises(AssertionError, match="a setting that does not exist was met with ''"):
        CHECKS["a_misspelt_setting_is_refused"](Subject("./my_model.py", tmp_path))


def test_a_log_that_hangs_on_the_order_of_rows_is_seen(tmp_path, monkeypatch):
    write(tmp_path, ("queries.history.matrix() @ self.weights", "queries.history.matrix() @ self.weights"),
          ("train.log.matrix()", "train.log.with_values(1 + np.arange(len(train.log)) % 3).matrix()"))
    subject = Subject("./my_model.py", tmp_path)
    CHECKS["the_order_of_rows_in_a_file_does_not_matter"](subject)
    monkeypatch.setattr(interactions, "_order", lambda users, times: np.argsort(users, kind="stable"))
    with pytest.raises(AssertionError, match="shuffled rows"):
        CHECKS["the_order_of_rows_in_a_file_does_not_matter"](subject)


def test_a_recipe_that_refuses_no_confidence_is_seen(tmp_path, monkeypatch):
    write(tmp_path, (FAMILY, FAMILY + "    honours_weights: ClassVar[bool] = False\n"))
    subject = Subject("./my_model.py", tmp_path)
    CHECKS["every_confidence_changes_scores_or_is_refused"](subject)
    monkeypatch.setattr("matinee.testing.settings.fit_weighted", lambda recipe, chosen, train: recipe.fit(train))
    with pytest.raises(AssertionError, match="it does not honour weights, and time is met with ''"):
        CHECKS["every_confidence_changes_scores_or_is_refused"](subject)


@dataclass(frozen=True, eq=False)
class Forgetful(Scorer):
    weights: NDArray[np.float32]
    sign: float = field(default=1.0, init=False)

    @property
    def n_items(self):
        return len(self.weights)

    def score(self, queries: Queries):
        return np.asarray(queries.history.matrix() @ self.weights) * np.float32(self.sign)


def test_a_form_that_forgets_is_seen(tmp_path, monkeypatch):
    write(tmp_path, (FITTED, "        from tests.contract.test_suite_can_fail import Forgetful\n"
                             "        scorer = Forgetful(weights.astype(np.float32))\n"
                             "        object.__setattr__(scorer, 'sign', -1.0)\n        return scorer\n"))
    monkeypatch.setitem(FORMS, "forgetful", Forgetful)
    with pytest.raises(AssertionError, match="it scores otherwise after it was stored"):
        CHECKS["a_stored_model_comes_back_bit_for_bit"](Subject("./my_model.py", tmp_path))
