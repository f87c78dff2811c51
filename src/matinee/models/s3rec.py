"""S3-Rec: SASRec that first learns from four tasks that histories and attributes set by themselves.

Zhou, Wang, Zhao, Zhu, Wang, Zhang, Wang, Wen, S3-Rec: Self-Supervised Learning for Sequential Recommendation with
Mutual Information Maximization, CIKM 2020. `nn/self_supervision.py` has the tasks and their equations. First the
network reads both ways and is trained at their weighted sum; then, from the weights found, it reads forward and is
trained as SASRec.

What ends the first part is a choice (`stop_on`): published code watches the segments' loss alone.

Differs: the loss of the second part is cross-entropy over all items unless told; the paper has one negative an event.
Each task's loss is a mean, the paper's a sum, which depends on the size of a batch. Windows and norms as in sasrec.py.
Cost: an epoch of the first part is three passes through the network, and for E events and A attributes 12 E A D
operations more; the second part is SASRec.
Shines, says the paper, where histories are short. On films of long histories five teams saw nothing come of it:
see docs/results for what we did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from matinee.contract import Run, Scorer
from matinee.data.dataset import Dataset
from matinee.errors import ConfigError
from matinee.nn.autoencoder import seeded
from matinee.nn.identity import training_key
from matinee.nn.item_starts import begin_items
from matinee.nn.next_item import NextItem, Sequential, trained
from matinee.nn.self_supervision import Field, SelfSupervision, Weights
from matinee.nn.train import train as run_loop
from matinee.nn.transformer import Shape, TransformerNet
from matinee.scoring.transformer import Transformer


@dataclass(frozen=True, kw_only=True)
class S3Rec(Sequential):
    blocks: Annotated[int, Ge(1), Le(64)] = 2
    """Layers of attention."""
    heads: Annotated[int, Ge(1), Le(64)] = 2
    """Parts that a vector is cut into, each with an attention of its own."""
    width: Annotated[int, Ge(1), Le(65536)] = 256
    """Of the layer inside a block."""
    pretrain_epochs: Annotated[int, Ge(0), Le(10_000)] = 100
    """Passes over the log for the four tasks, at most; 0: none, and this is SASRec."""
    associated: Annotated[float, Ge(0), Le(1000)] = 0.2
    """Weight of the attributes of what is there."""
    item: Annotated[float, Ge(0), Le(1000)] = 1.0
    """Weight of items that are hidden."""
    attributes: Annotated[float, Ge(0), Le(1000)] = 1.0
    """Weight of the attributes of items that are hidden."""
    segment: Annotated[float, Ge(0), Le(1000)] = 0.5
    """Weight of stretches that are hidden."""
    fields: tuple[Field, ...] = ("genre",)
    """Which attributes: genre, director, writer, era (the decade); each has a table and turns of its own."""
    mask: Annotated[float, Gt(0), Lt(1)] = 0.2
    """Share of the events of a window that is hidden in a step of the first part."""
    stop_on: Literal["joint", "segment", "validation"] = "joint"
    """What ends the first part, `patience` epochs after its best: the weighted sum of the tasks' losses, that of
    segments alone, or how well the network ranks as it is."""

    def fit(self, train: Dataset, run: Run = Run()) -> Transformer:
        """Raises what `nn.train.train` does; ConfigError where `heads` do not divide `dim`, or no task is left."""
        weights = Weights(self.associated, self.item, self.attributes, self.segment)
        if (self.stop_on == "segment" and not self.segment) or not any(weights):
            raise ConfigError("no-task", f"weights {tuple(weights)}, stop_on {self.stop_on}", "give the task a weight")
        shape = Shape(train.n_items, self.length, self.dim, self.blocks, self.heads, self.width, self.dropout)
        net = TransformerNet(shape, seeded(run.seed))
        begin_items(net.table, self, train, run)
        if self.pretrain_epochs:
            both = TransformerNet(replace(shape, causal=False, mask=True), seeded(run.seed, 0, 0, 2))
            both.take(net)
            self._pretrain(both, weights, train, run)
            net.take(both)
        below = run.with_(checkpoint=None if run.checkpoint is None else run.checkpoint / "next_item")
        task = NextItem("s3rec", replace(self, init_items=None), net, train, run)
        return trained(task, self, train, below, Transformer)

    def _pretrain(self, net: TransformerNet, weights: Weights, data: Dataset, run: Run) -> None:
        """Leaves in `net` what the best epoch made of it."""
        first = replace(self, epochs=self.pretrain_epochs)
        task = SelfSupervision("s3rec, four tasks", first, self.windows, net, weights, self.fields, self.mask, data,
                               run, seeded(run.seed, 0, 0, 3))

        def watched(scorer: Scorer) -> float:
            return -task.monitored("segment" if self.stop_on == "segment" else "joint")

        run = run.with_(stop_at=None, validate=run.validate if self.stop_on == "validation" else watched,
                        checkpoint=None if run.checkpoint is None else run.checkpoint / "tasks")
        run_loop(task, first, run, training_key("s3rec tasks", first, data, run), lambda scorer, epoch: scorer)
