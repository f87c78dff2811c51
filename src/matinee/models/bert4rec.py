"""BERT4Rec: some items of a history are hidden, and found again from what stands before and after them.

Sun, Liu, Wu, Pei, Lin, Ou, Jiang, BERT4Rec: Sequential Recommendation with Bidirectional Encoder Representations from
Transformer, CIKM 2019:

    blocks as in SASRec, with gelu, in which every place sees all places; a share of the items is a mask instead
    p at a hidden place = softmax over all items of E gelu(W state + b) + c; the loss is -ln p of what was hidden
    asked for the next item: a mask after the newest one

Where items are missing in the middle of a history, `asked: gaps` puts masks there as well. `top10_per_five` is what a
team of the film competition of 2022 did best with: every fifth place of the history, with nothing hidden, has its ten
best films counted.

Differs: norms stand before what they feed; a window comes once an epoch, hidden anew each time, instead of ten copies;
in a share of the windows (`newest`) the last item alone is hidden, which is how it is asked. Places begin as waves, so
that near ones are alike, and as large as items: from small ones at random it takes half as long again to leave
popularity behind. Batches are small and weights are means over epochs, as in SASRec.
Cost: of an epoch, with E events in windows of n, E (16 D^2 + 4 n D) operations a block forward and twice that back, and
for the hidden ones alone 6 I D: under half of what SASRec takes, but it learns from a fifth of the places and needs
several times the epochs. Published code is often stopped far too early (Petrov, Macdonald, RecSys 2022).
Shines where items are missing in the middle; for the next item SASRec gets there in less time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import seeded
from matinee.nn.cloze import Cloze, Gaps
from matinee.nn.next_item import trained
from matinee.nn.transformer import Shape, TransformerNet
from matinee.scoring.masked import MaskedTransformer
from matinee.scoring.place_votes import PlaceVotes


@dataclass(frozen=True, kw_only=True)
class BERT4Rec(Cloze):
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 16
    """Windows a step. Source of this and of `lr`: `bench` in bert4rec.yaml."""
    lr: Annotated[float, Gt(0), Le(10)] = 3e-3
    """Length of Adam's steps (Kingma and Ba, ICLR 2015)."""
    average: Annotated[float, Ge(0), Lt(1)] = 0.6
    blocks: Annotated[int, Ge(1), Le(64)] = 2
    """Layers of attention."""
    heads: Annotated[int, Ge(1), Le(64)] = 2
    """Parts that a vector is cut into, each with an attention of its own."""
    width: Annotated[int, Ge(1), Le(65536)] = 256
    """Of the layer inside a block."""

    def fit(self, train: Dataset, run: Run = Run()) -> MaskedTransformer | PlaceVotes:
        """Raises what `nn.train.train` does, and ConfigError where `heads` do not divide `dim`."""
        shape = Shape(train.n_items, self.length, self.dim, self.blocks, self.heads, self.width, self.dropout,
                      causal=False, activation="gelu", mask=True, glorot=True, projected=True)
        net = TransformerNet(shape, seeded(run.seed))
        task = Gaps("bert4rec", self, net, train, run)
        if self.asked == "top10_per_five":
            return trained(task, self, train, run, PlaceVotes)
        return trained(task, self, train, run, MaskedTransformer)
