"""Networks over pairs agree with slow twins, in training and when they are asked, with features of all scopes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from matinee.contract import Queries, Run
from matinee.data.dataset import Dataset
from matinee.features.fitted import with_features
from matinee.features.pair_numbers import asked, pair_numbers
from matinee.models.auto_int import AutoInt
from matinee.models.deep_fm import DeepFM
from matinee.models.wide_deep import WideDeep
from matinee.nn.attentive_pairs import AttentivePairNet
from matinee.nn.deep_pairs import DeepPairNet
from matinee.nn.drawn_pairs import Pairs
from matinee.nn.feature_fields import ITEM_ID, Inputs, sides_of
from matinee.scoring.user_fields import HISTORY, ID
from matinee.testing import planted
from tests.reference import deep_pairs as slow

Net = DeepPairNet | AttentivePairNet
FEATURES = ["item_count", "user_count", "genre", "top_genre", "gender", "genre_affinity"]
USERS, ITEMS = np.array([3, 17, 80]), np.array([[0, 5, 9], [30, 2, 47], [11, 40, 6]], np.int32)


def data() -> Dataset:
    return with_features(planted().data, FEATURES)


@cache
def net(kind: str) -> Net:
    """With parameters that are nowhere near 0."""
    train = data()
    made: Net
    if kind == "auto_int":
        made = AutoInt(dim=5, layers=2, heads=2, head_dim=3).net(train, 3)
    else:
        recipe = DeepFM(dim=5, hidden=(9, 6, 3)) if kind == "deep_fm" else WideDeep(dim=5, hidden=(7,))
        crossed = "none" if kind == "deep_fm" else "all"
        made = DeepPairNet(recipe, sides_of(recipe, train, kind), train, 3, meet=kind == "deep_fm", crossed=crossed)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, one in made.named_parameters():
            one.copy_(0.4 * torch.randn(one.shape, generator=generator))
            if name == "crosses.items":
                one.fill_diagonal_(0)
    return made


def row(inputs: Inputs, at: int, history: NDArray[np.int32]) -> NDArray[np.float64]:
    if inputs.matrix is not None:
        return np.asarray(inputs.matrix[[at]].toarray()[0], np.float64)
    out = np.zeros(inputs.columns)
    if inputs.name == HISTORY:
        out[history] = 1 / np.sqrt(max(1, len(history)))
    else:
        assert inputs.name in (ID, ITEM_ID)
        out[at] = 1
    return out


def expected(made: Net, user: int, item: int, without: int | None = None) -> float:
    """The slow twin's score; `without`: an item that is left out of the history, but not out of crosses."""
    whole = np.unique(made.log[[user]].indices)
    history = whole[whole != without]
    tables = [{f.name: t.detach().numpy().astype(float) for f, t in zip(side, tables, strict=True)}
              for side, tables in ((made.sides.users, made.user_tables), (made.sides.items, made.item_tables))]
    users = {f.name: row(f, user, history) for f in made.sides.users}
    items = {f.name: row(f, item, history) for f in made.sides.items}
    (of_user, own_user), (of_item, own_item) = slow.fields_of(users, tables[0]), slow.fields_of(items, tables[1])
    numbers = pair_numbers(made.numbers.spreads, made.numbers.known, asked(data(), np.array([user])),
                           np.array([[item]], np.int32))[0, 0].astype(float)
    score, fields = float(made.bias.detach()) + own_user + own_item, [*of_user, *of_item]
    if isinstance(made, AttentivePairNet):
        fields += [z * vector for z, vector in zip(numbers, made.number_vectors.detach().numpy(), strict=True)]
        four = [np.split(mix.detach().numpy().astype(float), 4) for mix in made.mixing]
        last = slow.attention(fields, *zip(*four, strict=True), made.heads)
        return score + float(made.last.detach().numpy() @ np.concatenate(last))
    weights = [made.first, *made.weights]
    score += slow.layers(fields, numbers, [one.detach().numpy() for one in weights],
                         [one.detach().numpy() for one in made.biases], made.last.detach().numpy())
    if made.meet:
        score += slow.met(fields)
    if made.crosses.items is not None:
        seen = row(Inputs(HISTORY, None, len(items[ITEM_ID])), user, whole)
        score += slow.crossed(seen, items[ITEM_ID], made.crosses.items.detach().numpy())
        features = [np.concatenate([side[f.name] for f in fields if f.matrix is not None])
                    for side, fields in ((users, made.sides.users), (items, made.sides.items))]
        score += slow.crossed(*features, made.crosses.features.detach().numpy().T)
    return score


@pytest.mark.parametrize("kind", ["wide_deep", "deep_fm", "auto_int"])
def test_the_fitted_form_scores_as_the_equations_say(kind: str) -> None:
    made = net(kind)
    train = planted().data
    queries = Queries.of(train.log.take(USERS), USERS, attributes=train.user_features.take(USERS))
    got = made.scorer().score_pairs(queries, ITEMS)
    want = [[expected(made, user, item) for item in mine] for user, mine in zip(USERS, ITEMS, strict=True)]
    assert np.allclose(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["wide_deep", "deep_fm", "auto_int"])
def test_the_network_learns_from_the_same_scores_without_the_pairs_own_item(kind: str) -> None:
    made, log = net(kind), planted().data.log.matrix()
    owners = np.array([0, 1, 1, 2], np.int32)
    own = np.array([log[[USERS[owner]]].indices[n] for n, owner in enumerate(owners)])
    items = np.concatenate([own[:, None], ITEMS[owners, :2]], axis=1).astype(np.int32)
    got = made.scores(Pairs(USERS, owners, items, np.zeros(3, bool)), None).detach().numpy()
    want = [[expected(made, USERS[owner], item, mine[0]) for item in mine]
            for owner, mine in zip(owners, items, strict=True)]
    assert np.allclose(got, want, rtol=1e-4, atol=1e-4)


def test_an_item_is_never_crossed_with_itself() -> None:
    fitted = WideDeep(epochs=2, crosses="items", hidden=(4,), batch_size=32).fit(planted().data, Run(seed=1, threads=1))
    assert not np.diag(fitted.crosses).any()
    assert np.count_nonzero(fitted.crosses) > 1000


def test_what_no_pair_says_is_as_the_average_pair() -> None:
    train = data()
    known = {"genre_affinity": train.features["genre_affinity"]}
    queries = Queries.of(train.log.take(USERS))
    found = pair_numbers({"genre_affinity": (0.5, 0.1)}, known, queries, np.array([[-1, 4]] * 3, np.int32))
    assert (found[:, 0] == 0).all()
    assert found.any()
    assert np.abs(found).max() <= 5
