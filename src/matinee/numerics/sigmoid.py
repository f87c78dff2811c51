"""exp, sigma and tanh of float32 as a few products, which compilers turn into vector instructions; for use in kernels.

Calls of the mathematical library take one number at a time, five times as long. Cephes' polynomial (Moshier, Methods
and Programs for Mathematical Functions, 1989) is exact to the last bit or two; sigma and tanh to 2e-7.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_LOWEST, _HIGHEST = np.float32(-87), np.float32(88)
_LOG2E, _LN2_HIGH, _LN2_LOW = np.float32(1.44269504088896341), np.float32(0.693359375), np.float32(-2.12194440e-4)
_P0, _P1, _P2 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
_P3, _P4, _P5 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)
_ONE, _TWO, _HALF = np.float32(1), np.float32(2), np.float32(0.5)


@njit(cache=True, nogil=True, fastmath={"contract"})
def exp(x):  # type: ignore[no-untyped-def]
    """Of x held between -87 and 88."""
    x = x if x > _LOWEST else _LOWEST
    x = x if x < _HIGHEST else _HIGHEST
    n = np.floor(x * _LOG2E + _HALF)
    f = x - n * _LN2_HIGH - n * _LN2_LOW
    p = ((((_P0 * f + _P1) * f + _P2) * f + _P3) * f + _P4) * f + _P5
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)  # 2^n, written as its bits
    return (p * f * f + f + _ONE) * power


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def sigmoid(x):  # type: ignore[no-untyped-def]
    return _ONE / (_ONE + exp(-x))


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def tanh(x):  # type: ignore[no-untyped-def]
    return _ONE - _TWO / (_ONE + exp(_TWO * x))
