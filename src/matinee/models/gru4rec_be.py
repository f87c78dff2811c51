"""GRU4RecBE: GRU4Rec whose items are known by an embedding of their text as well; here by their titles.

Potter et al., GRU4RecBE: A Hybrid Session-Based Movie Recommendation System, AAAI 2022:

    v_i = e_i + P t_i  (`join: sum`)  or  [e_i; P t_i]  (`concat`)        t_i: the text of item i, made before and fixed
    h_t = GRU(h_{t-1}, v_{i_t})        score_t = v . h_t + b        the newest state ranks

Differs: the paper embeds plots by BERT; `titles` takes such vectors from a file (`matinee data embed-titles` checks
and joins them), and by default embeds titles by tf-idf and singular vectors. Items are scored by the vectors that they
are read by. The loss is cross-entropy over all items, as in `gru4rec`; the paper's is `loss: bpr_max`. `alternate`
moves the items' own vectors and the projection of their texts in turn, as the paper does; together is the default.
Histories are read in windows.

An item that nobody had has no e_i: its text alone scores it, with the lowest bias of all, and it is no negative in
training. An item without text has e_i alone.

Cost: gru4rec's, and 6 I T D operations a step for texts of T numbers; asked it is a `Recurrent`, as fast as gru4rec.
Shines where new items must be found at once. Titles say little of what a film is like (sequels and the year): where all
items have a past, expect next to nothing of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import seeded
from matinee.nn.next_item import Sequential, trained
from matinee.nn.recurrent import Shape
from matinee.nn.text_items import InTurn, Join, TextItemNet, text_of
from matinee.numerics.start_vectors import found_elsewhere
from matinee.scoring.recurrent import Recurrent


@dataclass(frozen=True, kw_only=True)
class GRU4RecBE(Sequential):
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 32
    """Windows a step. This and `lr` are what gru4rec does well with."""
    lr: Annotated[float, Gt(0), Le(10)] = 5e-3
    layers: Annotated[int, Ge(1), Le(16)] = 1
    """Of units, one upon the other."""
    titles: str | None = "tfidf"
    """What is known of each item's text: its title (`tfidf`), a file with a vector an item, or another run's vectors
    (RUN/ID). None: nothing, which leaves gru4rec."""
    join: Join = "sum"
    """Is what the text says added to an item's own vector, or put beside it? Then a state is twice as wide."""
    alternate: bool = False
    """Do the items' own vectors and what the text says move in turn, a step each? Else together."""

    def named_vectors(self) -> tuple[str, ...]:
        return found_elsewhere(self.init_items, self.titles)

    def fit(self, train: Dataset, run: Run = Run()) -> Recurrent:
        """Raises what `nn.train.train` does, and DataError where there are no such vectors."""
        text = text_of(train, self.titles)
        width = self.dim if self.join == "sum" else 2 * self.dim
        shape = Shape(train.n_items, width, width, self.layers, self.dropout, self.length)
        net = TextItemNet(shape, seeded(run.seed), text, train.log.item_counts() > 0, self.join)
        task = InTurn("gru4rec_be", self, net, train, run, alternate=self.alternate)
        return trained(task, self, train, run, Recurrent)
