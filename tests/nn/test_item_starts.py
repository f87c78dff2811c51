"""Networks whose items begin at vectors from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from matinee.config import experiment_from
from matinee.contract import Run
from matinee.data.item_vectors import with_vectors
from matinee.errors import DataError, ModelError
from matinee.experiment.folder import RunFolder
from matinee.experiment.reproduce import reproduce
from matinee.experiment.run import run as carry_out
from matinee.models.bert4rec import BERT4Rec
from matinee.models.sasrec import SASRec
from matinee.nn.item_starts import begin_items
from matinee.numerics.start_vectors import start_vectors
from matinee.testing.toy import planted

DATA = planted().data


def silent(what: str, done: int, total: int) -> None:
    pass


def given(scale: float = 1.0, name: str = "v.csv"):
    """The data with vectors of five numbers beside it, none for the items 3 and 40."""
    vectors = scale * np.random.default_rng(1).standard_normal((48, 5)).astype(np.float32)
    vectors[[3, 40]] = np.nan
    return replace(DATA, item_vectors={name: vectors})


def begun(table: torch.Tensor, where: str | None, seed: int = 0) -> torch.Tensor:
    out = table.clone()
    begin_items(out, SASRec(init_items=where), given(), Run(seed=seed))
    return out


def test_the_items_begin_there_at_the_size_of_a_random_start_and_a_mask_does_not() -> None:
    table = 0.3 * torch.randn(49, 8, generator=torch.Generator().manual_seed(0))
    got, size = begun(table, "v.csv"), float(table[:48].square().mean().sqrt())
    want = start_vectors(given(), "v.csv", 8, np.random.default_rng([0, 0, 7]), spread=size)
    np.testing.assert_array_equal(got[:48].numpy(), want)
    assert torch.equal(got[48], table[48])
    assert torch.equal(begun(table, None), table)
    other = begun(table, "v.csv", seed=1)
    assert (got != other).any(1).nonzero()[:, 0].tolist() == [3, 40]


@pytest.mark.parametrize("kind", [SASRec, BERT4Rec])
def test_recipes_name_what_is_to_be_found(kind: type[SASRec] | type[BERT4Rec]) -> None:
    assert kind(init_items="run-1234/als").named_vectors() == ("run-1234/als",)
    assert kind(init_items="tfidf").named_vectors() == ()
    assert kind().named_vectors() == ()
    with pytest.raises(DataError, match="no-vectors: there are no item vectors called 'x'"):
        kind(init_items="x", dim=8, epochs=1).fit(DATA)


def test_a_training_that_began_elsewhere_is_not_gone_on_with(tmp_path: Path) -> None:
    recipe = SASRec(init_items="v.csv", dim=4, width=4, blocks=1, length=5, epochs=1)
    first = recipe.fit(given(), Run(checkpoint=tmp_path / "one"))
    assert np.array_equal(recipe.fit(given(), Run(checkpoint=tmp_path / "one")).table, first.table)
    with pytest.raises(ModelError, match=r"other-training: .*data was"):
        recipe.fit(given(2.0), Run(checkpoint=tmp_path / "one"))


@pytest.mark.parametrize("kind", [SASRec, BERT4Rec])
def test_from_a_file_by_hand(kind: type[SASRec] | type[BERT4Rec], tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("item,x,y\n000,1,2\n001,3,-1\n")
    data = with_vectors(DATA, "v.csv", tmp_path / "v.csv")
    random = kind(dim=4, width=4, blocks=1, length=5, epochs=1)
    assert not np.array_equal(replace(random, init_items="v.csv").fit(data).table, random.fit(DATA).table)


def test_an_experiment_whose_transformer_begins_at_another_runs_factors(tmp_path: Path) -> None:
    plain = {"name": "one", "data": {"path": "synthetic:80x30:3"}, "split": {"protocol": "leave_last"}}
    factors = {**plain, "models": [{"model": "als", "dim": 4, "epochs": 2}]}
    first = carry_out(experiment_from(factors, tmp_path), tmp_path / "runs")
    shape = {"dim": 8, "width": 8, "blocks": 1, "length": 10, "epochs": 2}
    models = [{"model": "sasrec", **shape, "init_items": f"{first.id}/als"},
              {"id": "random", "model": "sasrec", **shape}]
    entries = {**plain, "name": "two", "models": models, "output": {"which": ["sasrec"]}}
    second = RunFolder.open(carry_out(experiment_from(entries, tmp_path), tmp_path / "runs").path)
    assert list(second.vectors) == [f"{first.id}/als"]
    lists = [(second.lists("test", id_) / "part-00000.parquet").read_bytes() for id_ in ("sasrec", "random")]
    assert lists[0] != lists[1]
    verdict = reproduce(second, tmp_path / "again", progress=silent, say=lambda line: None)
    assert verdict.results == ()
