"""GRU4Rec: a history is read by gated recurrent units, and after each event asked for the next.

Hidasi, Karatzoglou, Baltrunas, Tikk, Session-based Recommendations with Recurrent Neural Networks, ICLR 2016; Hidasi,
Karatzoglou, Recurrent Neural Networks with Top-k Gains for Session-based Recommendations, CIKM 2018.

    h_t = GRU(h_{t-1}, E[i_t])     score_t = O h_t + b     O = E where `tied`; the newest state ranks
    windows:  min  cross-entropy of the next item over all items, at every place of a window; gradients go through it
    sessions: a step reads the next event of each of `batch_size` lanes, whose states are carried to the next step and
              are zeros where a session begins; the next items of the other lanes are the negatives, and `negatives`
              more drawn by events^alpha; losses bpr, top1, bpr_max, top1_max, cross-entropy or a sampled one

`sessions` is how the paper trains, made for short anonymous sessions; CIKM 2018 has it with bpr_max, negatives: 2048
and alpha between 0 and 1. On long histories of films `windows` with cross-entropy is far better (Klenitskiy, Vasilev,
RecSys 2023), and the default. Other people's code for `sessions` often lacks some of what the paper has and loses
much by it (Hidasi, Czapp, The effect of third party implementations on reproducibility, RecSys 2023): here negatives
that the user has are left out, losses are computed from the scores as they are, states are reset.

Differs: Adam where the paper has Adagrad with momentum. Lanes are shares of one line of all sessions in random order,
all of one length, so that none runs dry at the end of an epoch; at most one session a lane is cut in two by it.
sampled_softmax is corrected by how often an item is expected among both kinds of negatives. No layer comes after the
units.

Cost: of an epoch over E events, in `windows` 18 H^2 E operations in the units and 6 I D E in the output, most of it;
in `sessions` 6 D (`batch_size` + `negatives`) E in the output, in E / `batch_size` steps one after the other.
16 (I D + 6 H^2) bytes. Shines where what was watched last says most about what comes next; knows no user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.data.sessions import session_indptr
from matinee.nn.autoencoder import seeded
from matinee.nn.next_item import NextItem, Sequential, trained
from matinee.nn.recurrent import RecurrentNet, Shape
from matinee.nn.session_parallel import SessionParallel
from matinee.nn.train import Task
from matinee.scoring.recurrent import Recurrent


@dataclass(frozen=True, kw_only=True)
class GRU4Rec(Sequential):
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 32
    """Windows, or sessions, a step."""
    lr: Annotated[float, Gt(0), Le(10)] = 5e-3
    """Length of Adam's steps. Source of the default: `bench` in gru4rec.yaml."""
    layers: Annotated[int, Ge(1), Le(16)] = 1
    """Of units, one upon the other."""
    tied: bool = True
    """Is an item scored by the vector it is read by? Else it has one of its own for that."""
    batches: Literal["windows", "sessions"] = "windows"
    """What a step learns from: windows of histories, each read whole; or one event of each of `batch_size` sessions."""
    session_hours: Annotated[float, Gt(0), Le(100_000)] | None = None
    """A session ends before a pause of more than so many hours, or as the data's own sessions do where it has them;
    states do not outlive it in training. None: a history is one session."""
    sessions: Literal["whole", "current"] = "whole"
    """What is read of who asks: the whole history, or its newest session."""

    def fit(self, train: Dataset, run: Run = Run()) -> Recurrent:
        """Raises what `nn.train.train` does."""
        current = self.session_hours if self.sessions == "current" else None
        shape = Shape(train.n_items, self.dim, self.dim, self.layers, self.dropout, self.length, current)
        net = RecurrentNet(shape, seeded(run.seed), tied=self.tied)
        stretches = None if self.session_hours is None else session_indptr(train.log, self.session_hours)
        task: Task
        if self.batches == "sessions":
            task = SessionParallel("gru4rec", self, net, train, run, stretches)
        else:
            task = NextItem("gru4rec", self, net, train, run, stretches)
        return trained(task, self, train, run, Recurrent)
