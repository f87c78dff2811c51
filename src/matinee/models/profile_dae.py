"""Profile DAE: what is known of a user stands beside the code, so that short and empty histories are foretold as well.

The model of a team of the 2022 U+ AI Ground, where somebody's age and interests were known and many histories were
short; Cheng et al., Wide & Deep, DLRS 2016, is the usual source for features beside a code. With f an activation,

    e_u = f(W dropout(x_u) + b)      d_u = f(V features_u + c)      p_u = softmax of (O [e_u ; d_u] + a)

and the loss is Multi-DAE's: -sum_i c_ui x_ui ln p_ui, or logistic, or squared. Histories alone are damaged; in a share
of them (`history_dropout`) nothing is left, and the profile must tell all that is told. Of two users alike, one with a
history and one without, the other thereby gets the items of the one. When it is asked, nothing is hidden.

Features are an input for each label of a user's categories (one or many a user) and for each bin of his numbers; a
label of one user alone is left out. They are known by name: a label that the model has not met says nothing.

Differs: the report gives no sizes and no activation, and does not say what share of histories is lost whole. `inputs`
says what is read, the confidence what counts in the loss: views can be in both. Whether what was had may come again is
the ranking's affair (`data.repeats`).
Cost: Multi-DAE's (multi_dae.py) and P / D more in the last layer; 4 (I (D + P) + I D + C P) bytes, for P = profile_dim
and C features.
Shines on short and empty histories of people whose tastes follow what is known of them: on a log with the traits of U+
0.05 of the competition's score up to five views, and nothing beyond (docs/results/profiles_uplus.md). Gender, age and
occupation of MovieLens-1M's people say next to nothing once a single film is known (docs/results/profiles_ml1m.md).
Defaults: the best on valid of that log (weeks of it held out) among eight; 25 epochs of them do, more over-fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from matinee.contract import Run
from matinee.data.dataset import Dataset
from matinee.nn.profiled import ProfiledNet, ProfiledReconstruction
from matinee.nn.reconstruction import Autoencoding, trained
from matinee.scoring import user_columns
from matinee.scoring.autoencoder import Autoencoder


@dataclass(frozen=True, kw_only=True)
class ProfileDAE(Autoencoding):
    profile: bool = True
    """Is the profile read? Else the model is trained and asked without it."""
    profile_dim: Annotated[int, Ge(1), Le(4096)] = 64
    """Length of what stands beside the code."""
    bins: Annotated[int, Ge(2), Le(1000)] = 8
    """Bins of a number such as the age, of about equally many users; fewer where it has fewer values."""
    history_dropout: Annotated[float, Ge(0), Lt(1)] = 0.2
    """Share of users of whom in a step the whole history is hidden."""
    inputs: Literal["binary", "log_views"] = "log_views"
    """What an item of a history is to the network: 1, or ln(1 + n) where it was watched n times; the
    same where nothing is watched twice."""
    epochs: Annotated[int, Ge(1), Le(10_000)] = 30
    """Passes over the training log, at most; schedules run over all of them, whenever training stops."""
    lr: Annotated[float, Gt(0), Le(10)] = 4e-3
    """Length of Adam's steps (Kingma and Ba, ICLR 2015)."""
    batch_size: Annotated[int, Ge(1), Le(100_000)] = 256
    """Users a step."""

    def fit(self, train: Dataset, run: Run = Run()) -> Autoencoder:
        """Raises what `nn.train.train` does."""
        columns = user_columns.learn(train.user_features, self.bins) if self.profile else {}
        layout = self.layout(train.n_items, variational=False, scale="l2")
        layout = replace(layout, beside=self.profile_dim if columns else 0)
        net = ProfiledNet(layout, columns, self.activation, run.seed)
        task = ProfiledReconstruction("profile_dae", self, net, train, run, views=self.inputs == "log_views",
                                      lost=self.history_dropout)
        return trained(task, self, train, run)
