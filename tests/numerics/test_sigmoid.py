"""exp, sigma and tanh of kernels against numpy's, and the same bits alone and in company."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from matinee.numerics import sigmoid


@njit
def over(x):  # type: ignore[no-untyped-def]
    out = np.empty((3, len(x)), np.float32)
    for i in range(len(x)):
        out[0, i], out[1, i], out[2, i] = sigmoid.exp(x[i]), sigmoid.sigmoid(x[i]), sigmoid.tanh(x[i])
    return out


X = np.concatenate([np.linspace(-87, 88, 5_001), np.linspace(-2, 2, 2_001), [0, 1e-8, -1e-8]]).astype(np.float32)


def test_values_are_numpys() -> None:
    got, wide = over(X), X.astype(np.float64)
    np.testing.assert_allclose(got[0], np.exp(wide), rtol=2.5e-7)
    np.testing.assert_allclose(got[1], 1 / (1 + np.exp(-wide)), atol=2e-7)
    np.testing.assert_allclose(got[2], np.tanh(wide), atol=2e-7)


def test_far_values_end_where_they_should() -> None:
    far = np.array([-1e30, -500, 500, 1e30], np.float32)
    assert np.isfinite(over(far)).all()
    np.testing.assert_allclose(over(far)[1:], [[0, 0, 1, 1], [-1, -1, 1, 1]], atol=1e-30)


@pytest.mark.parametrize("n", [1, 3, 4, 7, 8, 9, 17])
def test_a_number_has_the_same_bits_in_any_company(n: int) -> None:
    whole = over(X)
    for start in (0, 1, 3_000, 6_000):
        np.testing.assert_array_equal(over(X[start : start + n].copy()), whole[:, start : start + n])
