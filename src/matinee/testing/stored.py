"""Check that a fitted model comes back from the disk bit for bit."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from matinee import catalog
from matinee.contract import FusedScorer, Masks
from matinee.scoring import store
from matinee.scoring.forms import FORMS
from matinee.testing.subject import Subject
from matinee.testing.toy import K, U, planted


def a_stored_model_comes_back_bit_for_bit(subject: Subject) -> None:
    """A model from outside may answer with a scorer of its own, which then cannot be stored."""
    if catalog.is_path(subject.name) and type(subject.fitted) not in FORMS.values():
        return
    queries, strangers = planted().queries(), planted().ask(np.zeros(U, np.int64))(np.arange(U))
    with TemporaryDirectory() as folder:
        store.save(subject.fitted, Path(folder, "model"), about={"model": subject.name})
        again, about = store.load(Path(folder, "model"))
    assert about == {"model": subject.name}, f"what is known of it came back as {about}"
    assert type(again) is type(subject.fitted), f"it came back as {type(again).__name__}"
    assert dict(again.found) == dict(subject.fitted.found), f"what was found came back as {again.found}"
    assert np.array_equal(again.score(queries), subject.scores), "it scores otherwise after it was stored"
    same = np.array_equal(again.score(strangers), subject.fitted.score(strangers))
    assert same, "it scores somebody new otherwise after it was stored"
    if isinstance(again, FusedScorer) and isinstance(subject.fitted, FusedScorer):
        one, two = (scorer.top_block(queries, K, Masks.none(U)) for scorer in (again, subject.fitted))
        assert np.array_equal(one[0], two[0]), "it ranks otherwise after it was stored"
