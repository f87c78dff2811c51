"""The sampled losses: values by hand, gradients by differences, and nothing from what is not allowed."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from matinee.nn.losses import Sampled, sampled_loss

KINDS: tuple[Sampled, ...] = get_args(Sampled)
SETTINGS: dict[str, dict[str, Any]] = {
    "gbce": {"share": 0.4, "calibration": 0.75},
    "bpr_max": {"regularisation": 0.3},
    "sampled_softmax": {"log_q": (torch.tensor([-1.0, -2, -3], dtype=torch.float64),
                                  torch.tensor([-0.5, -3, -2, -1], dtype=torch.float64))},
}


def ln(x: float) -> float:
    return math.log(x)


def by_hand(kind: Sampled, **settings: Any) -> float:
    """The right item scores ln 2, two wrong ones 0 and ln 4; the third, ln 9, is not allowed.

    sigma: 2/3 of the right one, 1/2 and 4/5 of the wrong ones. Differences: ln 2 and -ln 2, sigma 2/3 and 1/3.
    softmax over the wrong ones: exp is 1 and 4, so 1/5 and 4/5.
    """
    scores = torch.tensor([[0, ln(4), ln(9)]], dtype=torch.float64)
    return float(sampled_loss(kind, torch.tensor([ln(2)], dtype=torch.float64), scores,
                              torch.tensor([[True, True, False]]), **settings)[0])


def test_values_by_hand() -> None:
    square = 1 / (1 + math.exp(-(ln(4) ** 2)))  # sigma of the second wrong score squared; of the first: sigma(0) = 1/2
    # (-ln 2/3 - ln 1/2 - ln 1/5) / 3 = ln(3/2 * 2 * 5) / 3
    assert by_hand("bce") == pytest.approx(ln(15) / 3)
    # b = 1/2 (3/4 (1 - 2) + 2) = 1/2 * 5/4 = 5/8
    assert by_hand("gbce", share=0.5, calibration=0.75) == pytest.approx((5 / 8 * ln(3 / 2) + ln(10)) / 3)
    # -(ln 2/3 + ln 1/3) / 2 = ln(9/2) / 2
    assert by_hand("bpr") == pytest.approx(ln(9 / 2) / 2)
    # sigma(r_j - r) is 1/3 and 2/3
    assert by_hand("top1") == pytest.approx((1 / 3 + 1 / 2 + 2 / 3 + square) / 2)
    assert by_hand("top1_max") == pytest.approx((1 / 3 + 1 / 2) / 5 + 4 / 5 * (2 / 3 + square))
    # 1/5 * 2/3 + 4/5 * 1/3 = 2/5; squares weighted: 1/5 * 0 + 4/5 (ln 4)^2
    assert by_hand("bpr_max") == pytest.approx(ln(5 / 2))
    assert by_hand("bpr_max", regularisation=0.5) == pytest.approx(ln(5 / 2) + 0.5 * 4 / 5 * ln(4) ** 2)
    # 2 / (2 + 1 + 4)
    assert by_hand("sampled_softmax") == pytest.approx(ln(7 / 2))
    # q of the right one 1/2, of the wrong ones 1/4 and 1/2: exp of z is 2 / (1/2) = 4, 4 and 8; 4 / 16
    log_q = torch.tensor([ln(1 / 2)]), torch.tensor([ln(1 / 4), ln(1 / 2), 0.0])
    assert by_hand("sampled_softmax", log_q=log_q) == pytest.approx(ln(4))


def test_gbce_is_bce_without_calibration_or_with_all_items_drawn() -> None:
    assert by_hand("gbce", share=0.01, calibration=0) == pytest.approx(by_hand("bce"))
    assert by_hand("gbce", share=1, calibration=1) == pytest.approx(by_hand("bce"))


def drawn(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """positive (3,), negative (3, 4), allowed (3, 4): the second row has one negative, the third none."""
    rng = np.random.default_rng(seed)
    allowed = torch.tensor([[True, True, False, True], [False, False, True, False], [False] * 4])
    return torch.from_numpy(rng.normal(size=3)), torch.from_numpy(rng.normal(size=(3, 4))), allowed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [True, False])
def test_gradients_are_differences(kind: Sampled, masked: bool) -> None:
    positive, negative, allowed = drawn()
    settings = SETTINGS.get(kind, {})
    assert torch.autograd.gradcheck(
        lambda p, n: sampled_loss(kind, p, n, allowed if masked else None, **settings),
        (positive.requires_grad_(), negative.requires_grad_()))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_allowed_changes_nothing_whatever_its_score(kind: Sampled) -> None:
    positive, negative, allowed = drawn()
    settings = SETTINGS.get(kind, {})
    found = []
    for score in (0.0, 1e30, -1e30, math.inf, -math.inf, math.nan):
        own, other = positive.clone().requires_grad_(), torch.where(allowed, negative, score).requires_grad_()
        losses = sampled_loss(kind, own, other, allowed, **settings)
        losses.sum().backward()
        assert own.grad is not None
        assert other.grad is not None
        assert not other.grad[~allowed].any()
        found.append(torch.cat([losses.detach(), own.grad, other.grad[allowed]]))
    assert all(torch.equal(found[0], one) for one in found)
    few = sampled_loss(kind, positive[:1], negative[:1, [0, 1, 3]], **{
        **settings, **({"log_q": (settings["log_q"][0][:1], settings["log_q"][1][[0, 1, 3]])}
                       if "log_q" in settings else {})})
    torch.testing.assert_close(found[0][:1], few)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_negatives_loses_nothing(kind: Sampled) -> None:
    positive, negative, allowed = drawn()
    losses = sampled_loss(kind, positive, negative, allowed, **SETTINGS.get(kind, {}))
    assert losses[2] == 0
    assert (losses[:2] != 0).all()
    for mask in (allowed[:, :0], None):
        own = positive.clone().requires_grad_()
        none = sampled_loss(kind, own, negative[:, :0], mask)
        none.sum().backward()
        assert not none.any()
        assert own.grad is not None
        assert not own.grad.any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("masked", [True, False])
def test_far_scores_keep_loss_and_gradient_finite(kind: Sampled, masked: bool) -> None:
    far = torch.tensor([1e4, -1e4, 0.0])
    positive, negative = far.repeat_interleave(27), torch.cartesian_prod(far, far, far).repeat(3, 1)
    allowed = torch.ones(negative.shape, dtype=torch.bool)
    allowed[::2, 1] = False
    losses = sampled_loss(kind, positive.requires_grad_(), negative.requires_grad_(), allowed if masked else None,
                          share=0.1, regularisation=0.1)
    losses.sum().backward()
    assert positive.grad is not None
    assert negative.grad is not None
    assert losses.isfinite().all()
    assert (losses >= 0).all()
    assert positive.grad.isfinite().all()
    assert negative.grad.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_falls_as_the_right_item_rises(kind: Sampled) -> None:
    _, negative, _ = drawn()
    losses = [float(sampled_loss(kind, torch.full((3,), score, dtype=torch.float64), negative).sum())
              for score in (-4.0, -1.0, 0.0, 2.0, 5.0)]
    assert losses == sorted(losses, reverse=True)


def test_each_row_of_negatives_may_have_draws_of_its_own() -> None:
    positive, negative, _ = drawn()
    log_q = SETTINGS["sampled_softmax"]["log_q"]
    one = sampled_loss("sampled_softmax", positive, negative, log_q=log_q)
    each = sampled_loss("sampled_softmax", positive, negative, log_q=(log_q[0], log_q[1].repeat(3, 1)))
    torch.testing.assert_close(one, each)


def test_corrected_softmax_over_draws_is_that_over_the_catalogue() -> None:
    """In the mean: ln of the drawn sum, corrected and divided by k, nears ln of the whole sum as k grows."""
    rng = np.random.default_rng(5)
    scores, q = rng.normal(size=50), rng.dirichlet(np.full(50, 5.0))
    k = 200_000
    items = rng.choice(50, k, p=q)
    log_q = torch.tensor([math.log(1 / k)]), torch.from_numpy(np.log(q[items]))  # the right one is there for certain
    got = sampled_loss("sampled_softmax", torch.tensor([0.7]), torch.from_numpy(scores[items])[None], log_q=log_q)
    assert float(got) == pytest.approx(-0.7 + math.log(math.exp(0.7) + np.exp(scores).sum()), abs=0.02)
