"""Dense layers whose rows come out the same in any company: the rest of a network after its first layer.

A product by BLAS gives a row other bits when other rows stand beside it; the kernel of `factors` does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matinee.numerics import factors

ACTIVATIONS = ("none", "tanh", "sigmoid", "relu", "swish", "gelu")
"""`gelu` by tanh (Hendrycks, Gimpel, Gaussian Error Linear Units, 2016)."""


def layer(inputs: NDArray[np.float32], tiles: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """inputs (B, D), a weight (H, D) as `factors.tiled` makes it, bias (H,) -> inputs . weight' + bias (B, H)."""
    out = factors.scores(inputs, tiles, len(bias))
    out += bias
    return out


def activate(values: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """One of ACTIVATIONS, in place."""
    if name == "tanh":
        np.tanh(values, out=values)
    elif name == "relu":
        np.maximum(values, 0, out=values)
    elif name == "gelu":
        inner = np.float32(0.7978845608028654) * (values + np.float32(0.044715) * values * values * values)
        values *= np.float32(0.5) * (1 + np.tanh(inner))
    elif name in ("sigmoid", "swish"):
        gate = np.float32(0.5) * (np.tanh(np.float32(0.5) * values) + 1)
        values[:] = gate if name == "sigmoid" else values * gate
    return values


def normalised(values: NDArray[np.float32], gain: NDArray[np.float32], shift: NDArray[np.float32],
               epsilon: float) -> NDArray[np.float32]:
    """Each row (H,) to mean 0 and variance 1, times gain plus shift (Ba, Kiros, Hinton, Layer Normalization, 2016)."""
    centred = values - values.mean(1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(1, keepdims=True) + np.float32(epsilon))
    out: NDArray[np.float32] = centred / spread * gain + shift
    return out
