"""What is expected in numbers is checked before anything is done, and so is what the first metric decides."""

from __future__ import annotations

from typing import Any

import pytest

from matinee.config import Expectation, expectation
from tests.config.experiments import refused

TWO = {"models": ["ease", "popularity"]}
BLEND = {"id": "both", "method": "score_blend", "members": ["ease", "popularity"], "weights": "tuned"}


@pytest.mark.parametrize(("text", "expected"), [
    ("+0.005 recall@10", Expectation(0.005, "recall@10", None, None)),
    (" -.1  ndcg@5 a over b ", Expectation(-0.1, "ndcg@5", "a", "b")),
    ("+2 novelty@10 a over b", Expectation(2.0, "novelty@10", "a", "b")),
    ("it gets better", None),
    ("10 % better", None),
])
def test_what_is_in_numbers_is_read_and_words_are_left(text: str, expected: Expectation | None) -> None:
    assert expectation(text) == expected


@pytest.mark.parametrize(("sections", "text"), [
    ({"expect": "+0.05 recal@10"}, r"unknown-metric: expect: no metric is called 'recal@10'; did you mean recall@10"),
    ({"expect": "+0.05 recall@10 eas over popularity"},
     "unknown-id: expect: no model or ensemble has the id 'eas'; did you mean ease?"),
    ({"expect": "+0.05 recall@10 ease over ease"}, "bad-expect: expect: ease is held against itself; name two entries"),
    ({"expect": "+5% recall@10"}, "bad-expect: expect: '+5% recall@10' begins with a number, and cannot be held "),
    ({"expect": "+ 0.1 recall@10 ease > popularity"}, "bad-expect: expect: '+ 0.1 recall@10 ease > popularity' begins"),
    ({"expect": "-0.1 coverage@10"}, "not-per-user: expect: coverage@10 is one figure of everybody's lists together"),
    ({"expect": "+.1 recall@101"}, "lists-too-short: expect: recall@101 needs 101 places"),
])
def test_a_slip_in_what_is_expected_is_an_error(sections: dict[str, Any], text: str) -> None:
    assert str(refused(**TWO, **sections)).startswith(text)


@pytest.mark.parametrize(("sections", "what"), [
    ({"models": ["multi_vae"]}, "when multi_vae stops"),
    ({"models": [{"model": "latent_neighbours", "of": {"model": "multi_vae"}}]}, "when latent_neighbours stops"),
    ({**TWO, "ensembles": [BLEND]}, "the weights of both"),
])
def test_what_the_first_metric_decides_it_must_be_able_to(sections: dict[str, Any], what: str) -> None:
    assert str(refused(**sections, evaluate={"metrics": ["novelty@10", "recall@10"]})) == (
        f"not-accuracy: evaluate.metrics[0]: the first metric decides {what}, and novelty@10 does not compare lists "
        "with what was hidden; put one that does first, such as recall@10")
