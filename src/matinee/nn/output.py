"""The last layer of a network over a whole catalogue, and its loss, in one: scores of a few users at a time.

The scores of a batch are never in memory together. For some rows at a time they are computed, turned into the loss and
into its gradient, and dropped while they are still in the cache; backward only hands on what forward has found. What is
observed comes as a sparse matrix c of weights, 0 where nothing was observed; x = 1 where c > 0.

    multinomial   -sum over i of c_ui ln p_ui          p_u = softmax over the items of one user
    logistic       sum over i of softplus(s_ui) - c_ui s_ui x_ui + (c_ui - 1) x_ui softplus(s_ui)
                   = -c ln sigma(s) where observed, -ln(1 - sigma(s)) elsewhere
    squared        sum over i of (s_ui - x_ui)^2 elsewhere, c_ui (s_ui - x_ui)^2 where observed
    rated          sum over observed i of w_ui (s_ui - c_ui)^2: c is a rating, w its confidence, and nothing is said of
                   other items

Each is summed over items and users and divided by `over`. Liang et al., Variational Autoencoders for Collaborative
Filtering, WWW 2018, section 2.2, compare the first three.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from matinee.nn.threads import side_by_side
from matinee.numerics.softmax_rows import softmax_rows

Likelihood = Literal["multinomial", "logistic", "squared"]
"""What autoencoders may ask of a reconstruction; `rated` is asked by those that copy ratings."""
Precision = Literal["float32", "bfloat16"]
ROWS = 256
"""Users at a time, of half so long scores twice as many: with 7,000 items 7 MB. A product of fewer rows takes longer a
row, and what each adds to the table's gradient is a pass over it."""
LANES = 2
"""Blocks of rows side by side, whatever the number of threads: what each sums up is added in the end, always alike."""
WORTH_THREADS = 1 << 18
"""Scores of a batch; below, beginning a thread takes as long as what it would do."""
ALIGNED = 16
"""A row of scores begins at a multiple of so many numbers: with an odd number of items between two rows, BLAS takes
half as long again for the same product."""


class Observed(NamedTuple):
    """Of some rows: items[starts[b]:starts[b + 1]] are those of row b."""

    starts: NDArray[np.int64]
    items: NDArray[np.integer]
    weights: NDArray[np.float32]
    confidence: Tensor | float


class Entries(NamedTuple):
    """The same, each entry with its row."""

    rows: Tensor
    items: Tensor
    weights: Tensor
    confidence: Tensor | float


Lost = tuple[float, Tensor, Tensor]
"""A loss, the gradient of the scores (B, I) in their precision, and that of the bias (I,)."""
Loss = Callable[[Tensor, Tensor, Observed], Lost]
"""Of scores (B, I or wider) without their bias, the bias (I,) and what is observed; the scores' memory is its own."""


def output_loss(
    hidden: Tensor, table: Tensor, bias: Tensor, observed: csr_array, kind: str, over: float,
    confidence: NDArray[np.float32] | None = None, precision: Precision = "float32",
) -> Tensor:
    """hidden (B, D), table (I, D), bias (I,), observed (B, I) -> the loss, a number; see the top for `kind`.

    confidence  of each entry, 1 unless told; `rated` alone reads it
    precision   `bfloat16`: what the three products multiply has 8 bits instead of 24; sums, softmax and loss do not
    """
    loss_of, products = LOSSES[kind], {"float32": _Float32, "bfloat16": _BFloat16}[precision]
    return _Output.apply(hidden, table, bias, observed, loss_of, over, confidence, products)  # type: ignore[no-any-return, no-untyped-call]


class _Float32:
    """The three products of a last layer, for some rows at a time. Gradients of the table come divided by `over`."""

    rows = ROWS

    def __init__(self, hidden: Tensor, table: Tensor, over: float) -> None:
        self.hidden, self.table, self.share = hidden, table, hidden / over

    def room(self, rows: int) -> Tensor:
        """For the scores of so many rows, one block after the other."""
        return torch.empty(rows, -(-len(self.table) // ALIGNED) * ALIGNED)

    def scores(self, start: int, stop: int, room: Tensor) -> Tensor:
        """(B, I) or wider, without the bias."""
        out = room[: stop - start]
        torch.mm(self.hidden[start:stop], self.table.T, out=out[:, : len(self.table)])
        return out

    def to_hidden(self, gradient: Tensor, out: Tensor) -> None:
        torch.mm(gradient, self.table, out=out)

    def to_table(self, gradient: Tensor, start: int, stop: int, out: Tensor, first: bool) -> None:
        out.addmm_(gradient.T, self.share[start:stop], beta=float(not first))  # the first one does not read `out`


class _BFloat16(_Float32):
    """Twice as fast where the processor multiplies such numbers, as those with AVX512-BF16 or AMX do."""

    rows = 2 * ROWS

    def __init__(self, hidden: Tensor, table: Tensor, over: float) -> None:
        self.short_hidden, self.short_share = hidden.bfloat16(), (hidden / over).bfloat16()
        self.short_table = table.bfloat16()

    def room(self, rows: int) -> Tensor:
        return torch.empty(0)  # torch makes room for each block

    def scores(self, start: int, stop: int, room: Tensor) -> Tensor:
        return self.short_hidden[start:stop] @ self.short_table.T

    def to_hidden(self, gradient: Tensor, out: Tensor) -> None:
        out.copy_(gradient @ self.short_table)

    def to_table(self, gradient: Tensor, start: int, stop: int, out: Tensor, first: bool) -> None:
        found = gradient.T @ self.short_share[start:stop]
        if first:
            out.copy_(found)
        else:
            out += found


class _Lane:
    """Some blocks of rows, one after the other, and the sums over them."""

    def __init__(self, blocks: Sequence[tuple[int, int]], of_hidden: Tensor | None, of_table: Tensor | None) -> None:
        self.blocks, self.of_hidden, self.of_table = blocks, of_hidden, of_table
        self.total, self.of_bias = 0.0, torch.zeros(0)

    def run(self, layer: _Float32, bias: Tensor, loss_of: Loss, entries: Callable[[int, int], Observed]) -> None:
        room = layer.room(self.blocks[0][1] - self.blocks[0][0])
        for start, stop in self.blocks:
            first = start == self.blocks[0][0]
            value, gradient, of_bias = loss_of(layer.scores(start, stop, room), bias, entries(start, stop))
            self.total += value
            self.of_bias = of_bias if first else self.of_bias + of_bias
            if self.of_hidden is not None:
                layer.to_hidden(gradient, self.of_hidden[start:stop])
            if self.of_table is not None:
                layer.to_table(gradient, start, stop, self.of_table, first)


class _Output(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, table: Tensor, bias: Tensor, observed: csr_array, loss_of: Loss, over: float,
        confidence: NDArray[np.float32] | None, products: type[_Float32],
    ) -> Tensor:
        wanted = ctx.needs_input_grad  # a part that stands still costs nothing
        of_hidden = torch.empty_like(hidden) if wanted[0] else None
        layer, n = products(hidden, table, over), len(hidden)
        rows = max(1, min(layer.rows, -(-n // LANES)))
        blocks = [(start, min(start + rows, n)) for start in range(0, max(1, n), rows)]
        lanes = [_Lane(blocks[k::LANES], of_hidden, torch.empty_like(table) if wanted[1] else None)
                 for k in range(min(LANES, len(blocks)))]
        entries = partial(_entries, observed, confidence)

        def run(k: int) -> None:
            lanes[k].run(layer, bias.detach(), loss_of, entries)

        side_by_side(run, len(lanes), apart=n * len(table) >= WORTH_THREADS)
        first = lanes[0]
        for lane in lanes[1:]:
            first.total, first.of_bias = first.total + lane.total, first.of_bias + lane.of_bias
            if first.of_table is not None and lane.of_table is not None:
                first.of_table += lane.of_table
        if of_hidden is not None:
            of_hidden /= over
        ctx.moved = [of_hidden, first.of_table, first.of_bias / over if wanted[2] else None]
        return torch.tensor(first.total / over)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        """Once alone: what is handed out is the only copy, and becomes the gradient of a parameter as it is."""
        moved, ctx.moved = ctx.moved, None
        scale = float(gradients[0])
        if scale != 1:
            for gradient in moved:
                if gradient is not None:
                    gradient *= scale
        return *moved, None, None, None, None, None


def _entries(observed: csr_array, confidence: NDArray[np.float32] | None, start: int, stop: int) -> Observed:
    ends = observed.indptr[start : stop + 1].astype(np.int64)
    some = slice(ends[0], ends[-1])
    return Observed(ends - ends[0], observed.indices[some], observed.data[some],
                    1.0 if confidence is None else torch.from_numpy(confidence[some]))


def _multinomial(scores: Tensor, bias: Tensor, observed: Observed) -> Lost:
    bits = scores.view(torch.int16) if scores.dtype == torch.bfloat16 else scores
    value, of_bias = softmax_rows(bits.numpy(), bias.numpy(), observed.starts,
                                  observed.items.astype(np.int32, copy=False), observed.weights)
    return value, scores[:, : len(bias)], torch.from_numpy(of_bias)


def _dense(loss_of: Callable[[Tensor, Entries], float]) -> Loss:
    """A loss of float32 scores with their bias, over which it writes its gradient."""

    def lost(scores: Tensor, bias: Tensor, observed: Observed) -> Lost:
        found = scores[:, : len(bias)]
        dense = found.add_(bias) if found.dtype == torch.float32 else found + bias
        rows = np.repeat(np.arange(len(scores)), np.diff(observed.starts))
        entries = Entries(torch.from_numpy(rows), torch.from_numpy(observed.items.astype(np.int64)),
                          torch.from_numpy(observed.weights), observed.confidence)
        value = loss_of(dense, entries)
        return value, dense.to(scores.dtype), dense.sum(0)

    return lost


def _logistic(scores: Tensor, observed: Entries) -> float:
    rows, items, weights, _ = observed
    picked = scores[rows, items]
    loss = float(torch.nn.functional.softplus(scores).sum())
    softplus = torch.nn.functional.softplus(picked)
    loss += float((weights * (softplus - picked) - softplus).sum())
    scores.sigmoid_()
    scores[rows, items] = weights * (scores[rows, items] - 1)
    return loss


def _squared(scores: Tensor, observed: Entries) -> float:
    rows, items, weights, _ = observed
    picked = scores[rows, items]
    loss = float(scores.square().sum()) + float((weights * (picked - 1).square() - picked.square()).sum())
    scores *= 2
    scores[rows, items] = 2 * weights * (picked - 1)
    return loss


def _rated(scores: Tensor, observed: Entries) -> float:
    rows, items, ratings, confidence = observed
    off = scores[rows, items] - ratings
    scores.zero_()
    scores[rows, items] = 2 * confidence * off
    return float((confidence * off.square()).sum())


LOSSES: dict[str, Loss] = {
    "multinomial": _multinomial, "logistic": _dense(_logistic), "squared": _dense(_squared), "rated": _dense(_rated),
}
