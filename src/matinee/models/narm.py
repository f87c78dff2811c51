"""NARM: gated recurrent units read a history, and what was meant all along is put beside what was done last.

Li, Ren, Chen, Ren, Lian, Ma, Neural Attentive Session-based Recommendation, CIKM 2017:

    h_t = GRU(h_{t-1}, E[i_t])
    c_t = [h_t; sum_j a_tj h_j]      a_tj = v . sigma(A h_t + K h_j), j = 1, ..., t
    score_t = E P c_t + b            the newest c_t ranks
    min  cross-entropy of the next item over all items, at every place

Differs: the paper makes a history of n events into n - 1 histories, each asked for its last one; here all places of a
window are asked at once, which is the same loss for a share of the units' work, and each place attends to those up to
its own alone. Scores have a bias. A weight a_tj is not made to sum to 1, as in the paper, so long histories speak up:
hence `length` 100.

Cost: beside what gru4rec takes, of an epoch over E events in windows of L places 3 E L W sigmoids, W = `width`: at
L = 100 as long as the output takes, at 200 twice that; none of them is kept in memory. 16 (I D + 9 W^2 + 2 D W) bytes.
Shines like gru4rec, and where a history has one purpose that single events stray from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.data.sessions import session_indptr
from matinee.nn.autoencoder import seeded
from matinee.nn.next_item import NextItem, Sequential, trained
from matinee.nn.recurrent import AttentiveNet, Shape
from matinee.scoring.recurrent import AttentiveRecurrent


@dataclass(frozen=True, kw_only=True)
class NARM(Sequential):
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 32
    """Windows a step."""
    lr: Annotated[float, Gt(0), Le(10)] = 5e-3
    """Length of Adam's steps. Source of the default: `bench` in narm.yaml."""
    length: Annotated[int, Ge(1), Le(10_000)] = 100
    """Of a history so many newest events are read."""
    width: Annotated[int, Ge(1), Le(8192)] = 100
    """Length of the units' state."""
    layers: Annotated[int, Ge(1), Le(16)] = 1
    """Of units, one upon the other."""
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.25
    """Share of items' vectors that is hidden in a step, to 1/256."""
    dropout_joined: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Share of state and attention, side by side, that is hidden in a step."""
    session_hours: Annotated[float, Gt(0), Le(100_000)] | None = None
    """A session ends before a pause of more than so many hours, or as the data's own sessions do where it has them; it
    is learnt from by itself. None: a history is one session."""
    sessions: Literal["whole", "current"] = "whole"
    """What is read of who asks: the whole history, or its newest session."""

    def fit(self, train: Dataset, run: Run = Run()) -> AttentiveRecurrent:
        """Raises what `nn.train.train` does."""
        current = self.session_hours if self.sessions == "current" else None
        shape = Shape(train.n_items, self.dim, self.width, self.layers, self.dropout, self.length, current)
        net = AttentiveNet(shape, seeded(run.seed), dropout_joined=self.dropout_joined)
        stretches = None if self.session_hours is None else session_indptr(train.log, self.session_hours)
        task = NextItem("narm", self, net, train, run, stretches)
        return trained(task, self, train, run, AttentiveRecurrent)
