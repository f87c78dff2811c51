"""Softmax of rows in one pass, against the textbook in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from matinee.numerics.softmax_rows import ROWS_A_PIECE, softmax_rows
from matinee.numerics.threads import limited

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def drawn(seed: int, n: int, n_items: int, spread: float = 2.0, beyond: int = 0) -> Drawn:
    """scores with `beyond` columns of room, bias, and what is observed; the first row has nothing."""
    rng = np.random.default_rng(seed)
    scores = np.full((n, n_items + beyond), 7, np.float32)
    scores[:, :n_items] = rng.standard_normal((n, n_items)) * spread
    counts = rng.integers(0, min(n_items, 6) + 1, n)
    counts[0] = 0
    items = [np.sort(rng.choice(n_items, count, replace=False)) for count in counts]
    return (scores, rng.standard_normal(n_items).astype(np.float32), np.append(0, np.cumsum(counts)),
            np.concatenate(items).astype(np.int32), rng.choice([0.3, 1.0, 4.0], counts.sum()).astype(np.float32))


def textbook(scores: np.ndarray, bias: np.ndarray, starts: np.ndarray, items: np.ndarray, weights: np.ndarray
             ) -> tuple[float, np.ndarray]:
    c = np.zeros((len(scores), len(bias)))
    for row in range(len(scores)):
        for at in range(starts[row], starts[row + 1]):
            c[row, items[at]] = weights[at]
    moved = scores[:, : len(bias)].astype(float) + bias
    moved -= moved.max(1, keepdims=True)
    log_p = moved - np.log(np.exp(moved).sum(1, keepdims=True))
    return float(-(c * log_p).sum()), np.exp(log_p) * c.sum(1, keepdims=True) - c


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 2 * ROWS_A_PIECE + 3), st.integers(1, 70),
       st.sampled_from([0.01, 2.0, 60.0, 1e4]), st.sampled_from([0, 5]))
def test_loss_and_gradients_are_the_textbooks(seed: int, n: int, n_items: int, spread: float, beyond: int) -> None:
    scores, bias, *observed = drawn(seed, n, n_items, spread, beyond)
    loss, gradient = textbook(scores, bias, *observed)
    got, of_bias = softmax_rows(scores, bias, *observed)
    assert got == pytest.approx(loss, rel=1e-5, abs=1e-4)
    found = scores[:, :n_items]
    near = 3e-7 * max(3, spread)  # a score of 60 has its last bit at 4e-6
    np.testing.assert_allclose(found, gradient, atol=24 * near)
    np.testing.assert_allclose(of_bias, gradient.sum(0), atol=24 * near * n)
    assert (scores[:, n_items:] == 7).all()


def test_gradients_of_bfloat16_are_rounded_as_torch_rounds() -> None:
    scores, bias, *observed = drawn(1, 50, 333)
    short = torch.from_numpy(scores).bfloat16()
    long = short.float().numpy()
    loss, of_bias = softmax_rows(short.view(torch.int16).numpy(), bias, *observed)
    same_loss, same_of_bias = softmax_rows(long, bias, *observed)
    # Each of the two is compiled on its own, and a processor may want its sums in another order.
    assert loss == pytest.approx(same_loss, rel=1e-9)
    np.testing.assert_allclose(of_bias, same_of_bias, rtol=1e-5, atol=1e-5)
    rounded = torch.from_numpy(long).bfloat16()
    assert (short == rounded).double().mean() > 0.999
    torch.testing.assert_close(short, rounded, rtol=2**-7, atol=0)  # where they differ, neighbours


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 40])
def test_a_score_that_is_not_finite_is_told(odd: float, at: int) -> None:
    scores, bias, *observed = drawn(2, 3, 41)
    scores[1, at] = odd
    assert np.isnan(softmax_rows(scores, bias, *observed)[0])


def test_threads_change_no_bit() -> None:
    found = []
    for threads in (1, 2):
        scores, bias, *observed = drawn(3, 5 * ROWS_A_PIECE + 1, 57)
        with limited(threads):
            found.append((scores, *softmax_rows(scores, bias, *observed)))
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)
