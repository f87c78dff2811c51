"""AutoRec: users' histories, or items' audiences, copied through a narrow code.

Sedhain, Menon, Sanner, Xie, AutoRec: Autoencoders Meet Collaborative Filtering, WWW 2015:

    h(r) = W g(V r + m) + b        r: the ratings of one user (`form: user`), or of one item by all users (`item`)
    rated:      min  sum over observed ratings of c (r - h(r))^2            weights shrink by `weight_decay`
    otherwise:  r is 1 for what was had, and all of it and of what was not is asked for: squared or logistic loss

Differs. An unknown rating is no number that says something: ratings go in less their mean, so that 0 is both unknown
and neutral, and come out with it. A user form asks the network. An item form keeps the codes of the items alone, with
a 1 beside them, and folds everybody in by the ridge regression of his history on the codes: what the decoder's row for
a known user is at the optimum of the squared loss, and what the paper has for nobody else. Adam where the paper takes
RProp; `weight_decay` is apart from the loss.

Cost an epoch: 6 R N D operations (R rows shown, N columns), and 6 x events x D of the first layer; 32 N D bytes to
fit; see `Autoencoder` and `FoldedCodes` for what asking takes.
Shines in foretelling ratings, there the item form (MovieLens-1M: RMSE 0.860, the user form 0.900, biases alone 0.904;
not tuned; the paper has 0.831 and 0.874 with codes of 500 and a tuned decay, on splits of its own); a list of what
would be rated best is seldom a list of what will be watched. Nothing is hidden in training, so with a wide code it
learns to copy each item from itself, which says nothing of the others: keep `dim` small or the decay large, or take
`multi_dae`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from scipy.sparse import csr_array

from matinee.contract import Run, Scorer
from matinee.data.dataset import Dataset
from matinee.nn.autoencoder import AutoencoderNet, seeded
from matinee.nn.copying import Copying, Rows
from matinee.nn.identity import training_key
from matinee.nn.reconstruction import Squeezing
from matinee.nn.train import train as run_training
from matinee.scoring.autoencoder import Autoencoder, inputs
from matinee.scoring.codes import FoldedCodes
from matinee.scoring.ratings import centred, mean_rating, rated


@dataclass(frozen=True, kw_only=True)
class AutoRec(Squeezing):
    form: Literal["user", "item"] = "user"
    """Whose rows are copied: what each user had, or who had each item."""
    rated: bool = False
    """Foretell ratings, learnt from the ratings that there are, instead of who has what."""
    likelihood: Literal["squared", "logistic"] = "logistic"
    """Where ratings are not read: the squared error, or for each item by itself a probability."""
    l2: Annotated[float, Gt(0), Le(1e6)] = 100.0
    """`item`: the ridge of the regression that folds somebody in; the default is for codes of 200 and long histories.
    Of ratings of MovieLens-1M held out: RMSE 0.881 with 30, 0.860 with 100, 0.872 with 300."""
    activation: Literal["tanh", "sigmoid", "relu", "swish"] = "sigmoid"
    """What the layers between put their sums through. A sigmoid as in the paper."""
    weight_decay: Annotated[float, Ge(0), Le(10)] = 0.01
    """Shrinks all weights by lr x this a step, apart from the loss (Loshchilov and Hutter, ICLR 2019)."""
    lr: Annotated[float, Gt(0), Le(10)] = 1e-2
    """Length of Adam's steps. Source of the default: `bench` in autorec.yaml."""

    def fit(self, train: Dataset, run: Run = Run()) -> Scorer:
        """Raises DataError (`no-ratings`) where ratings are asked for and there are none, and what training does."""
        centre = mean_rating(train.log) if self.rated else None
        rows = self._rows(train, centre)
        net = AutoencoderNet(self.layout(rows.shown.shape[1], variational=False, scale="none"), seeded(run.seed))

        def worth(net: AutoencoderNet) -> Scorer:
            return self._of_user(net, centre) if self.form == "user" else self._of_item(net, rows.shown, centre)

        def found(scorer: Scorer, epoch: int) -> Scorer:
            assert isinstance(scorer, Autoencoder | FoldedCodes)
            return replace(scorer, chosen={"stop_at": epoch})

        task = Copying("autorec", self, net, rows, "rated" if self.rated else self.likelihood, run, worth)
        return run_training(task, self, run, training_key("autorec", self, train, run), found)

    def _rows(self, train: Dataset, centre: float | None) -> Rows:
        if centre is None:
            wanted = confidence = train.log.matrix()
            shown = inputs(confidence, "none")
        else:
            shown = wanted = centred(train.log, centre)
            confidence = rated(train.log).matrix()
        if self.form == "user":
            return Rows(shown, wanted, confidence)
        return Rows(*(matrix.T.tocsr() for matrix in (shown, wanted, confidence)))

    def _of_user(self, net: AutoencoderNet, centre: float | None) -> Autoencoder:
        scorer = net.scorer()
        return scorer if centre is None else replace(scorer, bias=scorer.bias + np.float32(centre), centre=centre)

    def _of_item(self, net: AutoencoderNet, audiences: csr_array, centre: float | None) -> FoldedCodes:
        """The last hidden layer of each item, and a 1 for the bias; nothing for an item that nobody had."""
        codes = np.pad(net.scorer().passed(audiences), ((0, 0), (0, 1)), constant_values=1)
        codes[np.diff(audiences.indptr) == 0] = 0
        return FoldedCodes(codes, self.l2, centre)
