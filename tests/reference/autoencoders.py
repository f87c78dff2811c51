"""Autoencoders as dense float64 algebra, written from the papers: slow and obvious.

Arrays are called as a stored one calls them: `table` (I, H), `1.weight` (H2, H), `1.bias` ..., `output` (I, D), `bias`.
x (I,) is 1 where a user had an item; c (I,) his confidence in what he had, 0 elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Numbers = NDArray[np.float64]
Arrays = Mapping[str, Numbers]

ACTIVATIONS: dict[str, Callable[[Numbers], Numbers]] = {
    "tanh": np.tanh,
    "relu": lambda t: np.maximum(t, 0),
    "sigmoid": lambda t: 1 / (1 + np.exp(-t)),
    "swish": lambda t: t / (1 + np.exp(-t)),
}


def one_long(x: Numbers) -> Numbers:
    length = np.sqrt((x**2).sum())
    return x / length if length else x


def shallow(a: Arrays, x: Numbers, activation: str) -> Numbers:
    """(I,) a code, and the output: Multi-DAE as its paper has it."""
    z = ACTIVATIONS[activation](x @ a["table"] + a["0.bias"])
    return a["output"] @ z + a["bias"]


def linear_code(a: Arrays, x: Numbers) -> Numbers:
    """(I,) the same of a code that is the mean of a distribution."""
    return a["output"] @ (x @ a["table"] + a["0.bias"]) + a["bias"]


def mirrored(a: Arrays, x: Numbers, activation: str) -> Numbers:
    """(I,) a layer, the code, a layer: Multi-VAE as its paper has it."""
    f = ACTIVATIONS[activation]
    h = f(x @ a["table"] + a["0.bias"])
    z = a["1.weight"] @ h + a["1.bias"]
    g = f(a["2.weight"] @ z + a["2.bias"])
    return a["output"] @ g + a["bias"]


def five_layers(a: Arrays, x: Numbers) -> Numbers:
    """(I,) RecVAE."""
    s = ACTIVATIONS["swish"]

    def w(n: int, h: Numbers) -> Numbers:
        return a[f"{n}.weight"] @ h + a[f"{n}.bias"]

    def ln(n: int, h: Numbers) -> Numbers:
        return (h - h.mean()) / np.sqrt(h.var() + 0.1) * a[f"{n}.gain"] + a[f"{n}.shift"]

    h1 = ln(0, s(x @ a["table"] + a["0.bias"]))
    h2 = ln(1, s(w(1, h1) + h1))
    h3 = ln(2, s(w(2, h2) + h1 + h2))
    h4 = ln(3, s(w(3, h3) + h1 + h2 + h3))
    h5 = ln(4, s(w(4, h4) + h1 + h2 + h3 + h4))
    return a["output"] @ w(5, h5) + a["bias"]


def lost(scores: Numbers, c: Numbers, kind: str, trust: Numbers | None = None) -> float:
    """By one user's scores (I,); trust (I,) in what c says, where c is a rating."""
    trust = np.ones(len(c)) if trust is None else trust
    total = 0.0
    everything = np.exp(scores).sum()
    for s, weight, w in zip(scores, c, trust, strict=True):
        if kind == "multinomial":
            total -= weight * np.log(np.exp(s) / everything)
        elif kind == "logistic":
            total -= weight * np.log(1 / (1 + np.exp(-s))) if weight else np.log(1 - 1 / (1 + np.exp(-s)))
        elif kind == "squared":
            total += weight * (s - 1) ** 2 if weight else s**2
        elif weight:  # rated
            total += w * (s - weight) ** 2
    return float(total)


def from_standard_normal(mean: Numbers, log_variance: Numbers) -> float:
    """Divergence of N(mean, e^log_variance) from N(0, 1), summed over the numbers of a code: an integral for each."""
    t = np.linspace(-40, 40, 400_001)
    total = 0.0
    for m, v in zip(mean, log_variance, strict=True):
        q = norm(m, np.exp(v / 2))
        total += float(np.trapezoid(q.pdf(t) * (q.logpdf(t) - norm.logpdf(t)), t))
    return total


def from_composite(z: Numbers, mean: Numbers, log_variance: Numbers, old: Numbers, old_log_variance: Numbers) -> float:
    """ln q(z) - ln p(z) of one code that was drawn."""
    total = 0.0
    for k in range(len(z)):
        q = norm.pdf(z[k], mean[k], np.exp(log_variance[k] / 2))
        p = (3 / 20 * norm.pdf(z[k]) + 3 / 4 * norm.pdf(z[k], old[k], np.exp(old_log_variance[k] / 2))
             + 1 / 10 * norm.pdf(z[k], 0, np.exp(5)))
        total += np.log(q) - np.log(p)
    return float(total)


def adamw(weight: Numbers, gradients: list[Numbers], lr: float, decay: float) -> Numbers:
    """`weight` after a step for each gradient (Kingma and Ba, 2015; Loshchilov and Hutter, 2019)."""
    mean, square = np.zeros_like(weight), np.zeros_like(weight)
    for t, gradient in enumerate(gradients, 1):
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        step = (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
        weight = weight - lr * decay * weight - lr * step
    return weight
