"""Losses over one right item and some drawn wrong ones: what a network learns from where the catalogue is large.

With r the score of the right item, r_j those of k negatives and sigma the logistic function, of one row:

    bce               -(ln sigma(r) + sum_j ln(1 - sigma(r_j))) / (1 + k)
    gbce              the same with b ln sigma(r), b = a (t (1 - 1 / a) + 1 / a), a = k / (I - 1) the share of the
                      catalogue that is drawn; t = 0 is bce, t = 1 undoes what drawing does to probabilities
                      (Petrov and Macdonald, gSASRec, RecSys 2023, section 5)
    bpr               -mean_j ln sigma(r - r_j)                                    (Rendle et al., UAI 2009)
    top1              mean_j sigma(r_j - r) + sigma(r_j^2)                         (Hidasi et al., ICLR 2016)
    bpr_max           -ln sum_j w_j sigma(r - r_j) + regularisation sum_j w_j r_j^2
    top1_max          sum_j w_j (sigma(r_j - r) + sigma(r_j^2))                    both with w = softmax over the r_j
                      (Hidasi and Karatzoglou, CIKM 2018, sections 3.2 and 3.3)
    sampled_softmax   -ln (exp(z) / (exp(z) + sum_j exp(z_j))), z the score less the ln of how likely the item was to be
                      drawn (Bengio and Senecal, IEEE Transactions on Neural Networks, 2008)

A negative that is not allowed is not there: it counts in no sum and no k, and its score may be anything.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid, softplus

Sampled = Literal["bce", "gbce", "bpr", "bpr_max", "top1", "top1_max", "sampled_softmax"]


def sampled_loss(
    kind: Sampled, positive: Tensor, negative: Tensor, allowed: Tensor | None = None, *,
    log_q: tuple[Tensor, Tensor] | None = None, share: float = 1.0, calibration: float = 0.75,
    regularisation: float = 0.0,
) -> Tensor:
    """positive (N,), negative (N, k) -> (N,) losses; 0 where a row has no negative.

    allowed         (N, k) false where a negative is none: the user's own, or the positive itself
    log_q           of `sampled_softmax`: ln of how likely the positives (N,) and the negatives (k,) or (N, k) were
                    to be drawn, up to one constant for both; None: all alike
    share           of `gbce`: k / (I - 1)
    calibration     of `gbce`: t
    regularisation  of `bpr_max`
    """
    if negative.shape[1] == 0:
        return positive * 0
    if kind == "sampled_softmax":
        losses = _sampled_softmax(positive, negative, allowed, log_q)
    elif kind in ("bce", "gbce"):
        weight = 1 - calibration * (1 - share) if kind == "gbce" else 1.0  # b, multiplied out
        losses = _binary(positive, negative, allowed, weight)
    elif kind in ("bpr", "top1"):
        losses = _pairwise(kind, positive, negative, allowed)
    else:
        losses = _max(kind, positive, negative, allowed, regularisation)
    return losses if allowed is None else torch.where(allowed.any(1), losses, 0)


def _sampled_softmax(
    positive: Tensor, negative: Tensor, allowed: Tensor | None, log_q: tuple[Tensor, Tensor] | None
) -> Tensor:
    if log_q is not None:
        positive, negative = positive - log_q[0], negative - log_q[1]
    return -logsigmoid(positive - torch.logsumexp(_lowest_elsewhere(negative, allowed), 1))


def _binary(positive: Tensor, negative: Tensor, allowed: Tensor | None, weight: float) -> Tensor:
    below = softplus(_kept(negative, allowed))  # -ln(1 - sigma(r_j))
    return (_sum(below, allowed) - weight * logsigmoid(positive)) / (1 + _count(negative, allowed))


def _pairwise(kind: str, positive: Tensor, negative: Tensor, allowed: Tensor | None) -> Tensor:
    others = _kept(negative, allowed)
    each = -logsigmoid(positive[:, None] - others) if kind == "bpr" else _top1(positive, others)
    return _sum(each, allowed) / _count(negative, allowed)


def _max(kind: str, positive: Tensor, negative: Tensor, allowed: Tensor | None, regularisation: float) -> Tensor:
    others, log_weights = _kept(negative, allowed), log_softmax(_lowest_elsewhere(negative, allowed), 1)
    if kind == "top1_max":
        return (log_weights.exp() * _top1(positive, others)).sum(1)
    losses = -torch.logsumexp(log_weights + logsigmoid(positive[:, None] - others), 1)
    if regularisation:
        losses = losses + regularisation * (log_weights.exp() * others.square()).sum(1)
    return losses


def _top1(positive: Tensor, others: Tensor) -> Tensor:
    return torch.sigmoid(others - positive[:, None]) + torch.sigmoid(others.square())


def _kept(values: Tensor, allowed: Tensor | None) -> Tensor:
    """0 where not allowed: whatever stood there, no gradient comes near it."""
    return values if allowed is None else torch.where(allowed, values, 0)


def _lowest_elsewhere(values: Tensor, allowed: Tensor | None) -> Tensor:
    """The lowest finite number where not allowed; with -inf a row of nothing else would be NaN."""
    return values if allowed is None else torch.where(allowed, values, torch.finfo(values.dtype).min)


def _sum(values: Tensor, allowed: Tensor | None) -> Tensor:
    return _kept(values, allowed).sum(1)


def _count(negative: Tensor, allowed: Tensor | None) -> Tensor | int:
    return negative.shape[1] if allowed is None else allowed.sum(1).clamp(min=1)
