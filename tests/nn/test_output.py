"""The fused last layer: the value of each loss by hand and by the slow twin, its gradient by three other ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional

from matinee.nn import output
from matinee.nn.output import LOSSES, ROWS, Precision, output_loss
from matinee.nn.threads import side_by_side, torch_threads
from tests.reference import autoencoders as reference

KINDS = sorted(LOSSES)
B, D, I = 2 * ROWS + 45, 5, 23


def drawn(seed: int, n: int = B) -> tuple[Tensor, Tensor, Tensor, csr_array, np.ndarray]:
    """hidden, table, bias, what is observed and the trust in it; the first user has nothing, the second one item."""
    rng = np.random.default_rng(seed)
    parts = (torch.from_numpy(rng.standard_normal(shape, np.float32)) for shape in ((n, D), (I, D), (I,)))
    weights = np.where(rng.random((n, I)) < 0.2, rng.choice([0.3, 1.0, 1.7, 4.0], (n, I)), 0).astype(np.float32)
    weights[0] = weights[1] = 0
    weights[1, 4] = 1.7
    observed = csr_array(weights)
    return *parts, observed, rng.choice([0.5, 1.0, 2.0], observed.nnz).astype(np.float32)


def by_hand(kind: str, scores: list[float], observed: list[float]) -> float:
    return float(output_loss(torch.tensor([[1.0]]), torch.tensor(scores)[:, None], torch.zeros(len(scores)),
                             csr_array(np.array([observed], np.float32)), kind, 1))


def test_values_by_hand() -> None:
    ln = math.log
    tenths = [ln(1), ln(2), ln(5)]  # softmax: 1/8, 2/8, 5/8; sigmoid: 1/2, 2/3, 5/6
    assert by_hand("multinomial", tenths, [2, 0, 1]) == pytest.approx(2 * ln(8) + ln(8 / 5))
    assert by_hand("logistic", tenths, [2, 0, 1]) == pytest.approx(2 * ln(2) + ln(3) + ln(6 / 5))
    assert by_hand("squared", [3.0, 2.0, -1.0], [2, 0, 1]) == pytest.approx(2 * 4 + 4 + 4)
    assert by_hand("rated", [3.0, 2.0, -1.0], [2, 0, 1]) == pytest.approx(1 + 4)


def slow(kind: str, scores: np.ndarray, c: np.ndarray, trust: np.ndarray) -> float:
    return sum(reference.lost(*rows[:2], kind, rows[2]) for rows in zip(scores, c, trust, strict=True))


def dense_trust(observed: csr_array, trust: np.ndarray) -> np.ndarray:
    return csr_array((trust, observed.indices, observed.indptr), shape=observed.shape).toarray()


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_the_slow_twin(kind: str) -> None:
    hidden, table, bias, observed, trust = drawn(1)
    got = output_loss(hidden, table, bias, observed, kind, 7, trust)
    scores = hidden.double().numpy() @ table.double().numpy().T + bias.double().numpy()
    assert float(got) == pytest.approx(slow(kind, scores, observed.toarray(), dense_trust(observed, trust)) / 7)


def plain(kind: str, scores: Tensor, c: Tensor, trust: Tensor) -> Tensor:
    """The loss of dense scores, left to autograd."""
    x = (c > 0).to(scores.dtype)
    if kind == "multinomial":
        return -(c * functional.log_softmax(scores, dim=1)).sum()
    if kind == "logistic":
        weights = torch.where(c > 0, c, 1.0)
        return functional.binary_cross_entropy_with_logits(scores, x, weight=weights, reduction="sum")
    if kind == "squared":
        return (torch.where(c > 0, c, 1.0) * (scores - x).square()).sum()
    return (x * trust * (scores - c).square()).sum()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_autograd_on_dense_scores(kind: str) -> None:
    *parts, observed, trust = drawn(2)
    own = [part.requires_grad_() for part in parts]
    (3 * output_loss(*own, observed, kind, 7, trust)).backward()
    hidden, table, bias = other = [part.detach().double().requires_grad_() for part in parts]
    c, w = torch.from_numpy(observed.toarray()).double(), torch.from_numpy(dense_trust(observed, trust)).double()
    (3 * plain(kind, hidden @ table.T + bias, c, w) / 7).backward()
    for got, want in zip(own, other, strict=True):
        assert got.grad is not None
        assert want.grad is not None
        torch.testing.assert_close(got.grad.double(), want.grad, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_differences_of_the_slow_twin(kind: str) -> None:
    *parts, observed, trust = drawn(3, 6)
    own = [part.requires_grad_() for part in parts]
    output_loss(*own, observed, kind, 1, trust).backward()
    arrays, c, w = [part.detach().double().numpy() for part in own], observed.toarray(), dense_trust(observed, trust)
    rng = np.random.default_rng(0)
    for part, array in zip(own, arrays, strict=True):
        assert part.grad is not None
        for _ in range(8):
            place = tuple(rng.integers(0, array.shape))
            was, around = array[place], []
            for step in (1e-4, -1e-4):
                array[place] = was + step
                around.append(slow(kind, arrays[0] @ arrays[1].T + arrays[2], c, w))
            array[place] = was
            want = (around[0] - around[1]) / 2e-4
            assert float(part.grad[place]) == pytest.approx(want, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_users_loss_and_gradient_do_not_hang_on_the_others(kind: str) -> None:
    """A softmax over a flattened batch would fail here."""
    hidden, table, bias, observed, trust = drawn(4, 9)
    whole = hidden.clone().requires_grad_()
    output_loss(whole, table, bias, observed, kind, 1, trust).backward()
    total = 0.0
    for user in range(9):
        some = slice(observed.indptr[user], observed.indptr[user + 1])
        alone = hidden[user : user + 1].clone().requires_grad_()
        loss = output_loss(alone, table, bias, observed[[user]], kind, 1, trust[some])
        loss.backward()
        total += float(loss.detach())
        assert whole.grad is not None
        assert alone.grad is not None
        torch.testing.assert_close(alone.grad[0], whole.grad[user], rtol=1e-5, atol=1e-5)
    assert total == pytest.approx(float(output_loss(hidden, table, bias, observed, kind, 1, trust)), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_that_stands_still_changes_nothing_for_the_others(kind: str) -> None:
    *parts, observed, trust = drawn(5)
    together = [part.clone().requires_grad_() for part in parts]
    output_loss(*together, observed, kind, 7, trust).backward()
    for moves in range(3):
        own = [part.clone().requires_grad_(n == moves) for n, part in enumerate(parts)]
        output_loss(*own, observed, kind, 7, trust).backward()
        assert [part.grad is not None for part in own] == [n == moves for n in range(3)]
        assert torch.equal(own[moves].grad, together[moves].grad)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["multinomial", "logistic"])
def test_scores_too_large_for_exp_have_a_loss(kind: str) -> None:
    extra = math.log(2) if kind == "logistic" else 0.0
    assert by_hand(kind, [300.0, -300.0, 0.0], [1, 0, 0]) == pytest.approx(extra, abs=1e-5)
    assert by_hand(kind, [300.0, -300.0, 0.0], [0, 1, 0]) == pytest.approx(600 + extra)


def test_nobody_has_no_loss() -> None:
    hidden = torch.zeros((0, D), requires_grad=True)
    for kind in KINDS:
        loss = output_loss(hidden, torch.ones((I, D)), torch.ones(I), csr_array((0, I), dtype=np.float32), kind, 3)
        loss.backward()
        assert float(loss.detach()) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_short_numbers_lose_digits_and_nothing_else(kind: str) -> None:
    found = {}
    for precision in ("float32", "bfloat16"):
        hidden, table, bias, observed, trust = drawn(2)
        leaves = [part.requires_grad_() for part in (hidden, table, bias)]
        loss = output_loss(*leaves, observed, kind, 7, trust, precision)
        loss.backward()
        assert all(part.grad.dtype == torch.float32 for part in leaves)
        found[precision] = [loss.detach(), *(part.grad for part in leaves)]
    for whole, short in zip(found["float32"], found["bfloat16"], strict=True):
        assert 0 < float((whole - short).norm() / whole.norm()) < 0.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_blocks_side_by_side_have_the_bits_of_one_after_the_other(
    kind: str, precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for threads, worth in ((1, 0), (2, 0), (5, 0), (2, output.WORTH_THREADS)):
        monkeypatch.setattr(output, "WORTH_THREADS", worth)
        *parts, observed, trust = drawn(5)
        parts = [part.requires_grad_() for part in parts]
        with torch_threads(threads):
            loss = output_loss(*parts, observed, kind, 7, trust, precision)
            assert torch.get_num_threads() == threads
        found.append([loss.detach(), *torch.autograd.grad(loss, parts)])
    for others in found[1:]:
        assert all(torch.equal(one, other) for one, other in zip(found[0], others, strict=True))


def test_what_goes_wrong_in_one_lane_is_told_and_torch_keeps_its_threads() -> None:
    def fails(k: int) -> None:
        if k == 1:
            raise ValueError("no such luck")

    with torch_threads(2):
        with pytest.raises(ValueError, match="no such luck"):
            side_by_side(fails, 2)
        assert torch.get_num_threads() == 2
