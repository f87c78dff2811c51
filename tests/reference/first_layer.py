"""A denoising autoencoder in float64, its items' attributes and its user's profile fed as inputs of their own."""

from __future__ import annotations

import numpy as np


def hidden(weights, x, attributes=None, profile=None):
    """x (B, I), attributes (I, F), profile (B, C) -> tanh of item sums, and beside it of profile sums: (B, D [+ P])."""
    sums = x @ weights["table"] + weights["bias"]
    if attributes is not None:
        sums = sums + (x @ attributes) @ weights["attribute_table"]  # counts of the history's attributes as inputs
    parts = [np.tanh(sums)]
    if profile is not None:
        parts.append(np.tanh(profile @ weights["profile_table"] + weights["profile_bias"]))
    return np.concatenate(parts, axis=1)


def scores(weights, x, attributes=None, profile=None):
    return hidden(weights, x, attributes, profile) @ weights["output"].T + weights["output_bias"]


def multinomial(found, observed):
    """Scores (B, I), weights of what was observed (B, I) -> the mean over users of -sum c ln softmax."""
    total = 0.0
    for row, wanted in zip(found, observed, strict=True):
        log_p = row - np.log(np.exp(row - row.max()).sum()) - row.max()
        total -= sum(c * log for c, log in zip(wanted, log_p, strict=True) if c)
    return total / len(found)


def slopes(loss, weights, name, step=1e-5):
    """d loss(weights) / d weights[name], by differences."""
    array = weights[name]
    out = np.zeros_like(array)
    for at in np.ndindex(*array.shape):
        moved = [array.copy(), array.copy()]
        moved[0][at] += step
        moved[1][at] -= step
        up, down = (loss({**weights, name: one}) for one in moved)
        out[at] = (up - down) / (2 * step)
    return out
