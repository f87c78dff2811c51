"""SASRec: a history is read by self-attention, and each of its places asked for the item after it.

Kang, McAuley, Self-Attentive Sequential Recommendation, ICDM 2018:

    x_t = E[i_t] sqrt(D) + P_t
    each block: x += attention(norm(x)), in which place t sees 1, ..., t; x += W2 relu(W1 norm(x) + b1) + b2
    s_ti = norm(x_t) . E_i, and the newest place ranks

Differs: the loss is cross-entropy over all items. The paper asks each place for its item against one sampled negative,
which makes the same network rank far worse (Klenitskiy, Vasilev, RecSys 2023); every loss of `nn/losses.py` is here.
Norms stand before what they feed, keys and what is said normalised too. Places count from the start of a window, which
is padded on the right. Nothing is dropped out of attention weights, so that they are never written to memory. Steps are
four times as many and as long as the 2023 paper's, and epochs are averaged: it gets there in a quarter of the epochs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import seeded
from matinee.nn.next_item import NextItem, Sequential, trained
from matinee.nn.transformer import Shape, TransformerNet
from matinee.scoring.transformer import Transformer


@dataclass(frozen=True, kw_only=True)
class SASRec(Sequential):
    epochs: Annotated[int, Ge(1), Le(10_000)] = 40
    patience: Annotated[int, Ge(1), Le(10_000)] = 5
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 32
    """Windows a step. Source of this and of `lr` and `average`: `bench` in sasrec.yaml."""
    lr: Annotated[float, Gt(0), Le(10)] = 4e-3
    average: Annotated[float, Ge(0), Lt(1)] = 0.6
    blocks: Annotated[int, Ge(1), Le(64)] = 2
    """Layers of attention."""
    heads: Annotated[int, Ge(1), Le(64)] = 1
    """Parts that a vector is cut into, each with an attention of its own."""
    width: Annotated[int, Ge(1), Le(65536)] = 64
    """Of the layer inside a block."""

    def fit(self, train: Dataset, run: Run = Run()) -> Transformer:
        """Raises what `nn.train.train` does, and ConfigError where `heads` do not divide `dim`."""
        shape = Shape(train.n_items, self.length, self.dim, self.blocks, self.heads, self.width, self.dropout)
        net = TransformerNet(shape, seeded(run.seed))
        return trained(NextItem("sasrec", self, net, train, run), self, train, run, Transformer)
