"""Checks of what is learned: planted tastes are found, noise is not believed, nobody new is forgotten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from matinee.testing.subject import Subject
from matinee.testing.toy import Toy, U, noise, planted, without

FLOOR = 0.95
LOSS = 0.1
"""The share of recall that somebody new to the model may lose."""


def planted_tastes_are_found(subject: Subject) -> None:
    """A personal model finds at least 0.95 of what the planted tastes tell; popularity finds 0.47.

    One that says it goes by time alone cannot; it answers for that to the next check.
    """
    if subject.kind.personal and not subject.kind.by_time_alone:
        found = planted().recall(subject.fitted)
        assert found >= FLOOR, f"recall of the planted items is {found:.3f}"


def what_goes_by_time_alone_reads_no_items(subject: Subject) -> None:
    """Other items at the same moments give the same scores, and other moments give others."""
    if not subject.kind.by_time_alone:
        return
    queries = planted().queries()
    items = (queries.history.items + 1) % queries.history.n_items
    same = subject.fitted.score(replace(queries, history=replace(queries.history, items=items)))
    assert np.array_equal(same, subject.scores), "it is said to go by time alone, and other items give other scores"
    assert len(np.unique(subject.scores, axis=0)) > 1, "it is said to go by time, and everybody gets the same scores"


def noise_is_not_believed(subject: Subject) -> None:
    """Where everybody chooses by popularity alone no model finds more than popularity does, but for luck."""
    toy = noise()
    found, popular = toy.recall(subject.fit(toy)), _popularity_recall(toy)
    luck = 3 * np.sqrt(0.25 / toy.held.size)
    assert found <= popular + luck, f"recall on noise is {found:.3f}; popularity has {popular:.3f}"


def somebody_new_gets_what_he_would_have_got(subject: Subject) -> None:
    """The same history without a row of its own: the same scores, or a recall within 10 %."""
    toy = planted()
    nobody = np.zeros(U, np.int64)
    if np.array_equal(subject.fitted.score(toy.ask(nobody)(np.arange(U))), subject.scores):
        return
    known, new = toy.recall(subject.fitted), toy.recall(subject.fitted, known=nobody)
    assert new >= (1 - LOSS) * known, f"recall is {new:.3f} without a row and {known:.3f} with it"


def somebody_left_out_of_training_is_served_as_well(subject: Subject) -> None:
    """Every sixth user is taken out of the log and asked for by history alone."""
    if not subject.kind.personal:
        return
    toy, absent = planted(), np.arange(0, U, 6)
    rest = without(toy, absent)
    scorer = subject.fit(rest)
    inside = toy.recall(subject.fitted, absent)
    outside = toy.recall(scorer, absent, known=rest.data.log.counts)
    assert outside >= (1 - LOSS) * inside, f"recall is {outside:.3f} outside of training and {inside:.3f} inside"


def _popularity_recall(toy: Toy) -> float:
    """Of the most popular unseen items."""
    counts = toy.data.log.item_counts().astype(np.float32)
    seen = toy.data.log.matrix().toarray() > 0
    order = np.argsort(-np.where(seen, -1, counts), axis=1, kind="stable")[:, :10]
    return float((toy.held[:, :, None] == order[:, None, :]).any(axis=2).mean())
