"""Checks that nothing the user asks for is ignored: each hyper-parameter, each confidence."""

from __future__ import annotations

import numpy as np

from matinee.contract import Run
from matinee.data.confidence import CONFIDENCES
from matinee.scoring.weighted import fit_weighted
from matinee.testing.subject import Subject, refusal
from matinee.testing.toy import I, U, planted


def every_setting_changes_scores_or_says_why_not(subject: Subject) -> None:
    """Those that `unchanged` in the YAML file names, with a reason, must leave every bit alone."""
    for field in subject.fields:
        value = subject.other_value(field)
        got = subject.fit(planted(), recipe=subject.recipe(**{field: value})).score(planted().queries())
        same = np.array_equal(got, subject.scores)
        now = getattr(subject.recipe(), field)
        if field in subject.unchanged:
            assert same, f"{field} is said to change nothing, and {value!r} for {now!r} gives other scores"
        else:
            assert not same, f"{field} is ignored: {value!r} gives the scores of {now!r}"


def every_confidence_changes_scores_or_is_refused(subject: Subject) -> None:
    """In the fit, and where the list depends on the history, in the history of somebody new as well.

    Scores that are bare places show no weight that leaves the order of popularity as it is; the history must show it.
    """
    bare = np.array_equal(np.sort(subject.scores, axis=1), np.tile(np.arange(1, I + 1), (U, 1)))
    for name, kind in CONFIDENCES.items():
        if not subject.kind.honours_weights:
            _is_refused(subject, name)
            continue
        scorer = fit_weighted(subject.recipe(), kind(), planted().data, Run(seed=1, threads=1))
        plain = scorer.inner.score(planted().queries())
        same = np.array_equal(plain, subject.scores) and not (bare and name == "item_popularity")
        assert not same, f"{name} is ignored in the fit"
        if subject.kind.personal:
            new = planted().ask(np.zeros(U, np.int64))(np.arange(U))
            same = np.array_equal(scorer.score(new), scorer.inner.score(new))
            if subject.kind.weighs_history:
                assert not same, f"{name} is ignored in the history of somebody new"
            else:
                assert same, f"{name} counts in the history of somebody new, and it is said not to"


def _is_refused(subject: Subject, name: str) -> None:
    said = refusal(lambda: fit_weighted(subject.recipe(), CONFIDENCES[name](), planted().data))
    assert name in said, f"it does not honour weights, and {name} is met with {said!r}"
