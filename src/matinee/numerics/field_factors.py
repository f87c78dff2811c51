"""Vectors of fields to one vector and one number of a side: what a factorisation machine knows of users, or of items.

A side has fields f = 1..F, each with a vector and a linear weight a row. With what the other side has, the score of a
user and an item is `vector . vector + own + own`, whatever the number of features (Rendle, ICDM 2010, lemma 3.1):

    together   vector = sum_f e_f                              own = sum_f w_f + (|vector|^2 - sum_f |e_f|^2) / 2
    apart      vector = all e_f[towards g], g the other side's own = sum_f w_f + sum over f < h of e_f[h] . e_h[f]

where apart, as in a field-aware machine, e_f has a part towards each field of both sides, the users' first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def combined(fields: Floats, others: int, *, apart: bool) -> tuple[Floats, Floats]:
    """fields (B, F, T + 1) of users, the linear weights last -> vectors (B, D), own (B,).

    others: fields of the other side. Apart, D = F x others x (T / (F + others)). Each row is the same in any company.
    """
    n, here, _ = fields.shape
    vectors, own = np.ascontiguousarray(fields[:, :, :-1]), _sums(fields[:, :, -1])
    if not apart:
        total = np.zeros((n, vectors.shape[2]), np.float32)
        for f in range(here):
            total += vectors[:, f]
        return total, own + np.float32(0.5) * (_sums(total * total) - _sums(vectors * vectors))
    towards = vectors.reshape(n, here, here + others, vectors.shape[2] // (here + others))  # (B, F, F + others, d)
    for f in range(here):
        for g in range(f + 1, here):
            own = own + _sums(towards[:, f, g] * towards[:, g, f])
    met = np.ascontiguousarray(towards[:, :, here:])
    return met.reshape(n, math.prod(met.shape[1:])), own


def _sums(values: Floats) -> Floats:
    """(B, ...) -> (B,) each row's sum over the same order of numbers."""
    rows = np.ascontiguousarray(values).reshape(len(values), math.prod(values.shape[1:]))
    return np.asarray(rows.sum(axis=1, dtype=np.float32))
